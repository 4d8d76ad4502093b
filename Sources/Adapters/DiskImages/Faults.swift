import Platform
import QEMU
package import SnapshotPorts

extension BlockStoreFault {
    /// What a failure of a file, a program or a protocol means.
    ///
    /// - Parameters:
    ///   - error: The failure.
    ///   - what: Completes the sentence "The pool could not …".
    ///   - outcome: What is known of the effect, when that is more than the failure itself tells.
    package init(_ error: any Error, trying what: String, outcome: FaultOutcome? = nil) {
        switch error {
        case let fault as BlockStoreFault: self = fault
        case let fault as PlatformFault: self.init(fault, trying: what)
        case let fault as QMPFault: self.init(fault, trying: what)
        case let fault as NBDFault: self.init(fault, trying: what)
        case is CancellationError: self.init(.cancelled, .unknown, Self.words(.cancelled, what))
        default: self.init(.io, .unknown, Self.words(.io, what), cause: "\(error)")
        }
        if let outcome { self.outcome = outcome }
    }

    private init(_ fault: PlatformFault, trying what: String) {
        let code: Code =
            switch fault.code {
            case .notFound where Self.isMissingProgram(fault.message): .unavailable
            case .notFound: .notFound
            case .exists: .exists
            case .noSpace: .noSpace
            case .locked: .busy
            case .cancelled: .cancelled
            case .permission, .timedOut: .io
            case .io: Self.code(forWords: fault.message)
            }
        self.init(
            code,
            fault.outcome == .notDone ? .notDone : .unknown,
            Self.words(code, what),
            cause: fault.message
        )
    }

    private init(_ fault: QMPFault, trying what: String) {
        let code: Code =
            switch fault.code {
            case .cancelled: .cancelled
            case .unreachable, .closed, .timedOut, .unsupported: .unavailable
            case .refused, .jobFailed, .protocolViolation: Self.code(forWords: fault.message)
            }
        self.init(
            code,
            fault.outcome == .notDone ? .notDone : .unknown,
            Self.words(code, what),
            cause: fault.message
        )
    }

    private init(_ fault: NBDFault, trying what: String) {
        let code: Code =
            switch fault.code {
            case .cancelled: .cancelled
            case .unreachable, .closed, .timedOut: .unavailable
            // ENOSPC, as the protocol numbers it.
            case .refused(28): .noSpace
            case .refused, .invalidRequest, .protocolViolation: .io
            }
        self.init(
            code,
            fault.outcome == .notDone ? .notDone : .unknown,
            Self.words(code, what),
            cause: fault.message
        )
    }

    /// QEMU has one class for nearly all errors; what they are stands in the text only.
    private static func code(forWords words: String) -> Code {
        if words.contains("No space left on device") { return .noSpace }
        if isMissingProgram(words) { return .unavailable }
        return words.contains("\" lock") ? .busy : .io
    }

    /// Whether a program was not there or would not run: in our own words, or those of the programs that confine it.
    private static func isMissingProgram(_ words: String) -> Bool {
        words.hasPrefix("cannot start ") || words.contains(": failed to execute ")
    }

    private static func words(_ code: Code, _ what: String) -> String {
        switch code {
        case .noSpace: "The disk below the pool is full: it could not \(what). Free space and try again."
        case .busy:
            "Another program has one of the layers open: the pool could not \(what). Try again when it has ended."
        case .cancelled: "The work was cancelled before the pool could \(what)."
        case .unavailable:
            """
            The program that works on the disks did not answer: the pool could not \(what). Try again; if it stays so, \
            'instanta doctor' on the service's machine says what is missing.
            """
        default: "The pool could not \(what)."
        }
    }
}
