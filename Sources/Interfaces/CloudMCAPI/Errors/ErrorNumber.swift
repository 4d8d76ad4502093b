import HTTPCommon
import SnapshotDomain

/// The numbers of the API's errors: stable, documented, each with one meaning.
///
/// CloudMC documents only 2012. The thousands tell where an error comes from: 1 the request, 2 what was asked for, 3 us.
enum ErrorNumber {
    static func number(of code: ServiceError.Code) -> Int {
        switch code {
        case .notAuthenticated: 1_001
        case .notAllowed: 1_002
        case .invalidInput: 2_001
        case .notFound: 2_002
        case .nameTaken: 2_003
        case .wrongState: 2_012
        case .inUse: 2_013
        case .noSpace: 2_014
        case .limitExceeded: 2_015
        case .badImage: 2_016
        case .guestFailed: 2_017
        case .cancelled: 2_018
        case .internalError: 3_000
        case .unavailable: 3_001
        case .damaged: 3_002
        }
    }

    static func number(of refusal: RequestRefusal) -> Int {
        switch refusal {
        case .noSuchEndpoint: 1_003
        case .methodNotAllowed: 1_004
        case .bodyTooLarge: 1_005
        case .tooManyRequests: 1_006
        }
    }

    /// The word beside the number, for programs that would rather read than look up.
    static func word(of refusal: RequestRefusal) -> String {
        switch refusal {
        case .noSuchEndpoint: "no_such_endpoint"
        case .methodNotAllowed: "method_not_allowed"
        case .bodyTooLarge: "body_too_large"
        case .tooManyRequests: "too_many_requests"
        }
    }
}
