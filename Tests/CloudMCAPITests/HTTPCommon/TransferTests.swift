import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import SnapshotDomain
import SnapshotPorts
import Testing

@testable import HTTPCommon

@Suite("Uploads and downloads")
struct TransferTests {
    private func request(_ chunks: [String], length: String? = nil) -> Request {
        var head = HTTPRequest(method: .post, scheme: nil, authority: nil, path: "/")
        head.headerFields[.contentLength] = length
        let stream = AsyncStream<ByteBuffer> { continuation in
            for chunk in chunks { continuation.yield(ByteBuffer(string: chunk)) }
            continuation.finish()
        }
        return Request(head: head, body: RequestBody(asyncSequence: stream))
    }

    private func withPath(_ body: (String) async throws -> Void) async throws {
        let path = NSTemporaryDirectory() + "upload-\(UUID())"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try await body(path)
    }

    @Test("an upload lands whole in a file that only its owner can read")
    func upload() async throws {
        try await withPath { path in
            let big = String(repeating: "0123456789", count: 150_000)
            let file = try await UploadedFile.receive(request([big, "", "x"]), at: path, atMost: .mebibytes(2))
            #expect(file.length == ByteCount(1_500_001))
            #expect(FileManager.default.contents(atPath: path) == Data((big + "x").utf8))
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            try await UploadedFile.discard(path)
            #expect(!FileManager.default.fileExists(atPath: path))
            try await UploadedFile.discard(path)
        }
    }

    @Test("an upload beyond the limit leaves nothing, whether announced or not")
    func tooLarge() async throws {
        try await withPath { path in
            for length in ["6", nil] {
                await #expect(throws: RequestRefusal.bodyTooLarge(limit: 5)) {
                    try await UploadedFile.receive(
                        request(["abc", "def"], length: length),
                        at: path,
                        atMost: ByteCount(5)
                    )
                }
                #expect(!FileManager.default.fileExists(atPath: path))
            }
        }
    }

    @Test("an upload that ends early leaves nothing")
    func tooShort() async throws {
        try await withPath { path in
            let error = try await #require(throws: ServiceError.self) {
                try await UploadedFile.receive(request(["abc"], length: "6"), at: path, atMost: ByteCount(9))
            }
            #expect(error.code == .invalidInput)
            #expect(!FileManager.default.fileExists(atPath: path))
        }
    }

    @Test("a place that cannot be written is an error, and a link is not followed")
    func noPlace() async throws {
        let error = try await #require(throws: ServiceError.self) {
            try await UploadedFile.receive(request(["abc"]), at: "/nowhere/at/all", atMost: ByteCount(9))
        }
        #expect(error.code == .unavailable)
        try await withPath { path in
            try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: path + "-target")
            await #expect(throws: ServiceError.self) {
                try await UploadedFile.receive(request(["abc"]), at: path, atMost: ByteCount(9))
            }
            #expect(!FileManager.default.fileExists(atPath: path + "-target"))
        }
    }

    @Test("a file name reaches the client whole, and never breaks the header")
    func disposition() {
        #expect(Response.disposition("a b.raw") == "attachment; filename=\"a_b.raw\"; filename*=UTF-8''a%20b.raw")
        #expect(Response.disposition("ñ\"\r\n.x").hasSuffix("filename*=UTF-8''%C3%B1%22%0D%0A.x"))
        #expect(!Response.disposition("\"\r\n").contains("\r"))
    }
}
