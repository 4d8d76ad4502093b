import CommandLine
import Foundation
import Platform
import Testing

/// A pool on a folder of its own, through the shipped program: not there yet, there, gone, and back.
@Suite("a pool of the configuration", .enabled(if: Program.isThere))
struct PoolTests {
    private struct PoolAnswer: Decodable {
        var id: String
        var state: String
        var trouble: String?
    }

    private struct VolumeOfPool: Decodable {
        struct Failure: Decodable {
            var message: String
        }

        var state: String
        var poolId: String
        var error: Failure?
    }

    @Test("it is down without its folder, up with it, and loses nothing when the folder is away")
    func comesAndGoes() async throws {
        let root = "\(NSTemporaryDirectory())/e2e-\(RandomName.make(length: 8))".replacing("//", with: "/")
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: root) }
        let folder = "\(root)/disk"
        try Data("[[pools]]\nname = \"fast\"\nkind = \"qcow2\"\npath = \"\(folder)\"\n".utf8)
            .write(to: URL(fileURLWithPath: "\(root)/settings.toml"))

        try await serving(root) { service in
            let down = try await service.pool("fast")
            #expect(down.state == "down")
            #expect(down.trouble?.contains(folder) == true, "\(down)")
            #expect(try await service.pool("local").state == "ready")
            let refused = try await service.run("volume", "create", "lost", "--size", "1G", "--pool", "fast")
            #expect(refused.ended(.unreachable), "\(refused)")
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
            try await service.waitFor("fast", toBe: "ready")
            let check = try await service.run("pool", "check", "fast")
            #expect(check.ended(.done), "\(check)")
            let made = try await service.run("volume", "create", "kept", "--size", "1G", "--pool", "fast")
            #expect(made.ended(.done), "\(made)")
        }
        // An empty folder where the disk should be mounted.
        try FileManager.default.moveItem(atPath: folder, toPath: "\(root)/elsewhere")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        try await serving(root) { service in
            #expect(try await service.pool("fast").trouble?.contains("Mount its disk") == true)
            let volume = try await service.volume("kept")
            #expect(volume.state == "Ready")
            #expect(volume.error?.message.contains(folder) == true)
            try FileManager.default.removeItem(atPath: folder)
            try FileManager.default.moveItem(atPath: "\(root)/elsewhere", toPath: folder)
            try await service.waitFor("fast", toBe: "ready")
            let shown = try await service.volume("kept")
            #expect(shown.error == nil)
            let moved = try await service.run("volume", "move", "kept", "--pool", "local")
            #expect(moved.ended(.done), "\(moved)")
            #expect(try await service.volume("kept").poolId == "local")
        }
        // Another service would take the layers for strangers.
        try await serving(root, data: "other") { service in
            let strange = try await service.pool("fast")
            #expect(strange.trouble?.contains("another service") == true)
        }
    }

    private struct Running: Sendable {
        let credentials: String

        func run(_ words: String...) async throws -> ProgramRun {
            try await Program.run(words + ["--credentials", credentials])
        }

        func pool(_ name: String) async throws -> PoolAnswer {
            let run = try await run("pool", "show", name, "--format", "json")
            try #require(run.ended(.done), "\(run)")
            return try run.decode(PoolAnswer.self)
        }

        func volume(_ name: String) async throws -> VolumeOfPool {
            let run = try await run("volume", "show", name, "--format", "json")
            try #require(run.ended(.done), "\(run)")
            return try run.decode(VolumeOfPool.self)
        }

        func waitFor(_ name: String, toBe state: String) async throws {
            _ = try await until("the pool '\(name)' is \(state)") {
                try await pool(name).state == state ? true : nil
            }
        }
    }

    private func serving(_ root: String, data: String = "data", _ body: (Running) async throws -> Void) async throws {
        let service = try await ChildProcess.start(
            Spawn(
                Program.path,
                [
                    "serve", "--data-dir", "\(root)/\(data)", "--listen", "127.0.0.1:0", "--config",
                    "\(root)/settings.toml",
                ],
                output: .lines,
                errors: .file("\(root)/service.log"),
                endsWithParent: true
            )
        )
        let result: Result<Void, any Error>
        do {
            for await line in service.lines where line.contains("URL ") { break }
            try await body(Running(credentials: "\(root)/\(data)/credentials.json"))
            result = .success(())
        } catch {
            result = .failure(error)
        }
        await service.terminate(grace: .seconds(20))
        try result.get()
    }
}
