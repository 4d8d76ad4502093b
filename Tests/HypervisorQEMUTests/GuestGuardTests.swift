import Foundation
import Glibc
import Platform
import QEMU
import SnapshotPorts
import Synchronization
import Testing

@testable import HypervisorQEMU

/// Whether the program that runs the guard was built; a missing one is an error where everything has to be there.
enum GuardProgram {
    static let isThere =
        FileManager.default.isExecutableFile(atPath: Shared.executable)
        || ProcessInfo.processInfo.environment["CI"] != nil
    static let reason: Comment =
        "the program 'instanta' is not beside the tests; build it, or name it in INSTANTA_EXECUTABLE"
}

/// What a guard says, word by word.
struct GuardWords {
    let process: ChildProcess

    func nextLine() async throws -> String {
        let line = await process.lines.first { _ in true }
        return try #require(line, "the guard ended without another word")
    }

    func next() async throws -> GuestGuard.Word {
        let line = try await nextLine()
        return try #require(GuestGuard.Word(line), "not a word of the guard: \(line)")
    }
}

struct UnexpectedWord: Error {}

@Suite("The guard of a guest", .enabled(if: GuardProgram.isThere, GuardProgram.reason), .timeLimit(.minutes(2)))
struct GuestGuardTests {
    private static let whole = ["guest-ping", "guest-fsfreeze-freeze", "guest-fsfreeze-thaw", "guest-fsfreeze-status"]

    /// Runs a guard for as long as `body` does.
    private func withGuard(
        _ agent: FakeAgent,
        milliseconds: Int,
        _ body: (ChildProcess, GuardWords) async throws -> Void
    ) async throws {
        let options = ["guest-guard", "--agent", agent.path, "--milliseconds", "\(milliseconds)"]
        let child = try await ChildProcess.start(Spawn(Shared.executable, options, input: .pipe, output: .lines))
        defer { child.signal(SIGKILL) }
        try await body(child, GuardWords(process: child))
    }

    @Test("thaws when it is asked, and tells how long it took")
    func asked() async throws {
        try await withFakeAgent { agent in
            try await withGuard(agent, milliseconds: 60_000) { child, words in
                #expect(try await words.next() == .held(count: 2))
                #expect(agent.isFrozen)
                child.send(Data("release\n".utf8))
                guard case .released(let thaw) = try await words.next() else { throw UnexpectedWord() }
                #expect(thaw.reason == .asked)
                #expect(thaw.count == 2)
                #expect(!agent.isFrozen)
                #expect(await child.wait(within: Shared.limit) == .exited(0))
                #expect(agent.commands == Self.whole)
            }
        }
    }

    @Test("thaws at the deadline when the owner hangs")
    func deadline() async throws {
        try await withFakeAgent { agent in
            try await withGuard(agent, milliseconds: 100) { child, words in
                #expect(try await words.next() == .held(count: 2))
                guard case .released(let thaw) = try await words.next() else { throw UnexpectedWord() }
                #expect(thaw.reason == .deadline)
                #expect(!agent.isFrozen)
                #expect(await child.wait(within: Shared.limit) == .exited(0))
            }
        }
    }

    @Test("thaws at once when its owner is killed")
    func ownerKilled() async throws {
        try await withFakeAgent { agent in
            // The owner is the process at the other end of the guard's standard input.
            let script = "(echo owner $BASHPID; exec sleep 600) | { read -r line; echo \"$line\"; exec \"$@\"; }"
            let options = ["guest-guard", "--agent", agent.path, "--milliseconds", "600000"]
            let child = try await ChildProcess.start(
                Spawn("bash", ["-c", script, "bash", Shared.executable] + options, output: .lines)
            )
            defer { child.signal(SIGKILL) }
            let words = GuardWords(process: child)
            let owner = try #require(pid_t(try await words.nextLine().split(separator: " ").last ?? ""))
            #expect(try await words.next() == .held(count: 2))
            kill(owner, SIGKILL)
            guard case .released(let thaw) = try await words.next() else { throw UnexpectedWord() }
            #expect(thaw.reason == .ownerGone)
            #expect(!agent.isFrozen)
        }
    }

    @Test("no signal but SIGKILL ends it", arguments: [SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1])
    func signals(_ number: Int32) async throws {
        try await withFakeAgent { agent in
            try await withGuard(agent, milliseconds: 60_000) { child, words in
                #expect(try await words.next() == .held(count: 2))
                child.signal(number)
                child.send(Data("release\n".utf8))
                guard case .released(let thaw) = try await words.next() else { throw UnexpectedWord() }
                #expect(thaw.reason == .asked)
            }
        }
    }

