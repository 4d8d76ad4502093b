import Foundation
import Glibc
import NIOPosix
import Platform
import Testing

@testable import QEMU

@Suite("Guest agent, with a peer that follows a script")
struct GuestAgentTests {
    private func agent(_ path: String) -> GuestAgent {
        GuestAgent(path: path, group: Shared.group)
    }

    /// Answers a synchronisation with its id, after the byte that ends what came before.
    private static let synchronise = ScriptedServer.Step.receiveLine { line in
        let request = line.drop { $0 != "{" }
        let id = (try? JSONValue(parsing: Data(request.utf8)))?["arguments"]?["id"]?.text ?? "0"
        return Data([0xFF]) + Data("{\"return\": \(id)}\n".utf8)
    }

    private static func answer(_ line: String) -> ScriptedServer.Step {
        .receiveLine { _ in Data("\(line)\n".utf8) }
    }

    @Test("passes over what earlier callers left in the channel")
    func stale() async throws {
        let script: [ScriptedServer.Step] = [
            .line(#"{"return": 4711}"#), .line(#"{"error": {"class": "GenericError", "desc": "late"}}"#),
            .line("half a li"),
            Self.synchronise, Self.answer(#"{"return": "frozen"}"#),
        ]
        try await ScriptedServer.serve(script) { path in
            let status = try await agent(path).freezeStatus()
            #expect(status == .frozen)
        }
    }

    @Test("a guest in which nobody listens is unresponsive, and nothing was done")
    func unresponsive() async throws {
        try await ScriptedServer.serve([]) { path in
            let fault = try await fault(GuestAgentFault.self) { try await agent(path).ping(timeout: .milliseconds(20)) }
            #expect(fault.code == .unresponsive)
            #expect(fault.outcome == .notDone)
        }
    }

    @Test("a freeze that is not answered in time may have happened")
    func lateFreeze() async throws {
        try await ScriptedServer.serve([Self.synchronise]) { path in
            let fault = try await fault(GuestAgentFault.self) {
                // Long enough for the first step on a busy machine; the second never ends.
                _ = try await agent(path).freeze(timeout: .seconds(3))
            }
            #expect(fault.code == .timedOut)
            #expect(fault.outcome == .unknown)
        }
    }

    @Test("a freeze whose caller goes away may have happened")
    func cancelledFreeze() async throws {
        let arrived = Eventual<Void>()
        let freeze = ScriptedServer.Step.receiveLine { _ in
            arrived.settle(())
            return Data()
        }
        try await ScriptedServer.serve([Self.synchronise, freeze]) { path in
            let task = Task { try await agent(path).freeze(timeout: .seconds(3600)) }
            await arrived.value()
            task.cancel()
            let fault = try await fault(GuestAgentFault.self) { _ = try await task.value }
            #expect(fault.code == .cancelled)
            #expect(fault.outcome == .unknown)
        }
    }

    @Test("a refusal has the agent's class and words")
    func refused() async throws {
        let refusal =
            #"{"error": {"class": "CommandNotFound", "desc": "Command guest-fsfreeze-freeze has been disabled"}}"#
        try await ScriptedServer.serve([Self.synchronise, Self.answer(refusal)]) { path in
            let fault = try await fault(GuestAgentFault.self) {
                _ = try await agent(path).freeze(timeout: Shared.limit)
            }
            #expect(fault.code == .refused("CommandNotFound"))
            #expect(fault.outcome == .notDone)
            #expect(fault.message.hasSuffix("has been disabled"))
        }
    }

    @Test("a guest that goes away during a command leaves its outcome unknown")
    func goesAway() async throws {
        try await ScriptedServer.serve([Self.synchronise, Self.answer("{"), .close]) { path in
            let fault = try await fault(GuestAgentFault.self) { try await agent(path).thaw() }
            #expect(fault.code == .protocolViolation)
            #expect(fault.outcome == .unknown)
        }
    }

    @Test("a guest that goes away when told to shut down has done as it was told")
    func shutdown() async throws {
        try await ScriptedServer.serve([Self.synchronise, .receiveLine { _ in Data() }, .close]) { path in
            try await agent(path).shutdown()
        }
    }

    @Test("a cancelled caller does not wait")
    func cancelled() async throws {
        try await ScriptedServer.serve([]) { path in
            let task = Task { try await agent(path).ping(timeout: .seconds(3600)) }
            task.cancel()
            let fault = try await fault(GuestAgentFault.self) { try await task.value }
            #expect(fault.code == .cancelled)
            #expect(fault.outcome == .notDone)
        }
    }

    @Test("a machine without an agent's socket is unreachable")
    func unreachable() async throws {
        try await withTemporaryDirectory { directory in
            let fault = try await fault(GuestAgentFault.self) { try await agent("\(directory)/none").ping() }
            #expect(fault.code == .unreachable)
            #expect(fault.outcome == .notDone)
        }
    }
}

@Suite("Guest agent, with the real one", .enabled(if: RealAgent.program != nil, "qemu-ga is not installed"))
struct RealGuestAgentTests {
    @Test("tells what it is, and runs programs")
    func everything() async throws {
        try await RealAgent.run { agent in
            let (version, commands) = try await agent.describe()
            #expect(!version.isEmpty)
            #expect(commands.contains("guest-exec"))
            #expect(!commands.contains("guest-fsfreeze-freeze"))
            try await agent.ping()
            let interfaces = try await agent.networkInterfaces()
            #expect(interfaces.contains { $0.name == "lo" && $0.addresses.contains("127.0.0.1") })

            let result = try await agent.run("/bin/sh", ["-c", "cat; echo err >&2; exit 3"], input: Data("in".utf8))
            #expect(result.exitCode == 3)
            #expect(result.output == Data("in".utf8))
            #expect(result.errors == Data("err\n".utf8))
            let fault = try await fault(GuestAgentFault.self) { _ = try await agent.run("/no/such/program") }
            #expect(fault.code == .refused("GenericError"))
        }
    }

    @Test("many callers at once get their own answers")
    func concurrent() async throws {
        try await RealAgent.run { agent in
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<8 {
                    group.addTask {
                        let result = try await agent.run("/bin/echo", ["\(number)"])
                        return result.output == Data("\(number)\n".utf8)
                    }
                }
                for try await isRight in group { #expect(isRight) }
            }
        }
    }
}

/// The agent that guests run, on this machine and forbidden to freeze it.
private enum RealAgent {
    static let program: String? = {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let candidates = (path.split(separator: ":").map(String.init) + ["/usr/sbin"]).map { "\($0)/qemu-ga" }
        return candidates.first { FileManager.default.isExecutableFile(atPath: $0) }
    }()

    static func run(_ body: (GuestAgent) async throws -> Void) async throws {
        try await withTemporaryDirectory { directory in
            let socket = "\(directory)/agent"
            let denied =
                "guest-fsfreeze-freeze,guest-fsfreeze-freeze-list,guest-shutdown,guest-suspend-ram,guest-suspend-disk,"
                + "guest-suspend-hybrid,guest-set-time,guest-set-user-password,guest-fstrim"
            let process = try await ChildProcess.start(
                Spawn(
                    program ?? "qemu-ga",
                    ["-m", "unix-listen", "-p", socket, "-t", directory, "-b", denied],
                    output: .discard,
                    errors: .discard,
                    endsWithParent: true
                )
            )
            let result: Result<Void, any Error>
            do {
                try await until("the agent listens") { FileManager.default.fileExists(atPath: socket) }
                result = .success(try await body(GuestAgent(path: socket, group: Shared.group)))
            } catch {
                result = .failure(error)
            }
            await process.terminate(grace: .seconds(5))
            try result.get()
        }
    }
}
