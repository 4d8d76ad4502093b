import HTTPTypes
import Hummingbird

/// One address of the console and what it does.
struct ConsoleRoute: Sendable {
    typealias Handler = @Sendable (Visit) async throws -> Response

    let method: HTTPRequest.Method
    /// Such as `/environments/:environment/snapshots/:id`.
    let pattern: String
    let handler: Handler

    static func get(_ pattern: String, _ handler: @escaping Handler) -> ConsoleRoute {
        ConsoleRoute(method: .get, pattern: pattern, handler: handler)
    }

    /// A form was sent: its token has been checked before the handler sees it.
    static func post(_ pattern: String, _ handler: @escaping Handler) -> ConsoleRoute {
        ConsoleRoute(method: .post, pattern: pattern, handler: handler)
    }

    /// An address of an environment.
    static func within(_ rest: String) -> String {
        "/environments/:environment" + rest
    }
}
