import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import SnapshotDomain
import Testing

@testable import HTTPCommon

@Suite("Forms with files")
struct MultipartTests {
    private static let boundary = "----form7MA4YWxk"

    private func request(
        _ body: [UInt8],
        chunk: Int = .max,
        type: String = "multipart/form-data; boundary=\(boundary)"
    ) -> Request {
        var head = HTTPRequest(method: .post, scheme: nil, authority: nil, path: "/")
        head.headerFields[.contentType] = type
        let stream = AsyncStream<ByteBuffer> { continuation in
            for start in stride(from: 0, to: body.count, by: min(chunk, max(1, body.count))) {
                continuation.yield(ByteBuffer(bytes: body[start...].prefix(chunk)))
            }
            continuation.finish()
        }
        return Request(head: head, body: RequestBody(asyncSequence: stream))
    }

    private func form(_ parts: [(head: String, content: [UInt8])]) -> [UInt8] {
        var body: [UInt8] = []
        for part in parts {
            body += Array("--\(Self.boundary)\r\n\(part.head)\r\n\r\n".utf8) + part.content + Array("\r\n".utf8)
        }
        return body + Array("--\(Self.boundary)--\r\n".utf8)
    }

    private func field(_ name: String, _ value: String) -> (head: String, content: [UInt8]) {
        ("Content-Disposition: form-data; name=\"\(name)\"", Array(value.utf8))
    }

    private func file(_ content: [UInt8]) -> (head: String, content: [UInt8]) {
        (
            "Content-Disposition: form-data; name=\"file\"; filename=\"a; b=\\\"c\\\".qcow2\"\r\n"
                + "Content-Type: application/octet-stream",
            content
        )
    }

