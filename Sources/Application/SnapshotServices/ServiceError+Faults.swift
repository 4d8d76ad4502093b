package import SnapshotDomain
package import SnapshotPorts

extension ServiceError {
    /// What a fault of a port means to the person who asked.
    ///
    /// Total: every fault has its words.
    package init(_ fault: BlockStoreFault) {
        let code: Code =
            switch fault.code {
            case .notFound: .damaged
            case .exists, .io: .internalError
            case .busy, .unavailable: .unavailable
            case .inUse: .inUse
            case .noSpace: .noSpace
            case .badImage: .badImage
            case .damaged: .damaged
            case .cancelled: .cancelled
            }
        self.init(code, fault.message)
    }

    package init(_ fault: HypervisorFault) {
        let code: Code =
            switch fault.code {
            case .notFound, .wrongState: .wrongState
            case .cannotStart, .unavailable: .unavailable
            case .guestUnresponsive, .guestRefused: .guestFailed
            case .noSlot: .limitExceeded
            case .damaged: .damaged
            case .cancelled: .cancelled
            case .io: .internalError
            }
        self.init(code, fault.message)
    }

    package init(_ fault: ImageFetchFault) {
        let code: Code =
            switch fault.code {
            case .badAddress, .refused, .badContent, .untrusted: .invalidInput
            case .tooLarge: .limitExceeded
            case .unreachable, .interrupted, .stalled: .unavailable
            case .noSpace: .noSpace
            case .cancelled: .cancelled
            case .io: .internalError
            }
        // Another address may help with these.
        let isOfAddress = [.invalidInput, .limitExceeded, .unavailable].contains(code)
        self.init(code, fault.message, subject: isOfAddress ? .field("url") : nil)
    }

    package init(_ fault: CatalogFault) {
        let code: Code =
            switch fault.code {
            case .nameTaken: .nameTaken
            case .conflict: .wrongState
            case .unsupported, .damaged: .unavailable
            case .noSpace: .noSpace
            case .refused, .io: .internalError
            }
        self.init(code, fault.message)
    }

    /// Whatever was thrown, in the words of the service boundary.
    package init(reporting error: any Error) {
        switch error {
        case let error as ServiceError:
            self = error
        case let fault as BlockStoreFault:
            self.init(fault)
        case let fault as HypervisorFault:
            self.init(fault)
        case let fault as ImageFetchFault:
            self.init(fault)
        case let fault as CatalogFault:
            self.init(fault)
        case is CancellationError:
            self.init(.cancelled, "The job was cancelled; what it had done was taken back.")
        default:
            self.init(.internalError, "Something unexpected happened; the service's log has the details.")
        }
    }
}
