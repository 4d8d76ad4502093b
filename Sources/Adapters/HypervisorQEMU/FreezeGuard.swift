import Foundation
import Glibc
import Platform

/// Freezes a guest's file systems and thaws them in time, in a process of its own.
///
/// A frozen guest is a hung guest, so no failure of the service may leave one behind. The service therefore never
/// freezes by itself: it starts this, which holds the agent's channel from before the freeze until after the thaw, and
/// which thaws when it is asked, when the deadline comes, or when its standard input ends because the service did.
///
/// ```
/// service ── "thaw" ──▶ stdin                       guest agent
///                       guard ── freeze, thaw ─────▶ (the machine's socket)
/// service ◀── words ─── stdout
/// ```
///
/// It ends no other way but by SIGKILL: it ignores every signal that a service manager or a terminal might send, as it
/// lives for seconds anyway. It uses plain system calls and one thread, to be there quickly and to depend on nothing.
package struct FreezeGuard {
    /// The line on standard input that ends the freeze.
    static let thawRequest = "thaw"
    /// How long the agent may take to say anything before it counts as absent.
    private static let agentPatience = Duration.seconds(2)
    /// How long one attempt to thaw may take.
    private static let attemptPatience = Duration.seconds(3)
    /// How long the guard may be silent beyond the freeze itself, when all goes well: start, agent, thaw and its proof.
    static let longestSilence = Duration.seconds(10)
    /// How long it goes on trying to thaw a guest that does not answer.
    private static let stubbornness = Duration.seconds(600)

    private let limit: Duration
    private let owner = OwnerLine()
    private let agent: AgentLine

    private init(agentSocket: String, limit: Duration) {
        self.limit = limit
        agent = AgentLine(path: agentSocket)
    }

    /// Runs the guard to its end.
    ///
    /// - Parameters:
    ///   - agentSocket: The machine's socket for the guest agent; at most 107 bytes.
    ///   - milliseconds: The longest freeze, counted from the moment the agent is asked to freeze.
    /// - Returns: The exit status: 0 when the guest is known to run, 1 when it is not.
    package static func run(agentSocket: String, milliseconds: Int) -> Int32 {
        for number in [SIGHUP, SIGINT, SIGTERM, SIGQUIT, SIGPIPE, SIGUSR1, SIGUSR2] { _ = signal(number, SIG_IGN) }
        let freezeGuard = FreezeGuard(agentSocket: agentSocket, limit: .milliseconds(max(1, milliseconds)))
        return freezeGuard.guardOneFreeze() ? 0 : 1
    }

    /// Whether the guest is known to run in the end.
    private func guardOneFreeze() -> Bool {
        do {
            try agent.open(until: .now + Self.agentPatience)
        } catch {
            say(.silent(reason: error.reason))
            return true
        }
        let deadline = ContinuousClock.now + limit
        let answer = Result { () throws(AgentLine.Failure) in
            try agent.ask("guest-fsfreeze-freeze", until: deadline, unless: owner)
        }
        let frozenAt = ContinuousClock.now
        var reason = FreezeReason.deadline
        switch answer {
        case .success(let count) where count > 0:
            say(.frozen(count: count))
            reason = owner.waitForWord(until: deadline)
        case .success:
            return refuse("no file system can be frozen")
        case .failure(.refused(let words)):
            return refuse(words)
        case .failure(.ownerSpoke):
            reason = owner.waitForWord(until: deadline)
        case .failure(.silent):
            break
        }
        return thaw(reason, frozenAt: frozenAt)
    }

    /// An agent that refuses undoes what it had begun; nothing is lost by making sure.
    private func refuse(_ words: String) -> Bool {
        let isThawed = thawFully(until: .now + Self.agentPatience) != nil
        say(.refused(reason: words))
        return isThawed
    }

    private func thaw(_ reason: FreezeReason, frozenAt: ContinuousClock.Instant) -> Bool {
        guard let count = thawFully(until: .now + Self.stubbornness) else { return false }
        let elapsed = Int(((.now - frozenAt) as Duration).timeInterval * 1_000)
        let isGone = agent.isMachineGone
        say(.thawed(Thaw(reason: isGone ? .machineGone : reason, milliseconds: elapsed, count: count)))
        return true
    }

    /// Thaws until the agent confirms that nothing is frozen any more.
    ///
    /// - Returns: How many file systems were thawed; nil when the agent never confirmed.
    private func thawFully(until end: ContinuousClock.Instant) -> Int? {
        var count = 0
        var failures = 0
        while ContinuousClock.now < end {
            let attemptEnd = min(end, .now + Self.attemptPatience)
            do throws(AgentLine.Failure) {
                if !agent.isOpen { try agent.open(until: attemptEnd) }
                count += try agent.ask("guest-fsfreeze-thaw", until: attemptEnd)
                if try agent.askFreezeStatus(until: attemptEnd) == "thawed" { return count }
            } catch {
                if agent.isMachineGone { return count }
                // A channel that broke while nobody looked is no trouble yet.
                if failures > 0 { say(.struggling(reason: error.reason)) }
                failures += 1
                agent.close()
                usleep(100_000)
            }
        }
        return nil
    }

    /// Tells the service; that it may be gone does not matter here.
    private func say(_ word: Word) {
        let line = Array("\(word.line)\n".utf8)
        _ = write(STDOUT_FILENO, line, line.count)
    }
}
