import Foundation
import Glibc
import NIOPosix
import Platform
import Testing

@testable import QEMU

@Suite("Storage daemon")
struct StorageDaemonTests {
    @Test("starts once for all who ask at the same time")
    func startsOnce() async throws {
        try await withStorageDaemon { daemon, _ in
            #expect(await daemon.pid == nil)
            let clients = try await withThrowingTaskGroup(of: ObjectIdentifier.self) { group in
                for _ in 0..<10 { group.addTask { ObjectIdentifier(try await daemon.client()) } }
                return try await group.reduce(into: Set()) { $0.insert($1) }
            }
            // An identifier is one only while its object lives; the daemon keeps it.
            #expect(clients.count == 1)
            #expect(await daemon.pid != nil)
        }
    }

    @Test("after its death what was under way is unknown, and the next request starts another")
    func restarts() async throws {
        try await withStorageDaemon { daemon, _ in
            let client = try await daemon.client()
            let pid = try #require(await daemon.pid)
            kill(pid, SIGSTOP)
            let underWay = Task { try await client.execute("query-named-block-nodes") }
            try await until("the command is sent") { client.commandsUnderWay == 1 }
            kill(pid, SIGKILL)
            let lost = try await fault { _ = try await underWay.value }
            #expect(lost.code == .closed)
            #expect(lost.outcome == .unknown)

            let next = try await daemon.client()
            #expect(next !== client)
            let nextPID = try #require(await daemon.pid)
            #expect(nextPID != pid)
            let nodes = try await next.execute("query-named-block-nodes")
            #expect(nodes == [])
            // The first was collected: its number is free.
            #expect(kill(pid, 0) == -1)
        }
    }

    @Test("ends what an earlier run left behind, before it opens anything")
    func leftover() async throws {
        try await withTemporaryDirectory { directory in
            let earlier = StorageDaemon(directory: directory, group: Shared.group, pool: Shared.pool)
            let lost = try await earlier.client()
            let later = StorageDaemon(directory: directory, group: Shared.group, pool: Shared.pool)
            let client = try await later.client()
            #expect(await lost.closed.value().code == .closed)
            let nodes = try await client.execute("query-named-block-nodes")
            #expect(nodes == [])
            await later.shutdown()
            await earlier.shutdown()
        }
    }

    @Test("works in a directory whose name has a comma")
    func comma() async throws {
        try await withTemporaryDirectory { directory in
            let daemon = StorageDaemon(directory: "\(directory)/a,b=c d", group: Shared.group, pool: Shared.pool)
            let client = try await daemon.client()
            let nodes = try await client.execute("query-named-block-nodes")
            #expect(nodes == [])
            await daemon.shutdown()
        }
    }

    @Test("says what went wrong when it cannot be started")
    func cannotStart() async throws {
        try await withTemporaryDirectory { directory in
            let script = "\(directory)/broken"
            try Data("#!/bin/sh\necho 'no such luck' >&2; exit 1\n".utf8).write(to: URL(fileURLWithPath: script))
            chmod(script, 0o755)
            let daemon = StorageDaemon(
                directory: "\(directory)/run",
                program: script,
                group: Shared.group,
                pool: Shared.pool
            )
            let fault = try await fault { _ = try await daemon.client() }
            #expect(fault.code == .unreachable)
            #expect(fault.outcome == .notDone)
            #expect(fault.message.hasSuffix("(no such luck)"))
            await daemon.shutdown()
        }
    }

    @Test("shutting down ends the process, and refuses further requests")
    func shutdown() async throws {
        try await withTemporaryDirectory { directory in
            let daemon = StorageDaemon(directory: directory, group: Shared.group, pool: Shared.pool)
            _ = try await daemon.client()
            let pid = try #require(await daemon.pid)
            await daemon.shutdown()
            #expect(kill(pid, 0) == -1)
            let fault = try await fault { _ = try await daemon.client() }
            #expect(fault.code == .closed)
            await daemon.shutdown()
        }
    }
}
