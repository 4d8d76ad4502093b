import Foundation
import Glibc
import Logging
import Platform
import SnapshotPorts
import Synchronization

/// A guest that is held, and the guard process that lets it go at the deadline whatever becomes of us.
///
/// The guard's standard input is the life line: a line ends the hold, and so does our end. See ``GuestGuard``.
final class GuardedHold: FreezeLease, PauseLease {
    /// What is held, and what to do about it without a guard.
    struct Subject: Sendable {
        /// How messages speak of a kind of hold.
        enum Kind: Sendable {
            case fileSystems
            case processors
        }

        var kind: Kind
        /// The guard's options that name it.
        var options: [String]
        /// Lets go in place of a guard; tells whether the guest is known to run.
        var releaseUnguarded: @Sendable () async -> Bool
    }

    /// The guard.
    let process: ChildProcess
    private let subject: Subject
    private let pass: TurnPass
    private let heldAt: ContinuousClock.Instant
    private let count: Int
    private let logger: Logger
    private let report = Mutex<HoldReport?>(nil)
    private let releasing = Turnstile()

    private init(_ process: ChildProcess, _ subject: Subject, _ pass: TurnPass, count: Int, logger: Logger) {
        self.process = process
        self.subject = subject
        self.pass = pass
        self.count = count
        self.logger = logger
        heldAt = .now
    }

    /// Starts a guard and waits until it holds the guest.
    ///
    /// - Parameters:
    ///   - subject: What to hold.
    ///   - command: The command that runs the guard.
    ///   - limit: The longest hold.
    ///   - pass: The turn with what is held, kept until the guest is let go.
    ///   - logger: Told when a guard fails.
    /// - Returns: The hold, which the caller ends.
    /// - Throws: `guestUnresponsive` or `guestRefused`; the guest is not held then, unless the outcome
    ///   is `unknown`. `unavailable` without a guard.
    static func begin(
        _ subject: Subject,
        command: [String],
        limit: Duration,
        pass: TurnPass,
        logger: Logger
    ) async throws(HypervisorFault) -> GuardedHold {
        let process = try await start(subject, command: command, limit: limit)
        return try await take(over: process, subject, limit: limit, pass: pass, logger: logger)
    }

    /// Starts a guard.
    static func start(
        _ subject: Subject,
        command: [String],
        limit: Duration
    ) async throws(HypervisorFault) -> ChildProcess {
        do throws(PlatformFault) {
            guard let program = command.first else {
                throw PlatformFault(.notFound, outcome: .notDone, "no command for the guard is configured")
            }
            let options = subject.options + ["--milliseconds", "\(milliseconds(limit))"]
            return try await ChildProcess.start(
                Spawn(program, command.dropFirst() + options, input: .pipe, output: .lines)
            )
        } catch {
            throw HypervisorFault(
                .unavailable,
                .notDone,
                "The process that guards a held guest cannot be started: \(error.message). Nothing was held."
            )
        }
    }

    private static func milliseconds(_ limit: Duration) -> Int { max(1, Int(limit.timeInterval * 1_000)) }

    /// Waits until a guard holds the guest.
    static func take(
        over process: ChildProcess,
        _ subject: Subject,
        limit: Duration,
        pass: TurnPass,
        logger: Logger
    ) async throws(HypervisorFault) -> GuardedHold {
        let patience = limit + GuestGuard.longestSilence
        let word = await shielded { await Self.lastWord(of: process, within: patience) }
        if case .held(let count) = word {
            let hold = GuardedHold(process, subject, pass, count: count, logger: logger)
            guard Task.isCancelled else { return hold }
            _ = await hold.release()
            throw HypervisorFault(.cancelled, .notDone, "The \(subject.kind.noun) was cancelled; the guest runs.")
        }
        process.closeInput()
        switch word {
        case .refused(let reason):
            throw HypervisorFault(
                .guestRefused,
                .notDone,
                "\(subject.kind.who) refused to \(subject.kind.verb): \(reason)."
            )
        case .silent(let reason):
            throw HypervisorFault(
                .guestUnresponsive,
                .notDone,
                "\(subject.kind.who) does not answer: \(reason). Nothing was held."
            )
        case .released(let release):
            throw HypervisorFault(
                .guestUnresponsive,
                .notDone,
                """
                The guest took longer than \(milliseconds(limit)) ms to \(subject.kind.verb) and was let go again \
                (\(release.reason.rawValue)).
                """
            )
        case .struggling(let reason):
            throw HypervisorFault(
                .guestUnresponsive,
                .unknown,
                "The guest did not \(subject.kind.verb) in time and cannot be let go: \(reason). Its guard goes on trying."
            )
        case .held, .armed, nil:
            // The guard is gone or hangs. It may have held the guest before.
            let isReleased = await shielded { await Self.releaseWithout(process, subject, logger: logger) }
            throw HypervisorFault(
                .unavailable,
                isReleased ? .notDone : .unknown,
                "The process that guards a held guest failed; the guest \(isReleased ? "runs" : "may be held")."
            )
        }
    }

