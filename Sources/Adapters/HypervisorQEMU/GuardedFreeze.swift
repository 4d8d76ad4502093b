import Foundation
import Glibc
import Logging
import Platform
import QEMU
import SnapshotPorts
import Synchronization

/// A frozen guest, and the guard process that thaws it at the deadline whatever becomes of us.
///
/// The guard's standard input is the life line: a line ends the freeze, and so does our end. See ``FreezeGuard``.
final class GuardedFreeze: FreezeLease {
    /// The guard.
    let process: ChildProcess
    private let agent: GuestAgent
    private let pass: TurnPass
    private let frozenAt: ContinuousClock.Instant
    private let fileSystems: Int
    private let logger: Logger
    private let report = Mutex<FreezeReport?>(nil)
    private let thawing = Turnstile()

    private init(
        _ process: ChildProcess,
        _ agent: GuestAgent,
        _ pass: TurnPass,
        fileSystems: Int,
        logger: Logger
    ) {
        self.process = process
        self.agent = agent
        self.pass = pass
        self.fileSystems = fileSystems
        self.logger = logger
        frozenAt = .now
    }

    /// Starts a guard and waits until it has frozen the guest.
    ///
    /// - Parameters:
    ///   - command: The command that runs the guard.
    ///   - agent: The agent, should the guard die.
    ///   - socket: The agent's channel, for the guard.
    ///   - limit: The longest freeze.
    ///   - pass: The turn with the agent, kept until the guest is thawed.
    ///   - logger: Told when a guard fails.
    /// - Returns: The freeze, which the caller ends.
    /// - Throws: `guestUnresponsive` or `guestRefused`; the guest is not frozen then, unless the outcome
    ///   is `unknown`. `unavailable` without a guard.
    static func begin(
        command: [String],
        agent: GuestAgent,
        socket: String,
        limit: Duration,
        pass: TurnPass,
        logger: Logger
    ) async throws(HypervisorFault) -> GuardedFreeze {
        let milliseconds = max(1, Int(limit.timeInterval * 1_000))
        let options = ["--agent", socket, "--milliseconds", "\(milliseconds)"]
        let process: ChildProcess
        do throws(PlatformFault) {
            guard let program = command.first else {
                throw PlatformFault(.notFound, outcome: .notDone, "no command for the guard is configured")
            }
            process = try await ChildProcess.start(
                Spawn(program, command.dropFirst() + options, input: .pipe, output: .lines)
            )
        } catch {
            throw HypervisorFault(
                .unavailable,
                .notDone,
                "The process that guards a freeze cannot be started: \(error.message). Nothing was frozen."
            )
        }
        let patience = limit + FreezeGuard.longestSilence
        let word = await shielded { await Self.lastWord(of: process, within: patience) }
        if case .frozen(let count) = word {
            let freeze = GuardedFreeze(process, agent, pass, fileSystems: count, logger: logger)
            guard Task.isCancelled else { return freeze }
            _ = await freeze.thaw()
            throw HypervisorFault(.cancelled, .notDone, "The freeze was cancelled; the guest runs.")
        }
        process.closeInput()
        switch word {
        case .refused(let reason):
            throw HypervisorFault(.guestRefused, .notDone, "The guest agent refused to freeze: \(reason).")
        case .silent(let reason):
            throw HypervisorFault(
                .guestUnresponsive,
                .notDone,
                "The guest agent does not answer: \(reason). Nothing was frozen."
            )
        case .thawed(let thaw):
            throw HypervisorFault(
                .guestUnresponsive,
                .notDone,
                "The guest took longer than \(milliseconds) ms to freeze and was thawed again (\(thaw.reason.rawValue))."
            )
        case .struggling(let reason):
            throw HypervisorFault(
                .guestUnresponsive,
                .unknown,
                "The guest did not freeze in time and cannot be thawed: \(reason). Its guard goes on trying."
            )
        case .frozen, nil:
            // The guard is gone or hangs. It may have frozen the guest before.
            let isThawed = await shielded { await Self.thawWithout(process, agent, logger: logger) }
            throw HypervisorFault(
                .unavailable,
                isThawed ? .notDone : .unknown,
                "The process that guards a freeze failed; the guest \(isThawed ? "runs" : "may be frozen")."
            )
        }
    }

    func thaw() async -> FreezeReport {
        await shielded { await self.finish() }
    }

    private func finish() async -> FreezeReport {
        // Two callers: both get the one report.
        let turn = await thawing.pass(within: .seconds(60))
        defer { turn?.leave() }
        if let report = report.withLock({ $0 }) { return report }
        process.send(Data("\(FreezeGuard.thawRequest)\n".utf8))
        let made: FreezeReport
        switch await Self.lastWord(of: process, within: FreezeGuard.longestSilence) {
        case .thawed(let thaw):
            made = FreezeReport(
                heldThroughout: thaw.reason == .asked && thaw.count > 0,
                milliseconds: thaw.milliseconds,
                answer: answer(to: thaw)
            )
        case .struggling(let reason):
            made = missed("the guest does not thaw (\(reason)); its guard goes on trying")
        default:
            let isThawed = await Self.thawWithout(process, agent, logger: logger)
            made = missed("the guard failed; the guest \(isThawed ? "was thawed without it" : "does not answer")")
        }
        process.closeInput()
        report.withLock { $0 = made }
        pass.leave()
        return made
    }

    private func answer(to thaw: FreezeGuard.Thaw) -> String {
        let frozen = "\(fileSystems) file system\(fileSystems == 1 ? "" : "s") frozen for \(thaw.milliseconds) ms"
        return switch thaw.reason {
        case .asked: thaw.count > 0 ? frozen : "\(frozen) at most; the guest had thawed by itself"
        case .deadline: "\(frozen); the deadline came first"
        case .ownerGone: "\(frozen); the service let go"
        case .machineGone: "the machine ended while it was frozen"
        }
    }

    private func missed(_ answer: String) -> FreezeReport {
        let elapsed = ContinuousClock.now - frozenAt
        return FreezeReport(
            heldThroughout: false,
            milliseconds: Int(elapsed.timeInterval * 1_000),
            answer: answer
        )
    }

    /// Thaws in place of a guard that died or hangs.
    ///
    /// Tells whether the guest is known to run.
    private static func thawWithout(_ guardian: ChildProcess, _ agent: GuestAgent, logger: Logger) async -> Bool {
        logger.error("The guard of a freeze failed", metadata: ["pid": "\(guardian.pid)"])
        guardian.signal(SIGKILL)
        _ = await guardian.wait()
        return await agent.thawFully(attempts: 5, logger: logger)
    }

    /// What the guard says in the end: its next word, or the last of those that tell of trouble on the way.
    private static func lastWord(of process: ChildProcess, within limit: Duration) async -> FreezeGuard.Word? {
        let deadline = ContinuousClock.now + limit
        var last: FreezeGuard.Word?
        while true {
            let word = await nextWord(of: process, within: deadline - .now)
            guard case .struggling = word else {
                // Silent since it last told of trouble, but not for longer than an attempt takes: it goes on.
                return word ?? (ContinuousClock.now < deadline ? nil : last)
            }
            last = word
        }
    }

    /// What the guard says next; nil when it ends, says something else, or says nothing in time.
    private static func nextWord(of process: ChildProcess, within limit: Duration) async -> FreezeGuard.Word? {
        let line = try? await withDeadline(limit, for: "the guard of a freeze") {
            await process.lines.first { _ in true }
        }
        return (line ?? nil).flatMap(FreezeGuard.Word.init)
    }
}
