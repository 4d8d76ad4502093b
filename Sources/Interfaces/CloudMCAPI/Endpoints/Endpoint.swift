import HTTPTypes
import Hummingbird

/// One call of the API: a row of its table.
struct Endpoint: Sendable {
    typealias Handler = @Sendable (Call) async throws -> Response

    let method: HTTPRequest.Method
    /// Below the root, such as `/environments/:id`.
    let pattern: String
    /// What `?operation=` must say; nil for the call without one.
    let operation: String?
    let handler: Handler

    static func get(_ pattern: String, _ handler: @escaping Handler) -> Endpoint {
        Endpoint(method: .get, pattern: pattern, operation: nil, handler: handler)
    }

    static func post(_ pattern: String, operation: String? = nil, _ handler: @escaping Handler) -> Endpoint {
        Endpoint(method: .post, pattern: pattern, operation: operation, handler: handler)
    }

    static func put(_ pattern: String, _ handler: @escaping Handler) -> Endpoint {
        Endpoint(method: .put, pattern: pattern, operation: nil, handler: handler)
    }

    static func delete(_ pattern: String, _ handler: @escaping Handler) -> Endpoint {
        Endpoint(method: .delete, pattern: pattern, operation: nil, handler: handler)
    }
}

/// Where the resources of one environment are.
let environmentRoot = "/services/:service/:environment"