    func thaw() async -> HoldReport { await release() }

    func resume() async -> HoldReport { await release() }

    private func release() async -> HoldReport { await shielded { await self.finish() } }

    private func finish() async -> HoldReport {
        // Two callers: both get the one report.
        let turn = await releasing.pass(within: .seconds(60))
        defer { turn?.leave() }
        if let report = report.withLock({ $0 }) { return report }
        process.send(Data("\(GuestGuard.releaseRequest)\n".utf8))
        let made: HoldReport
        switch await Self.lastWord(of: process, within: GuestGuard.longestSilence) {
        case .released(let release):
            made = HoldReport(
                heldThroughout: release.reason == .asked && release.count > 0,
                milliseconds: release.milliseconds,
                answer: answer(to: release)
            )
        case .struggling(let reason):
            made = missed("the guest cannot be let go (\(reason)); its guard goes on trying")
        default:
            let isReleased = await Self.releaseWithout(process, subject, logger: logger)
            made = missed("the guard failed; the guest \(isReleased ? "was let go without it" : "does not answer")")
        }
        process.closeInput()
        report.withLock { $0 = made }
        pass.leave()
        return made
    }

    private func answer(to release: GuestGuard.Release) -> String {
        let held = subject.kind.held(count, milliseconds: release.milliseconds)
        return switch release.reason {
        case .asked: release.count > 0 ? held : "\(held) at most; the guest had gone on by itself"
        case .deadline: "\(held); the deadline came first"
        case .ownerGone: "\(held); the service let go"
        case .machineGone: "the machine ended while it was held"
        }
    }

    private func missed(_ answer: String) -> HoldReport {
        let elapsed = ContinuousClock.now - heldAt
        return HoldReport(
            heldThroughout: false,
            milliseconds: Int(elapsed.timeInterval * 1_000),
            answer: answer
        )
    }

    /// Lets go in place of a guard that died or hangs.
    ///
    /// Tells whether the guest is known to run.
    static func releaseWithout(_ guardian: ChildProcess, _ subject: Subject, logger: Logger) async -> Bool {
        logger.error("The guard of a held guest failed", metadata: ["pid": "\(guardian.pid)"])
        guardian.signal(SIGKILL)
        _ = await guardian.wait()
        return await subject.releaseUnguarded()
    }

    /// What the guard says in the end: its next word, or the last of those that tell of trouble on the way.
    static func lastWord(of process: ChildProcess, within limit: Duration) async -> GuestGuard.Word? {
        let deadline = ContinuousClock.now + limit
        var last: GuestGuard.Word?
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
    private static func nextWord(of process: ChildProcess, within limit: Duration) async -> GuestGuard.Word? {
        let line = try? await withDeadline(limit, for: "the guard of a guest") {
            await process.lines.first { _ in true }
        }
        return (line ?? nil).flatMap(GuestGuard.Word.init)
    }
}

extension GuardedHold.Subject.Kind {
    fileprivate var noun: String {
        switch self {
        case .fileSystems: "freeze"
        case .processors: "pause"
        }
    }

    fileprivate var verb: String {
        switch self {
        case .fileSystems: "freeze"
        case .processors: "stand still"
        }
    }

    fileprivate var who: String {
        switch self {
        case .fileSystems: "The guest agent"
        case .processors: "The machine"
        }
    }

    fileprivate func held(_ count: Int, milliseconds: Int) -> String {
        switch self {
        case .fileSystems: "\(count) file system\(count == 1 ? "" : "s") frozen for \(milliseconds) ms"
        case .processors: "the machine stood still for \(milliseconds) ms"
        }
    }
}
