import CommandLine
import Foundation
import Glibc
import Platform
import Testing

/// Hosts that let the service down: each refusal says what to do, and when the host is mended all goes on.
@Suite("the program on a host that lets it down", .enabled(if: Program.isThere, "the program is not built"))
struct HostTests {
    @Test(
        "a full disk refuses changes and shows what there is; with room again, changes go on",
        .enabled(if: SmallDisk.isAllowed, "mounting a small disk is not allowed")
    )
    func fullDisk() async throws {
        try await SmallDisk.with(megabytes: 160) { folder in
            try await PlainService.with(data: "\(folder)/data") { service in
                try await service.done("volume", "create", "disk", "--size", "1G")
                try await service.done("snapshot", "create", "--volume", "disk", "--name", "before")
                // First less than what is kept in reserve, then nothing.
                for (room, word) in [(30 << 20, "reserve"), (0, "full")] {
                    let filler = "\(folder)/filler"
                    try fill(filler, leaving: room, of: folder)
                    for words in [
                        ["snapshot", "create", "--volume", "disk", "--name", "never-\(word)"],
                        ["volume", "create", "none", "--from-snapshot", "before"],
                    ] {
                        let run = try await service.run(words)
                        #expect(run.ended(.failed), "\(run)")
                        #expect(run.errors.contains(word), "\(run)")
                    }
                    let shown = try await service.done("snapshot", "list").output
                    #expect(shown.contains("before"))
                    #expect(try await service.done("volume", "list").output.contains("Ready"))
                    try FileManager.default.removeItem(atPath: filler)
                }
                try await service.done("snapshot", "create", "--volume", "disk", "--name", "after")
                try await service.done("volume", "create", "copy", "--from-snapshot", "before")
                let volumes = try await service.done("volume", "list", "--quiet").output
                #expect(volumes.split(separator: "\n").count == 2, "\(volumes)")
            }
        }
    }

    @Test("a QEMU that does not work is named with the remedy, and everything without a machine goes on")
    func brokenQEMU() async throws {
        let folder = "\(NSTemporaryDirectory())/e2e-\(RandomName.make(length: 8))".replacing("//", with: "/")
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let programs = "\(folder)/programs"
        try FileManager.default.createDirectory(atPath: programs, withIntermediateDirectories: true)
        let broken = "\(programs)/qemu-system-x86_64"
        try Data("#!/bin/sh\nexit 1\n".utf8).write(to: URL(fileURLWithPath: broken))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: broken)
        let image = "\(folder)/disk.raw"
        try Data(repeating: 0x5A, count: 1 << 20).write(to: URL(fileURLWithPath: image))
        let path = Spawn.minimalEnvironment["PATH"] ?? "/usr/bin"

        try await PlainService.with(data: "\(folder)/data", environment: ["PATH": "\(programs):\(path)"]) { service in
            try await service.done("template", "import", image, "--format", "raw", "--name", "plain")
            try await service.done("instance", "create", "box", "--template", "plain", "--no-start")
            let start = try await service.run(["instance", "start", "box"])
            #expect(start.ended(.failed) || start.ended(.unreachable), "\(start)")
            #expect(start.errors.contains("install"), "\(start)")
            #expect(try await service.done("instance", "list").output.contains("Stopped"))
            // What needs no machine works as ever.
            try await service.done("snapshot", "create", "--instance", "box", "--name", "kept")
            try await service.done("instance", "delete", "box", "--yes")
        }
    }

    private func fill(_ path: String, leaving room: Int, of folder: String) throws {
        try Data().write(to: URL(fileURLWithPath: path))
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        defer { try? file.close() }
        for length in [1 << 20, 1 << 12] {
            while try SmallDisk.free(at: folder) >= room + length {
                try file.write(contentsOf: Data(repeating: 1, count: length))
            }
        }
    }
}

/// A file system of some megabytes, which needs the right to mount one.
private enum SmallDisk {
    static let isAllowed: Bool = {
        let path = "\(NSTemporaryDirectory())/e2e-probe-\(getpid())"
        guard mkdir(path, 0o700) == 0 else { return false }
        defer { rmdir(path) }
        guard mount("tmpfs", path, "tmpfs", 0, "size=1m") == 0 else { return false }
        umount(path)
        return true
    }()

    static func with(megabytes: Int, _ body: (String) async throws -> Void) async throws {
        let folder = "\(NSTemporaryDirectory())/e2e-\(RandomName.make(length: 8))".replacing("//", with: "/")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try #require(mount("tmpfs", folder, "tmpfs", 0, "size=\(megabytes)m") == 0)
        defer { umount2(folder, Int32(MNT_DETACH)) }
        try await body(folder)
    }

    static func free(at folder: String) throws -> Int {
        var status = statvfs()
        try #require(statvfs(folder, &status) == 0)
        return Int(status.f_bavail) * Int(status.f_frsize)
    }
}
