import Platform
import QEMU
import SnapshotPorts

extension HypervisorFault {
    /// A fault of the machine's monitor, while `attempt` ("attach a disk") was tried.
    init(_ fault: QMPFault, trying attempt: String) {
        let code: Code =
            switch fault.code {
            case .unreachable, .closed, .timedOut, .unsupported, .protocolViolation: .unavailable
            case .cancelled: .cancelled
            case .refused, .jobFailed: .io
            }
        self.init(
            code,
            fault.outcome == .notDone ? .notDone : .unknown,
            "Could not \(attempt): \(Self.remedy(for: fault.message) ?? fault.message).",
            cause: "QMP \(fault.code)"
        )
    }

    /// A fault of the operating system, while `attempt` was tried.
    init(_ fault: PlatformFault, trying attempt: String) {
        self.init(
            fault.code == .cancelled ? .cancelled : .io,
            fault.outcome == .notDone ? .notDone : .unknown,
            "Could not \(attempt): \(fault.message).",
            cause: fault.errno.map { "errno \($0)" }
        )
    }

    /// A fault of the agent in the guest, while `attempt` was tried.
    init(_ fault: GuestAgentFault, trying attempt: String) {
        let code: Code =
            switch fault.code {
            case .unreachable, .unresponsive, .timedOut, .protocolViolation: .guestUnresponsive
            case .cancelled: .cancelled
            case .refused: .guestRefused
            }
        self.init(
            code,
            fault.outcome == .notDone ? .notDone : .unknown,
            "Could not \(attempt): \(fault.message).",
            cause: "guest agent \(fault.code)"
        )
    }

    /// Any fault at an edge that lost its type.
    init(_ error: any Error, trying attempt: String) {
        switch error {
        case let fault as HypervisorFault: self = fault
        case let fault as QMPFault: self.init(fault, trying: attempt)
        case let fault as PlatformFault: self.init(fault, trying: attempt)
        case let fault as GuestAgentFault: self.init(fault, trying: attempt)
        case is CancellationError: self.init(.cancelled, .unknown, "Was cancelled before it could \(attempt).")
        default: self.init(.io, .unknown, "Could not \(attempt): \(error).")
        }
    }

    /// What to do about QEMU's words, where they do not say it.
    ///
    /// Distributions ship the driver for Ceph in a package of its own, and QEMU without it only says that it knows none.
    static func remedy(for words: String) -> String? {
        guard words.contains("Unknown driver 'rbd'") else { return nil }
        return """
            QEMU on this host lacks its driver for disks in Ceph pools: install it (package qemu-block-extra, \
            qemu-block-rbd on Fedora and its kin) and start the instance again
            """
    }

    static func notRunning(_ what: String) -> HypervisorFault {
        HypervisorFault(.wrongState, .notDone, "The machine does not run; start it to \(what).")
    }
}
