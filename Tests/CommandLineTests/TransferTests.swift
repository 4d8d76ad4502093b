import Foundation
import Glibc
import Testing

@testable import CommandLine

@Suite("files that come and go")
struct TransferTests {
    private static let path = "/api/v2/services/local/demo/snapshots/0d9c5a6e-0000-4000-8000-000000000001/export"
    private static let id = "0d9c5a6e-0000-4000-8000-000000000001"

    /// A folder that is gone afterwards.
    private func withFolder(_ body: (String) async throws -> Void) async throws {
        let folder = NSTemporaryDirectory() + "/instanta-cli-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body(folder)
    }

    private func files(in folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    }

    /// Bytes with a hole of zeros in the middle, and their digest header.
    private static func image() -> (bytes: Data, digest: String) {
        var bytes = Data((0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        bytes.append(Data(repeating: 0, count: 400_000))
        bytes.append(Data("end".utf8))
        var hash = SHA256()
        bytes.withUnsafeBytes { hash.update($0) }
        return (bytes, "sha-256=" + Data(hash.digest()).base64EncodedString())
    }

    private func response(_ body: Data, digest: String? = nil, announced: Int? = nil) -> TestService.Response {
        var headers = ["Content-Type": "application/octet-stream"]
        headers["Digest"] = digest
        return TestService.Response(headers: headers, body: body, announcedLength: announced)
    }

    @Test("an export is whole, checked, and takes no room for zeros")
    func export() async throws {
        let (bytes, digest) = Self.image()
        try await withFolder { folder in
            try await TestService.with(routes: ["GET \(Self.path)": response(bytes, digest: digest)]) { service in
                let file = "\(folder)/a.raw"
                let run = try await service.run("snapshot", "export", Self.id, "--format", "raw", "-o", file)
                #expect(run.status == .done)
                #expect(run.output.isEmpty)
                #expect(run.errors.contains("683.6 KiB"))
                #expect(service.requests.map(\.query) == [["format": "raw"]])
                #expect(service.requests.allSatisfy { $0.headers["mc-api-key"] == "k3y" })
                #expect(try Data(contentsOf: URL(fileURLWithPath: file)) == bytes)
                #expect(try files(in: folder) == ["a.raw"])
                var status = stat()
                #expect(stat(file, &status) == 0)
                #expect(status.st_blocks * 512 < 500_000)
            }
        }
    }

    @Test("an existing file is kept, unless told otherwise")
    func overwriting() async throws {
        try await withFolder { folder in
            try await TestService.with(routes: ["GET \(Self.path)": response(Data("new".utf8))]) { service in
                let file = "\(folder)/a.qcow2"
                try Data("old".utf8).write(to: URL(fileURLWithPath: file))
                let refused = try await service.run("snapshot", "export", Self.id, "-o", file)
                #expect(refused.status == .conflict)
                #expect(service.requests.isEmpty)
                #expect(try String(contentsOfFile: file, encoding: .utf8) == "old")
                let forced = try await service.run("snapshot", "export", Self.id, "-o", file, "--force", "-q")
                #expect(forced.output == "\(Self.id)\n")
                #expect(try String(contentsOfFile: file, encoding: .utf8) == "new")
                #expect(try files(in: folder) == ["a.qcow2"])
            }
        }
    }

    @Test("a cut or damaged download leaves nothing behind")
    func damage() async throws {
        let (bytes, digest) = Self.image()
        let wrong = [
            response(bytes, digest: digest, announced: bytes.count + 10),
            response(bytes.dropLast() + [0x21], digest: digest),
            TestService.Response.error(400, "wrong_state", "It is being deleted."),
        ]
        for response in wrong {
            try await withFolder { folder in
                try await TestService.with(routes: ["GET \(Self.path)": response]) { service in
                    let run = try await service.run("snapshot", "export", Self.id, "-o", "\(folder)/a.qcow2")
                    #expect(run.status != .done)
                    #expect(run.errors.hasPrefix("error: "))
                    #expect(try files(in: folder).isEmpty)
                }
            }
        }
    }

    @Test("a full disk ends an export with a reason, and nothing behind")
    func fullDisk() async throws {
        try await TestService.with(routes: ["GET \(Self.path)": response(Self.image().bytes)]) { service in
            let run = try await service.run("snapshot", "export", Self.id, "-o", "/dev/full/a.qcow2")
            #expect(run.status == .failed)
            #expect(run.errors.contains("cannot be written"))
        }
    }

    @Test("two exports do not write into each other's file")
    func locked() async throws {
        try await withFolder { folder in
            let first = try PartialFile(path: "\(folder)/a", overwrites: false)
            #expect(throws: CommandFailure.self) { try PartialFile(path: "\(folder)/a", overwrites: true) }
            try first.append(Data("1".utf8))
            try first.finish()
            first.abandon()
            #expect(try files(in: folder) == ["a"])
        }
    }

    @Test("an import sends the file as it is")
    func upload() async throws {
        let bytes = Self.image().bytes
        try await withFolder { folder in
            let path = "/api/v2/services/local/demo/templates"
            let answer: JSONValue = ["taskId": "1", "taskStatus": "SUCCESS", "data": ["id": "t", "name": "a b+c"]]
            try await TestService.with(routes: ["POST \(path)": .json(answer)]) { service in
                try bytes.write(to: URL(fileURLWithPath: "\(folder)/a b+c.raw"))
                let run = try await service.run("template", "import", "\(folder)/a b+c.raw", "-q")
                #expect(run.status == .done, "\(run.errors)")
                #expect(run.output == "t\n")
                let request = try #require(service.requests.first)
                #expect(request.body == bytes)
                #expect(request.query == ["operation": "upload", "name": "a b+c", "format": "raw"])
            }
        }
    }

    @Test("an image behind an address is fetched by the service")
    func fetch() async throws {
        let answer: JSONValue = ["taskId": "1", "taskStatus": "SUCCESS", "data": ["id": "t"]]
        let path = "/api/v2/services/local/demo/templates"
        try await TestService.with(routes: ["POST \(path)": .json(answer)]) { service in
            let run = try await service.run("template", "import", "https://images.example.org/d.raw", "--name", "x")
            #expect(run.status == .done)
            let body = try #require(service.requests.first?.json)
            #expect(body["url"] == "https://images.example.org/d.raw")
            #expect(body["format"] == "raw")
            #expect(body["name"] == "x")
        }
    }

    @Test("a file that is not there is said to be missing before anything is sent")
    func missing() async throws {
        try await TestService.with(routes: [:]) { service in
            let run = try await service.run("template", "import", "/nonexistent/a.qcow2")
            #expect(run.status == .notFound)
            #expect(service.requests.isEmpty)
        }
    }
}
