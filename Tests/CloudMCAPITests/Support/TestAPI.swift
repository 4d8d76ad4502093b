import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import SnapshotServices
import TestKit
import Testing

@testable import CloudMCAPI
@testable import HTTPCommon

/// The whole chain from a request to the answer's bytes, without a connection.
struct TestAPI {
    let responder: RouterResponder<IncomingContext>

    init(
        _ cloud: any CloudService = EmptyCloud(),
        accounts: Accounts = .ofNobody,
        configuration: CloudMCConfiguration = CloudMCConfiguration(createdAt: Sample.instant),
        http: HTTPConfiguration = HTTPConfiguration()
    ) {
        let router = makeApplicationRouter(configuration: http, faces: [CloudMCRoutes.errorFace])
        CloudMCRoutes(cloud: cloud, accounts: accounts, configuration: configuration).add(to: router)
        responder = router.buildResponder()
    }

    func send(
        _ method: HTTPRequest.Method,
        _ path: String,
        key: String? = Sample.key,
        body: String? = nil,
        headers: HTTPFields = [:]
    ) async throws -> Answer {
        var headers = headers
        if let key { headers[KeyAuthentication.header] = key }
        let head = HTTPRequest(method: method, scheme: "http", authority: "test", path: path, headerFields: headers)
        let request = Request(head: head, body: RequestBody(buffer: ByteBuffer(string: body ?? "")))
        let response = try await responder.respond(to: request, context: IncomingContext(logger: Logger(label: "test")))
        let bytes = Locked(Data())
        try await response.body.write(CollectingWriter(bytes: bytes))
        return Answer(status: response.status.code, headers: response.headers, body: bytes.value)
    }

    func get(_ path: String) async throws -> Answer {
        try await send(.get, path)
    }

    /// A path below the production environment.
    static func path(_ rest: String) -> String {
        "/api/v2/services/compute/production/\(rest)"
    }
}

struct Answer {
    let status: Int
    let headers: HTTPFields
    let body: Data

    var text: String { String(decoding: body, as: UTF8.self) }

    func json() throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: body) as? [String: Any], "no JSON object: \(text)")
    }

    func data() throws -> [String: Any] {
        try #require(try json()["data"] as? [String: Any], "no data: \(text)")
    }

    func list() throws -> [[String: Any]] {
        try #require(try json()["data"] as? [[String: Any]], "no list: \(text)")
    }

    /// The only error of a failed answer, after checking that it is one as every client expects it.
    func error() throws -> [String: Any] {
        #expect(status >= 400)
        #expect(headers[.contentType]?.hasPrefix("application/json") == true)
        let errors = try #require(try json()["errors"] as? [[String: Any]], "no errors: \(text)")
        let error = try #require(errors.first)
        let code = try #require(error["code"] as? Int)
        #expect(error["errorCode"] as? String == "\(code)")
        #expect((error["message"] as? String)?.isEmpty == false)
        #expect(error["context"] is [String: Any])
        return error
    }
}

private struct CollectingWriter: ResponseBodyWriter {
    let bytes: Locked<Data>

    mutating func write(_ buffer: ByteBuffer) async throws {
        bytes.change { $0.append(contentsOf: buffer.readableBytesView) }
    }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
