package import HTTPTypes
package import SnapshotDomain

extension ServiceError.Code {
    /// The status under which an error goes over the wire: total, and the only such mapping.
    ///
    /// CloudMC documents few: 400 for whatever the caller can change by asking for something else, 403 for missing
    /// credentials as well as missing rights, 500 for faults. Only 503 is added, for what may work later.
    package var httpStatus: HTTPResponse.Status {
        switch self {
        case .invalidInput, .nameTaken, .wrongState, .inUse, .noSpace, .limitExceeded, .badImage, .guestFailed,
            .cancelled:
            .badRequest
        case .notAuthenticated, .notAllowed:
            .forbidden
        case .notFound:
            .notFound
        case .unavailable:
            .serviceUnavailable
        case .damaged, .internalError:
            .internalServerError
        }
    }
}
