import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import SnapshotDomain
import Testing

@testable import HTTPCommon

@Suite("Bodies read generously")
struct LenientTests {
    struct Body: Decodable, Equatable {
        @Lenient var size: Int?
        @Lenient var isFull: Bool?
        @Lenient var name: String?
        @Lenient var volume: VolumeID?

        static func == (left: Body, right: Body) -> Bool {
            (left.size, left.isFull, left.name, left.volume) == (right.size, right.isFull, right.name, right.volume)
        }
    }

    private func decode(_ text: String) async throws -> Body {
        let request = Request(
            head: HTTPRequest(method: .post, scheme: nil, authority: nil, path: "/"),
            body: RequestBody(buffer: ByteBuffer(string: text))
        )
        return try await request.decodeJSON()
    }

    @Test(
        "a number, a flag or a text is read from every form that can mean it",
        arguments: [
            (#"{"size": 3}"#, 3), (#"{"size": "3"}"#, 3), (#"{"size": 3.0}"#, 3), (#"{"size": -1}"#, -1),
            (#"{"size": null}"#, nil), (#"{"size": ""}"#, nil), (#"{"size": {}}"#, nil), (#"{"other": 1}"#, nil),
            ("", nil), (" \n", nil), ("{}", nil),
        ] as [(String, Int?)]
    )
    func numbers(_ text: String, _ expected: Int?) async throws {
        #expect(try await decode(text).size == expected)
    }

    @Test(
        "flags",
        arguments: [
            (#"{"isFull": true}"#, true), (#"{"isFull": "TRUE"}"#, true), (#"{"isFull": 1}"#, true),
            (#"{"isFull": "false"}"#, false), (#"{"isFull": 0}"#, false), (#"{"isFull": {}}"#, nil),
        ] as [(String, Bool?)]
    )
    func flags(_ text: String, _ expected: Bool?) async throws {
        #expect(try await decode(text).isFull == expected)
    }

    @Test("an id is parsed, and a number can be a name")
    func others() async throws {
        let body = try await decode(#"{"volume": "0AFE0000-0000-4000-8000-000000000014", "name": 17}"#)
        #expect(body.volume?.description == "0afe0000-0000-4000-8000-000000000014")
        #expect(body.name == "17")
    }

    @Test(
        "what cannot be meant is an error that names the field",
        arguments: [
            (#"{"size": "three"}"#, "size"), (#"{"size": 1.5}"#, "size"), (#"{"size": true}"#, "size"),
            (#"{"size": {"gb": 1}}"#, "size"), (#"{"isFull": "maybe"}"#, "isFull"), (#"{"volume": "ROOT"}"#, "volume"),
            (#"{"name": ["a"]}"#, "name"),
        ]
    )
    func refusals(_ text: String, _ field: String) async throws {
        let error = try await #require(throws: ServiceError.self) { try await decode(text) }
        #expect(error.code == .invalidInput)
        #expect(error.subject == .field(field))
        #expect(error.message.contains("'\(field)'"))
    }

    @Test(
        "what is no JSON object is an error that says so",
        arguments: ["[]", "\"x\"", "{", "{\"size\": 1", "nonsense", "\u{0}"]
    )
    func noObject(_ text: String) async throws {
        let error = try await #require(throws: ServiceError.self) { try await decode(text) }
        #expect(error.code == .invalidInput)
        #expect(error.subject == nil)
    }

    @Test("a body beyond the limit is refused")
    func large() async throws {
        let text = #"{"name": ""# + String(repeating: "x", count: Request.largestJSON) + #""}"#
        await #expect(throws: RequestRefusal.bodyTooLarge(limit: Int64(Request.largestJSON))) { try await decode(text) }
    }
}
