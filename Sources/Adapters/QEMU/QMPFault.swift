/// Why a QEMU program did not do what it was asked, and what that left behind.
package struct QMPFault: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kinds of failure a caller may decide on.
    package enum Code: Sendable, Equatable {
        /// Nobody serves the socket.
        case unreachable
        /// The connection ended, most often because the program did.
        case closed
        /// No answer within the limit.
        case timedOut
        case cancelled
        /// The program answered with an error of this class, most often `GenericError`.
        case refused(String)
        /// This version of the program cannot do it, or not safely.
        case unsupported
        /// The peer does not speak the protocol.
        case protocolViolation
        /// A background job started and then failed.
        case jobFailed
    }

    /// What is known about the effect of the failed call.
    package enum Outcome: Sendable, CaseIterable {
        /// Nothing changed.
        case notDone
        /// Some or all of it may have happened: look before acting again.
        case unknown
    }

    package let code: Code
    package let outcome: Outcome
    /// One sentence: what failed, on which thing; of a refusal, the program's own words.
    package let message: String

    package init(_ code: Code, outcome: Outcome, _ message: String) {
        self.code = code
        self.outcome = outcome
        self.message = message
    }

    package var description: String { message }
}
