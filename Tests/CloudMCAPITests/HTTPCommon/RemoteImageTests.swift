import Foundation
import HTTPTypes
import Hummingbird
import SnapshotDomain
import Testing

@testable import HTTPCommon

@Suite("Images behind an address", .timeLimit(.minutes(1)))
struct RemoteImageTests {
    private func withImage(
        _ path: String,
        limit: ByteCount = .mebibytes(4),
        reach: RemoteImage.Reach = .anywhere,
        _ body: (RemoteImage) async throws -> Void
    ) async throws {
        let file = NSTemporaryDirectory() + "fetched-\(UUID())"
        defer { try? FileManager.default.removeItem(atPath: file) }
        let router = Router(context: IncomingContext.self)
        router.get("/image") { _, _ in Response.text(Self.content) }
        router.get("/moved") { _, _ in Response(status: .found, headers: [.location: "/image"]) }
        router.get("/circle") { _, _ in Response(status: .found, headers: [.location: "/circle"]) }
        router.get("/inside") { _, _ in Response(status: .found, headers: [.location: "file:///etc/passwd"]) }
        try await TestServer.run(router) { server in
            let url = try #require(URL(string: "http://127.0.0.1:\(server.port)\(path)"))
            try await body(RemoteImage(url: url, path: file, limit: limit, reach: reach))
        }
    }

    private static let content = String(repeating: "0123456789abcdef", count: 100_000)

    @Test("an image is fetched whole, also from where its address redirects to", arguments: ["/image", "/moved"])
    func fetch(_ path: String) async throws {
        try await withImage(path) { image in
            try await image.fetch()
            #expect(FileManager.default.contents(atPath: image.path) == Data(Self.content.utf8))
        }
    }

    @Test(
        "what is no image leaves no file",
        arguments: [
            ("/nothing", ServiceError.Code.invalidInput), ("/circle", .invalidInput), ("/inside", .invalidInput),
        ]
    )
    func refusals(_ path: String, _ code: ServiceError.Code) async throws {
        try await withImage(path) { image in
            let error = try await #require(throws: ServiceError.self) { try await image.fetch() }
            #expect(error.code == code)
            #expect(error.subject == .field("url"))
            #expect(!FileManager.default.fileExists(atPath: image.path))
        }
    }

    @Test("an image beyond the limit leaves no file")
    func tooLarge() async throws {
        try await withImage("/image", limit: ByteCount(1_000)) { image in
            let error = try await #require(throws: ServiceError.self) { try await image.fetch() }
            #expect(error.code == .limitExceeded)
            #expect(!FileManager.default.fileExists(atPath: image.path))
        }
    }

    @Test("nobody but an operator makes the service look inside, or anywhere without a certificate")
    func reach() async throws {
        try await withImage("/image", reach: .publicOnly) { image in
            for text in [
                image.url.absoluteString, "https://127.0.0.1/x", "https://[::1]/x", "https://localhost/x", "https:///x",
            ] {
                var image = image
                image.url = try #require(URL(string: text))
                let error = try await #require(throws: ServiceError.self) { try await image.fetch() }
                #expect(error.code == .invalidInput, "\(text)")
                #expect(!FileManager.default.fileExists(atPath: image.path))
            }
        }
    }

    @Test("nobody listening is told as such")
    func nobody() async throws {
        try await withImage("/image") { image in
            var image = image
            image.url = try #require(URL(string: "http://127.0.0.1:1/x"))
            let error = try await #require(throws: ServiceError.self) { try await image.fetch() }
            #expect(error.code == .unavailable)
        }
    }

    @Test("public addresses are told from all others, at both ends of every range")
    func addresses() {
        let closed: [[UInt8]] = [
            [0, 0, 0, 0], [10, 0, 0, 1], [10, 255, 255, 255], [100, 64, 0, 0], [100, 127, 255, 255], [127, 0, 0, 1],
            [169, 254, 169, 254], [172, 16, 0, 0], [172, 31, 255, 255], [192, 168, 1, 1], [198, 18, 0, 0],
            [198, 19, 255, 255], [224, 0, 0, 1], [239, 255, 255, 255], [240, 0, 0, 0], [255, 255, 255, 255],
        ]
        let open: [[UInt8]] = [
            [1, 1, 1, 1], [9, 255, 255, 255], [11, 0, 0, 0], [100, 63, 255, 255], [100, 128, 0, 0],
            [172, 15, 255, 255],
            [172, 32, 0, 0], [192, 167, 255, 255], [198, 17, 255, 255], [198, 20, 0, 0], [223, 255, 255, 255],
        ]
        #expect(closed.allSatisfy { !HostAddresses.isPublic($0) })
        #expect(open.allSatisfy { HostAddresses.isPublic($0) })

        func v6(_ head: [UInt8]) -> [UInt8] { head + [UInt8](repeating: 1, count: 16 - head.count) }
        let mapped = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF, 127, 0, 0, 1]
        let closedV6 = [
            [UInt8](repeating: 0, count: 15) + [1], mapped, v6([0xFE, 0x80]), v6([0xFC]), v6([0xFF, 0x02]),
            v6([0x20, 0x01, 0x0D, 0xB8]), v6([0x20, 0x02]), v6([0x20, 0x01, 0x00, 0x00]), v6([0x00, 0x64, 0xFF, 0x9B]),
        ]
        #expect(closedV6.allSatisfy { !HostAddresses.isPublic($0) })
        #expect(HostAddresses.isPublic(v6([0x26, 0x06, 0x47, 0x00])))
        #expect(!HostAddresses(addresses: [[1, 1, 1, 1], [10, 0, 0, 1]]).isPublic)
        #expect(!HostAddresses(addresses: []).isPublic)
    }
}