    @Test("an agent that refuses is quoted, and thawed all the same")
    func refused() async throws {
        let script: FakeAgent.Script = { command, agent in
            command == "guest-fsfreeze-freeze" ? .refuse("frozen\nalready") : FakeAgent.wellBehaved(command, agent)
        }
        try await withFakeAgent(script) { agent in
            try await withGuard(agent, milliseconds: 60_000) { child, words in
                let word = try await words.next()
                #expect(word == .refused(reason: "frozen already"))
                #expect(await child.wait(within: Shared.limit) == .exited(0))
                #expect(agent.commands == Self.whole)
            }
        }
    }

    @Test("a guest in which nothing can be frozen counts as one that refused")
    func nothingFrozen() async throws {
        let script: FakeAgent.Script = { command, agent in
            command == "guest-fsfreeze-freeze" ? .answer(0) : FakeAgent.wellBehaved(command, agent)
        }
        try await withFakeAgent(script) { agent in
            try await withGuard(agent, milliseconds: 60_000) { _, words in
                guard case .refused = try await words.next() else { throw UnexpectedWord() }
            }
        }
    }

    @Test("an agent that says nothing is not asked to freeze")
    func silent() async throws {
        try await withFakeAgent({ _, _ in .ignore }) { agent in
            try await withGuard(agent, milliseconds: 60_000) { child, words in
                guard case .silent = try await words.next() else { throw UnexpectedWord() }
                #expect(await child.wait(within: Shared.limit) == .exited(0))
                #expect(agent.commands == ["guest-ping"])
            }
        }
    }

    @Test("a freeze that takes too long is taken back")
    func slowFreeze() async throws {
        let script: FakeAgent.Script = { command, agent in
            if command == "guest-fsfreeze-freeze" {
                agent.setFrozen(2)
                return .ignore
            }
            return FakeAgent.wellBehaved(command, agent)
        }
        try await withFakeAgent(script) { agent in
            try await withGuard(agent, milliseconds: 50) { _, words in
                guard case .released(let thaw) = try await words.next() else { throw UnexpectedWord() }
                #expect(thaw.reason == .deadline)
                #expect(!agent.isFrozen)
            }
        }
    }

    @Test("goes on trying until the agent confirms", arguments: [FakeAgent.Reaction.hangUp, .refuse("not now")])
    func stubborn(_ trouble: FakeAgent.Reaction) async throws {
        let troubles = Mutex(3)
        let script: FakeAgent.Script = { command, agent in
            let isTroubled =
                command == "guest-fsfreeze-thaw"
                && troubles.withLock { left in
                    left -= 1
                    return left >= 0
                }
            return isTroubled ? trouble : FakeAgent.wellBehaved(command, agent)
        }
        try await withFakeAgent(script) { agent in
            try await withGuard(agent, milliseconds: 60_000) { child, words in
                #expect(try await words.next() == .held(count: 2))
                child.send(Data("release\n".utf8))
                for _ in 1...2 {
                    guard case .struggling = try await words.next() else { throw UnexpectedWord() }
                }
                guard case .released = try await words.next() else { throw UnexpectedWord() }
                #expect(!agent.isFrozen)
                #expect(agent.commands.count { $0 == "guest-fsfreeze-thaw" } == 4)
            }
        }
    }

    @Test("a machine that ended while it was frozen needs no thaw")
    func machineGone() async throws {
        try await withFakeAgent { agent in
            try await withGuard(agent, milliseconds: 60_000) { child, words in
                #expect(try await words.next() == .held(count: 2))
                await agent.close()
                child.send(Data("release\n".utf8))
                guard case .released(let thaw) = try await words.next() else { throw UnexpectedWord() }
                #expect(thaw.reason == .machineGone)
                #expect(await child.wait(within: Shared.limit) == .exited(0))
            }
        }
    }

    // MARK: The service's side

    private func begin(_ agent: FakeAgent, milliseconds: Int) async throws -> GuardedHold {
        try await GuardedHold.begin(
            .fileSystems(
                GuestAgent(path: agent.path, group: Shared.group),
                socket: agent.path,
                logger: Shared.logger
            ),
            command: Shared.guardCommand,
            limit: .milliseconds(milliseconds),
            pass: try #require(await Turnstile().pass(within: .zero)),
            logger: Shared.logger
        )
    }

