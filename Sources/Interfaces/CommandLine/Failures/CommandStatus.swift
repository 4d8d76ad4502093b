package import SnapshotDomain

/// How a command ended, as scripts see it.
///
/// The numbers are documented in `docs/cli.md` and never change their meaning.
package enum CommandStatus: Int32, Sendable, CaseIterable {
    case done = 0
    case failed = 1
    /// Of several targets some failed; each was reported.
    case someFailed = 3
    case notFound = 4
    /// Busy, in the wrong state, in use, or a name that is taken.
    case conflict = 5
    /// Not authenticated or not allowed.
    case notAllowed = 6
    /// The service, or a part of it, does not answer.
    case unreachable = 7
    /// The command line is wrong (`EX_USAGE`).
    case usage = 64
    case interrupted = 130

    /// The one mapping from the service's errors.
    package init(_ code: ServiceError.Code) {
        self =
            switch code {
            case .invalidInput: .usage
            case .notAuthenticated, .notAllowed: .notAllowed
            case .notFound: .notFound
            case .nameTaken, .wrongState, .inUse: .conflict
            case .unavailable: .unreachable
            case .noSpace, .limitExceeded, .badImage, .guestFailed, .damaged, .cancelled, .internalError: .failed
            }
    }

    /// For an answer that carries no code of ours, such as one of a proxy in between.
    package init(httpStatus: Int) {
        self =
            switch httpStatus {
            case 401, 403: .notAllowed
            case 404: .notFound
            case 409, 423, 429: .conflict
            case 502, 503, 504: .unreachable
            default: .failed
            }
    }
}
