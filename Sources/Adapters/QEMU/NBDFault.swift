/// Why a request to an NBD server failed, and what that left behind.
package struct NBDFault: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: Sendable, Equatable {
        /// Nobody serves the socket, or not this export.
        case unreachable
        /// The connection ended.
        case closed
        case timedOut
        case cancelled
        /// The server answered with this error number, such as 28 (`ENOSPC`) or 1 (`EPERM`).
        case refused(Int32)
        /// The request does not fit the export or the protocol.
        case invalidRequest
        case protocolViolation
    }

    package enum Outcome: Sendable, CaseIterable {
        case notDone
        /// Of a write, any part may have happened.
        case unknown
    }

    package let code: Code
    package let outcome: Outcome
    package let message: String

    package init(_ code: Code, outcome: Outcome, _ message: String) {
        self.code = code
        self.outcome = outcome
        self.message = message
    }

    package var description: String { message }
}
