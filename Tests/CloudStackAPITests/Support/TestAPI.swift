import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import SnapshotDomain
import SnapshotServices
import Synchronization
import TestKit
import Testing

@testable import CloudStackAPI
@testable import HTTPCommon

/// The whole chain from a signed request to the answer's bytes, without a connection.
struct TestAPI {
    static let key = "the-key"
    static let secret = "the-secret"

    let responder: RouterResponder<IncomingContext>

    init(
        _ cloud: any CloudService = EmptyCloud(),
        principal: Principal = Sample.principal,
        rateLimit: RateLimit = RateLimit()
    ) {
        let router = makeApplicationRouter(faces: [CloudStackRoutes.errorFace])
        var configuration = CloudStackConfiguration(
            findKey: { key, _ in
                guard key == Self.key else { return nil }
                return .init(principal: principal, secret: Self.secret, environment: Sample.production.id)
            }
        )
        configuration.rateLimit = rateLimit
        CloudStackRoutes(cloud: cloud, configuration: configuration).add(to: router)
        responder = router.buildResponder()
    }

    /// Sends a command as a client would, signed.
    func ask(_ command: String, _ parameters: [String: String] = [:], secret: String = secret) async throws -> Answer {
        let items = (parameters.merging(["command": command, "apiKey": Self.key, "response": "json"]) { $1 })
            .map { SentParameters.Item(name: $0.key, value: $0.value) }
        let signature = Client.cs.sign(items, secret: secret)
        let query = (items + [.init(name: "signature", value: signature)])
            .map { "\($0.name)=\(Self.escape($0.value))" }
            .joined(separator: "&")
        return try await send(.get, "/client/api?\(query)")
    }

    func send(_ method: HTTPRequest.Method, _ path: String, body: String = "") async throws -> Answer {
        let head = HTTPRequest(method: method, scheme: "http", authority: "test", path: path)
        let request = Request(head: head, body: RequestBody(buffer: ByteBuffer(string: body)))
        let response = try await responder.respond(to: request, context: IncomingContext(logger: Logger(label: "test")))
        let collected = Collected()
        try await response.body.write(CollectingWriter(collected: collected))
        return try Answer(status: response.status.code, headers: response.headers, data: collected.data)
    }

    private static func escape(_ text: String) -> String {
        let plain = CharacterSet(charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._")
        return text.addingPercentEncoding(withAllowedCharacters: plain) ?? ""
    }

    /// An answer, which is one object with one key.
    struct Answer {
        let status: Int
        let headers: HTTPFields
        let key: String
        let body: [String: Any]

        init(status: Int, headers: HTTPFields, data: Data) throws {
            let text = String(decoding: data, as: UTF8.self)
            let json = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any], "no JSON: \(text)")
            #expect(json.count == 1, "\(text)")
            #expect(headers[.contentType]?.hasPrefix("application/json") == true)
            self.status = status
            self.headers = headers
            key = try #require(json.keys.first)
            body = try #require(json.values.first as? [String: Any], "no object: \(text)")
            if status != 200 { #expect(body["errorcode"] as? Int == status) }
        }

        var error: String { body["errortext"] as? String ?? "" }

        func list(_ name: String) throws -> [[String: Any]] {
            #expect(Set(body.keys) == ["count", name])
            return try #require(body[name] as? [[String: Any]])
        }
    }
}

private final class Collected: Sendable {
    private let bytes = Mutex(Data())

    var data: Data { bytes.withLock(\.self) }

    func append(_ more: Data) {
        bytes.withLock { $0.append(more) }
    }
}

private struct CollectingWriter: ResponseBodyWriter {
    let collected: Collected

    mutating func write(_ buffer: ByteBuffer) async throws {
        collected.append(Data(buffer.readableBytesView))
    }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
