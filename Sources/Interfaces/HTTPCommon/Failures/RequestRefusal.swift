package import HTTPTypes

/// Why a request did not even reach a service: what HTTP itself has to say, and ``ServiceError`` has no word for.
package enum RequestRefusal: Error, Hashable, Sendable {
    case noSuchEndpoint
    case methodNotAllowed(allowed: [HTTPRequest.Method])
    case bodyTooLarge(limit: Int64)
    case tooManyRequests(retryAfter: Duration)

    package var status: HTTPResponse.Status {
        switch self {
        case .noSuchEndpoint: .notFound
        case .methodNotAllowed: .methodNotAllowed
        case .bodyTooLarge: .contentTooLarge
        case .tooManyRequests: .tooManyRequests
        }
    }

    package var message: String {
        switch self {
        case .noSuchEndpoint:
            "There is nothing at this address; the documentation lists the calls."
        case .methodNotAllowed(let allowed):
            "This address answers only \(allowed.map(\.rawValue).joined(separator: ", "))."
        case .bodyTooLarge(let limit):
            "The body is larger than the \(limit) bytes that this call takes."
        case .tooManyRequests:
            "Too many requests; wait as long as Retry-After says."
        }
    }

    /// What the answer's head says beside the status.
    package var headers: HTTPFields {
        switch self {
        case .noSuchEndpoint, .bodyTooLarge: [:]
        case .methodNotAllowed(let allowed): [.allow: allowed.map(\.rawValue).joined(separator: ", ")]
        case .tooManyRequests(let wait): [.retryAfter: "\(max(1, Int((wait / .seconds(1)).rounded(.up))))"]
        }
    }
}