    @Test("a freeze that was held is reported as held, once")
    func held() async throws {
        try await withFakeAgent { agent in
            let lease = try await begin(agent, milliseconds: 60_000)
            #expect(agent.isFrozen)
            async let first = lease.thaw()
            async let second = lease.thaw()
            let reports = await [first, second]
            #expect(!agent.isFrozen)
            #expect(reports[0].heldThroughout)
            #expect(reports[0] == reports[1])
            #expect(agent.commands == Self.whole)
        }
    }

    @Test("a freeze that its deadline ended is not reported as held")
    func missed() async throws {
        try await withFakeAgent { agent in
            let lease = try await begin(agent, milliseconds: 50)
            try await until("the deadline ends the freeze") { !agent.isFrozen }
            let report = await lease.thaw()
            #expect(!report.heldThroughout)
            #expect(report.answer.contains("deadline"))
        }
    }

    @Test("a guest that thawed by itself is not reported as held")
    func selfThawed() async throws {
        try await withFakeAgent { agent in
            let lease = try await begin(agent, milliseconds: 60_000)
            agent.setFrozen(0)
            #expect(await !lease.thaw().heldThroughout)
        }
    }

    @Test("a guest that does not thaw is left to its guard, which goes on trying", .timeLimit(.minutes(2)))
    func doesNotThaw() async throws {
        let isStuck = Mutex(true)
        let script: FakeAgent.Script = { command, agent in
            command == "guest-fsfreeze-thaw" && isStuck.withLock(\.self)
                ? .refuse("not now") : FakeAgent.wellBehaved(command, agent)
        }
        try await withFakeAgent(script) { agent in
            let lease = try await begin(agent, milliseconds: 60_000)
            let report = await lease.thaw()
            #expect(!report.heldThroughout)
            #expect(report.answer.contains("goes on trying"))
            #expect(agent.isFrozen)
            isStuck.withLock { $0 = false }
            #expect(await lease.process.wait(within: Shared.limit) == .exited(0))
            #expect(!agent.isFrozen)
        }
    }

    @Test("when the guard is killed, the service thaws the guest and does not claim that the freeze held")
    func guardKilled() async throws {
        try await withFakeAgent { agent in
            let lease = try await begin(agent, milliseconds: 60_000)
            lease.process.signal(SIGKILL)
            _ = await lease.process.wait()
            #expect(agent.isFrozen)
            let report = await lease.thaw()
            #expect(!report.heldThroughout)
            #expect(!agent.isFrozen)
        }
    }

    @Test("a cancelled freeze leaves a guest that runs")
    func cancelled() async throws {
        let isAsked = Eventual<Void>()
        let script: FakeAgent.Script = { command, agent in
            if command == "guest-fsfreeze-freeze" { isAsked.settle(()) }
            return FakeAgent.wellBehaved(command, agent)
        }
        try await withFakeAgent(script) { agent in
            let freezing = Task { try await begin(agent, milliseconds: 60_000) }
            await isAsked.value()
            freezing.cancel()
            switch await freezing.result {
            case .success(let lease): #expect(await lease.thaw().milliseconds >= 0)
            case .failure(let error): #expect((error as? HypervisorFault)?.code == .cancelled)
            }
            #expect(!agent.isFrozen)
        }
    }

    @Test("without a guard nothing is frozen")
    func noGuard() async throws {
        try await withFakeAgent { agent in
            let fault = try await fault {
                _ = try await GuardedHold.begin(
                    .fileSystems(
                        GuestAgent(path: agent.path, group: Shared.group),
                        socket: agent.path,
                        logger: Shared.logger
                    ),
                    command: ["/no/such/instanta"],
                    limit: .seconds(1),
                    pass: try #require(await Turnstile().pass(within: .zero)),
                    logger: Shared.logger
                )
            }
            #expect(fault.code == .unavailable)
            #expect(agent.commands.isEmpty)
        }
    }

    @Test(
        "every word of the guard is read as it was written",
        arguments: [
            GuestGuard.Word.held(count: 3), .refused(reason: "no room"), .silent(reason: "nobody is there"),
            .struggling(reason: "not now"),
            .released(.init(reason: .deadline, milliseconds: 12, count: 1)),
            .released(.init(reason: .machineGone, milliseconds: 0, count: 0)),
        ]
    )
    func words(_ word: GuestGuard.Word) {
        #expect(GuestGuard.Word(word.line) == word)
    }

    @Test(
        "what the guard never says is not read",
        arguments: ["", "held", "held x", "released 1 why 2", "hello you"]
    )
    func foreignWords(_ line: String) {
        #expect(GuestGuard.Word(line) == nil)
    }
}
