import HTTPCommon
import HTTPTypes
import Hummingbird

/// One address of the console and what it does.
struct ConsoleRoute: Sendable {
    typealias Handler = @Sendable (Visit) async throws -> Response
    /// Gets a form whose fields have been read, and whose file has not: the reader stands before its first byte.
    typealias UploadHandler = @Sendable (Visit, inout MultipartReader) async throws -> Response

    enum Action: Sendable {
        case page(Handler)
        case upload(UploadHandler)
    }

    let method: HTTPRequest.Method
    /// Such as `/environments/:environment/snapshots/:id`.
    let pattern: String
    let action: Action

    static func get(_ pattern: String, _ handler: @escaping Handler) -> ConsoleRoute {
        ConsoleRoute(method: .get, pattern: pattern, action: .page(handler))
    }

    /// A form was sent: its token has been checked before the handler sees it.
    static func post(_ pattern: String, _ handler: @escaping Handler) -> ConsoleRoute {
        ConsoleRoute(method: .post, pattern: pattern, action: .page(handler))
    }

    /// A form with a file was sent.
    ///
    /// Its token has been checked before the handler sees it, and no byte of the file has been taken.
    static func upload(_ pattern: String, _ handler: @escaping UploadHandler) -> ConsoleRoute {
        ConsoleRoute(method: .post, pattern: pattern, action: .upload(handler))
    }

    /// An address of an environment.
    static func within(_ rest: String) -> String {
        "/environments/:environment" + rest
    }
}