    private func bytes(_ reader: inout MultipartReader) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        while let piece = try await reader.piece() {
            #expect(piece.readableBytes > 0)
            bytes += Array(buffer: piece)
        }
        return bytes
    }

    private func refusal(_ body: [UInt8]) async throws -> ServiceError {
        try await #require(throws: ServiceError.self) {
            var reader = try MultipartReader(request(body))
            while try await reader.next() != nil { _ = try await reader.text(atMost: 64) }
        }
    }

    /// Everything that looks like a delimiter and is none.
    private static let hostile = Array(
        ("\r\n--\(boundary.dropLast())\r\n--\r\r\n\n--\(boundary)\r\n-\r\n" + "\r\n--" + "\u{0}\u{FF}").utf8
    )

    @Test("fields and a file come out as they went in, however the body is cut", arguments: [1, 2, 3, 7, 20, 64, .max])
    func roundTrip(_ chunk: Int) async throws {
        let body = form([
            field("name", "Plantilla ñ"), field("description", ""), file(Self.hostile), field("last", "x"),
        ])
        var reader = try MultipartReader(request(body, chunk: chunk))
        #expect(try await reader.next() == MultipartReader.Part(name: "name", isFile: false))
        #expect(try await reader.text(atMost: 64) == "Plantilla ñ")
        #expect(try await reader.next()?.name == "description")
        #expect(try await reader.text(atMost: 64).isEmpty)
        #expect(try await reader.next() == MultipartReader.Part(name: "file", isFile: true))
        #expect(try await bytes(&reader) == Self.hostile)
        #expect(try await reader.next()?.name == "last")
        #expect(try await reader.text(atMost: 64) == "x")
        #expect(try await reader.next() == nil)
        #expect(try await reader.next() == nil)
        #expect(try await reader.piece() == nil)
    }

    @Test("what nobody wants of a part is dropped")
    func dropped() async throws {
        let body = form([file([UInt8](repeating: 13, count: 100_000)), field("last", "x")])
        var reader = try MultipartReader(request(body, chunk: 1_000))
        #expect(try await reader.next()?.isFile == true)
        #expect(try await reader.next()?.name == "last")
    }

    @Test("a form without parts has none")
    func empty() async throws {
        var reader = try MultipartReader(request(form([])))
        #expect(try await reader.next() == nil)
    }

    @Test("a file of a form lands whole in a file of ours")
    func stored() async throws {
        let path = NSTemporaryDirectory() + "part-\(UUID())"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let content = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 11) }
        var reader = try MultipartReader(request(form([file(content), field("last", "x")]), chunk: 65_000))
        _ = try await reader.next()
        let stored = try await UploadedFile.receive(&reader, at: path, atMost: .mebibytes(3))
        #expect(stored.length == ByteCount(3_000_000))
        #expect(FileManager.default.contents(atPath: path) == Data(content))
        #expect(try await reader.next()?.name == "last")
    }

    @Test("a file that is too large or ends early leaves nothing")
    func nothing() async throws {
        let path = NSTemporaryDirectory() + "part-\(UUID())"
        let body = form([file([1, 2, 3, 4, 5])])
        var large = try MultipartReader(request(body))
        _ = try await large.next()
        await #expect(throws: RequestRefusal.bodyTooLarge(limit: 4)) {
            try await UploadedFile.receive(&large, at: path, atMost: ByteCount(4))
        }
        #expect(!FileManager.default.fileExists(atPath: path))
        var short = try MultipartReader(request(Array(body.dropLast(26))))
        _ = try await short.next()
        let error = try await #require(throws: ServiceError.self) {
            try await UploadedFile.receive(&short, at: path, atMost: ByteCount(400))
        }
        #expect(error.message.contains("ended early"))
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test(
        "a request that announces no such form is refused",
        arguments: [
            "", "text/plain", "multipart/form-data", "multipart/form-data; boundary=", "multipart/mixed; boundary=a",
            "multipart/form-data; boundary=\"a\u{7F}b\"",
            "multipart/form-data; boundary=" + String(repeating: "a", count: 71),
        ]
    )
    func noForm(_ type: String) {
        #expect(throws: ServiceError.self) { try MultipartReader(request([], type: type)) }
    }

    @Test(
        "a boundary is read as RFC 2046 allows it to be written",
        arguments: [
            "Multipart/Form-Data;charset=utf-8; Boundary=\"\(boundary)\"", "multipart/form-data;boundary=\(boundary)",
        ]
    )
    func boundaries(_ type: String) async throws {
        var reader = try MultipartReader(request(form([field("a", "b")]), type: type))
        #expect(try await reader.next()?.name == "a")
    }

    @Test("hostile bodies are refused, with what to do about it")
    func refusals() async throws {
        let start = "--\(Self.boundary)"
        let long = String(repeating: "x", count: 5_000)
        let bodies = [
            // No delimiter at all; one in the middle of a line; one that goes on.
            "", "nothing", "x--\(Self.boundary)--", "\(start)x\r\n", "\(start)\r",
            // Heads: none, without a name, too long, never ended.
            "\(start)\r\n\r\n\r\nvalue\r\n\(start)--",
            "\(start)\r\nContent-Disposition: form-data\r\n\r\n\r\n\(start)--",
            "\(start)\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\n\r\n\(start)--",
            "\(start)\r\nX: \(long)\r\n\r\n\r\n\(start)--", "\(start)\r\nX: \(long)\(long)", "\(start)\r\nX: y",
            // Contents: too large for a field, never ended.
            "\(start)\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\(long)\r\n\(start)--",
            "\(start)\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nvalue\r\n--",
        ]
        for body in bodies {
            let error = try await refusal(Array(body.utf8))
            #expect(error.code == .invalidInput)
            #expect(error.message.contains("again"))
        }
    }

    @Test("the number of parts is bounded")
    func many() async throws {
        var reader = try MultipartReader(request(form((0..<64).map { field("f\($0)", "v") })))
        while try await reader.next() != nil {}
        #expect(try await refusal(form((0..<65).map { field("f\($0)", "v") })).message.contains("64"))
    }
}
