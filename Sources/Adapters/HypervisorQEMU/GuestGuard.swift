import Foundation
import Glibc
import Platform

/// Holds something of a machine still and lets it go in time, in a process of its own.
///
/// A guest that is held is a hung guest, so no failure of the service may leave one behind. The service therefore never
/// holds anything by itself: it starts this, which has its channel to the guest open from before the hold until after its
/// end, and which ends it when it is asked, when the deadline comes, or when its standard input ends because the service
/// did. There are two kinds of ``GuestHold``: the file systems, by the guest's agent, and the processors, by QEMU.
///
/// ```
/// service ── "release" ▶ stdin                      the guest's agent, or QEMU's monitor
///                       guard ── hold, release ────▶ (the machine's socket)
/// service ◀── words ─── stdout
/// ```
///
/// It ends no other way but by SIGKILL: it ignores every signal that a service manager or a terminal might send, as it
/// lives for seconds anyway. It uses plain system calls and one thread, to be there quickly and to depend on nothing.
package struct GuestGuard {
    /// What to hold.
    package enum Target: Sendable {
        /// The file systems, by the agent's socket; at most 107 bytes.
        case fileSystems(agentSocket: String)
        /// The processors, by a monitor's socket of at most 107 bytes. The mark is a file that is there as long as they
        /// are held, and locked as long as somebody guards them. Armed, the guard holds nothing yet: it waits until its owner
        /// says so, or until the machine stops by itself, as it does at the end of a migration.
        case processors(monitorSocket: String, mark: String, isArmed: Bool)
    }

    /// The line on standard input that ends the hold.
    static let releaseRequest = "release"
    /// The line on standard input that has an armed guard begin the hold.
    static let holdRequest = "hold"
    /// How long the guest's side may take to say anything before it counts as absent.
    private static let patience = Duration.seconds(2)
    /// How long one attempt to let go may take.
    private static let attemptPatience = Duration.seconds(3)
    /// How long the guard may be silent beyond the hold itself, when all goes well: start, hold, release and its proof.
    static let longestSilence = Duration.seconds(10)
    /// How long it goes on trying to let go of a guest that does not answer.
    private static let stubbornness = Duration.seconds(600)

    private let limit: Duration
    private let owner = OwnerLine()
    private let hold: any GuestHold

    private init(_ hold: any GuestHold, limit: Duration) {
        self.limit = limit
        self.hold = hold
    }

    /// Runs the guard to its end.
    ///
    /// - Parameters:
    ///   - target: What to hold.
    ///   - milliseconds: The longest hold, counted from the moment it is asked for.
    /// - Returns: The exit status: 0 when the guest is known to run, 1 when it is not.
    package static func run(_ target: Target, milliseconds: Int) -> Int32 {
        for number in [SIGHUP, SIGINT, SIGTERM, SIGQUIT, SIGPIPE, SIGUSR1, SIGUSR2] { _ = signal(number, SIG_IGN) }
        let hold: any GuestHold =
            switch target {
            case .fileSystems(let socket): FileSystemHold(agentSocket: socket)
            case .processors(let socket, let mark, _): ProcessorHold(monitorSocket: socket, mark: mark)
            }
        let guardian = GuestGuard(hold, limit: .milliseconds(max(1, milliseconds)))
        if case .processors(_, _, true) = target { return guardian.guardOneHold(isArmed: true) ? 0 : 1 }
        return guardian.guardOneHold(isArmed: false) ? 0 : 1
    }

    /// Whether the guest is known to run in the end.
    private func guardOneHold(isArmed: Bool) -> Bool {
        do {
            try hold.open(until: .now + Self.patience)
        } catch {
            if case .refused = error { say(.refused(reason: error.reason)) } else { say(.silent(reason: error.reason)) }
            return true
        }
        if isArmed {
            say(.armed)
            do {
                guard try hold.waitUntilDue(owner) else { return release(.asked, heldAt: .now) }
            } catch {
                return release(.ownerGone, heldAt: .now)
            }
        }
        let deadline = ContinuousClock.now + limit
        let answer = Result { () throws(GuardLine.Failure) in try hold.begin(until: deadline, unless: owner) }
        let heldAt = ContinuousClock.now
        var reason = ReleaseReason.deadline
        switch answer {
        case .success(let count) where count > 0:
            say(.held(count: count))
            reason = owner.waitForRelease(until: deadline)
        case .success:
            return refuse("no file system can be frozen")
        case .failure(.refused(let words)):
            return refuse(words)
        case .failure(.ownerSpoke):
            reason = owner.waitForRelease(until: deadline)
        case .failure(.silent):
            break
        }
        return release(reason, heldAt: heldAt)
    }

    /// A guest that refuses undoes what it had begun; nothing is lost by making sure.
    private func refuse(_ words: String) -> Bool {
        let isReleased = releaseFully(until: .now + Self.patience) != nil
        say(.refused(reason: words))
        return isReleased
    }

    private func release(_ reason: ReleaseReason, heldAt: ContinuousClock.Instant) -> Bool {
        guard let count = releaseFully(until: .now + Self.stubbornness) else { return false }
        let elapsed = Int(((.now - heldAt) as Duration).timeInterval * 1_000)
        let isGone = hold.isMachineGone
        say(.released(Release(reason: isGone ? .machineGone : reason, milliseconds: elapsed, count: count)))
        return true
    }

    /// Lets go until the guest's side confirms that nothing is held any more.
    ///
    /// - Returns: How much was still held; nil when it never confirmed.
    private func releaseFully(until end: ContinuousClock.Instant) -> Int? {
        var count = 0
        var failures = 0
        while ContinuousClock.now < end {
            let attemptEnd = min(end, .now + Self.attemptPatience)
            do throws(GuardLine.Failure) {
                if try hold.end(until: attemptEnd, released: &count) { return count }
            } catch {
                if hold.isMachineGone { return count }
                // A channel that broke while nobody looked is no trouble yet.
                if failures > 0 { say(.struggling(reason: error.reason)) }
                failures += 1
                hold.close()
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

/// Something of a machine that can be held still, as a guard does it: by blocking calls with deadlines.
protocol GuestHold: AnyObject {
    /// Whether there is no machine any more that could be held.
    var isMachineGone: Bool { get }

    /// Makes sure that somebody is there to ask. Nothing is held when it throws.
    func open(until deadline: ContinuousClock.Instant) throws(GuardLine.Failure)

    /// Waits until the owner asks for the hold, or until it has begun by itself; false when it shall not begin any more.
    func waitUntilDue(_ owner: OwnerLine) throws(GuardLine.Failure) -> Bool

    /// Begins the hold; returns how much is held.
    func begin(until deadline: ContinuousClock.Instant, unless owner: OwnerLine) throws(GuardLine.Failure) -> Int

    /// Tries once to let go, and to see that nothing is held any more. Opens the channel again where it broke.
    func end(until deadline: ContinuousClock.Instant, released count: inout Int) throws(GuardLine.Failure) -> Bool

    /// Gives the channel up, after trouble.
    func close()
}
