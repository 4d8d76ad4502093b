import Foundation
package import HTTPTypes
import Hummingbird
import NIOCore
package import SnapshotDomain

/// A failed request, as a face gets it to write it in its own format.
package struct RequestFailure: Sendable {
    package enum Reason: Sendable {
        case service(ServiceError)
        case refusal(RequestRefusal)
    }

    package let reason: Reason
    package let requestID: String

    package init(_ reason: Reason, requestID: String) {
        self.reason = reason
        self.requestID = requestID
    }

    package var status: HTTPResponse.Status {
        switch reason {
        case .service(let error): error.code.httpStatus
        case .refusal(let refusal): refusal.status
        }
    }

    package var message: String {
        switch reason {
        case .service(let error): error.message
        case .refusal(let refusal): refusal.message
        }
    }

    package var headers: HTTPFields {
        switch reason {
        case .service: [:]
        case .refusal(let refusal): refusal.headers
        }
    }
}

extension RequestFailure.Reason {
    /// What a thrown error means to the caller; nil for an error that nobody expected.
    init?(_ error: any Error) {
        switch error {
        case let error as ServiceError:
            self = .service(error)
        case let refusal as RequestRefusal:
            self = .refusal(refusal)
        case let error as any HTTPResponseError:
            // Hummingbird's own: its router knows no such path, or a handler's input cannot be read.
            switch error.status {
            case .notFound: self = .refusal(.noSuchEndpoint)
            case .badRequest: self = .service(ServiceError(.invalidInput, "The request cannot be read."))
            default: return nil
            }
        default:
            return nil
        }
    }
}
