import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import SnapshotDomain
import SnapshotServices
import Synchronization
import TestKit

@testable import HTTPCommon
@testable import WebConsole

/// The console over a cloud, for somebody who is signed in: from an address to the page's text, without a connection.
struct TestConsole {
    /// What stands before every path.
    private let root: String
    private let responder: RouterResponder<IncomingContext>

    /// - Parameters:
    ///   - cloud: What answers.
    ///   - role: What the visitor is in the environment `production`; owners are operators, too, and see all environments.
    ///   - prices: What snapshots cost.
    ///   - accounts: Who there is.
    ///   - root: What stands before every path: the environment, or nothing.
    /// - Throws: When a template cannot be read.
    init(
        _ cloud: any CloudService,
        as role: Role = .owner,
        prices: ConsoleConfiguration.Prices? = nil,
        accounts: Accounts = .ofNobody,
        root: String = "/environments/production"
    ) throws {
        self.root = root
        let console = Console(
            cloud: cloud,
            accounts: accounts,
            configuration: ConsoleConfiguration(prices: prices),
            pages: try Pages()
        )
        let session = OpenSession(principal: .visitor(role), token: "token", formToken: "form-token")
        let router = Router(context: IncomingContext.self)
        for route in ConsoleRoutes.all {
            router.on(RouterPath(route.pattern), method: route.method) { request, context in
                func visit(_ form: Fields) -> Visit {
                    Visit(
                        console: console,
                        request: request,
                        context: context,
                        session: session,
                        language: LanguageCookie.language(of: request),
                        form: form
                    )
                }
                func answer(_ visit: Visit, _ handler: (Visit) async throws -> Response) async throws -> Response {
                    do {
                        return try await handler(visit)
                    } catch let error as ServiceError {
                        return try await FailurePage.response(error, visit)
                    }
                }
                switch route.action {
                case .page(let handler):
                    let form = String(buffer: try await request.body.collect(upTo: 1 << 20))
                    return try await answer(visit(Fields(urlEncoded: form))) { try await handler($0) }
                case .upload(let handler):
                    var (form, rest) = try await FormBody.beginning(of: request)
                    return try await answer(visit(form)) { try await handler($0, &rest) }
                }
            }
        }
        responder = router.buildResponder()
    }

    func get(_ path: String, in language: Language = .english) async throws -> Page {
        try await send(.get, path, "", language)
    }

    /// Sends a form, its fields as `name=value` with `&` between them.
    func post(_ path: String, _ form: String, in language: Language = .english) async throws -> Page {
        try await send(.post, path, form, language)
    }

    /// Sends a form with a file, as a browser does, or as a script that shows how far it is.
    func upload(
        _ path: String,
        _ fields: [(name: String, value: String)],
        file: String?,
        headers: HTTPFields = [:]
    ) async throws -> Page {
        var body = fields.map { "--x\r\nContent-Disposition: form-data; name=\"\($0.name)\"\r\n\r\n\($0.value)\r\n" }
            .joined()
        if let file {
            body += "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"disk\"\r\n\r\n\(file)\r\n"
        }
        var headers = headers
        headers[.contentType] = "multipart/form-data; boundary=x"
        return try await send(.post, path, body + "--x--\r\n", .english, headers)
    }

    private func send(
        _ method: HTTPRequest.Method,
        _ path: String,
        _ form: String,
        _ language: Language,
        _ headers: HTTPFields = [:]
    ) async throws -> Page {
        let head = HTTPRequest(
            method: method,
            scheme: "http",
            authority: "test",
            path: root + path,
            headerFields: [.acceptLanguage: language.rawValue] + headers
        )
        let request = Request(head: head, body: RequestBody(buffer: ByteBuffer(string: form)))
        let response = try await responder.respond(to: request, context: IncomingContext(logger: Logger(label: "test")))
        let collector = Collector()
        try await response.body.write(CollectingWriter(collector: collector))
        return Page(
            status: response.status.code,
            headers: response.headers,
            text: String(buffer: collector.bytes.withLock(\.self))
        )
    }
}

/// What a request was answered with.
struct Page {
    let status: Int
    let headers: HTTPFields
    let text: String

    /// Where it leads.
    var location: String? { headers[.location] }

    /// What is said after it.
    var notice: String? {
        headers[values: .setCookie].first { $0.hasPrefix("instanta_notice=") }?.dropFirst("instanta_notice=".count)
            .split(separator: ";").first.map(String.init)
    }
}

private final class Collector: Sendable {
    let bytes = Mutex(ByteBuffer())
}

private struct CollectingWriter: ResponseBodyWriter {
    let collector: Collector

    mutating func write(_ buffer: ByteBuffer) async throws {
        collector.bytes.withLock { bytes in
            var buffer = buffer
            bytes.writeBuffer(&buffer)
        }
    }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
}

extension Principal {
    fileprivate static func visitor(_ role: Role) -> Principal {
        let user = User(
            id: Sample.id(9),
            name: "ada",
            isOperator: role == .owner,
            createdAt: Sample.instant
        )
        return Principal(user: user, roles: [Sample.production.id: role])
    }
}
