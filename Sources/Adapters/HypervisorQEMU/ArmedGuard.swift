import Foundation
import Logging
import Platform
import SnapshotPorts

/// A guard that holds nothing yet, for a machine that may stop by itself: it is there before that can happen.
///
/// End it by ``hold()`` and the hold's end, or by ``disarm()``. A migration that is under way when it ends is cancelled.
final class ArmedGuard: Sendable {
    let process: ChildProcess
    private let subject: GuardedHold.Subject
    private let limit: Duration
    private let pass: TurnPass
    private let logger: Logger

    private init(
        _ process: ChildProcess,
        _ subject: GuardedHold.Subject,
        limit: Duration,
        pass: TurnPass,
        logger: Logger
    ) {
        self.process = process
        self.subject = subject
        self.limit = limit
        self.pass = pass
        self.logger = logger
    }

    /// Starts a guard and waits until it is in place.
    ///
    /// - Throws: As ``GuardedHold``; nothing is held then.
    static func begin(
        _ subject: GuardedHold.Subject,
        command: [String],
        limit: Duration,
        pass: TurnPass,
        logger: Logger
    ) async throws(HypervisorFault) -> ArmedGuard {
        var subject = subject
        subject.options.append("--armed")
        let process = try await GuardedHold.start(subject, command: command, limit: limit)
        let word = await shielded { await GuardedHold.lastWord(of: process, within: GuestGuard.longestSilence) }
        let guardian = ArmedGuard(process, subject, limit: limit, pass: pass, logger: logger)
        if case .armed = word { return guardian }
        process.closeInput()
        switch word {
        case .refused(let reason):
            throw HypervisorFault(.guestRefused, .notDone, "The machine cannot be held: \(reason). Nothing was held.")
        case .silent(let reason):
            throw HypervisorFault(
                .unavailable,
                .notDone,
                "The machine's monitor does not answer: \(reason). Nothing was held."
            )
        default:
            _ = await shielded { [subject] in
                await GuardedHold.releaseWithout(process, subject, logger: logger)
            }
            throw HypervisorFault(
                .unavailable,
                .notDone,
                "The process that guards a held guest failed. Nothing was held."
            )
        }
    }

    /// Has the machine stand still from now on at the latest.
    ///
    /// - Throws: As ``GuardedHold``; the guard has ended then.
    func hold() async throws(HypervisorFault) -> GuardedHold {
        process.send(Data("\(GuestGuard.holdRequest)\n".utf8))
        return try await GuardedHold.take(over: process, subject, limit: limit, pass: pass, logger: logger)
    }

    /// Ends the guard, and with it whatever stop and migration there is.
    ///
    /// Repeatable.
    func disarm() async {
        await shielded { [process, subject, logger, pass] in
            process.send(Data("\(GuestGuard.releaseRequest)\n".utf8))
            var isReleased = false
            while let word = await GuardedHold.lastWord(of: process, within: GuestGuard.longestSilence) {
                switch word {
                case .armed, .held: continue
                case .struggling: logger.error("A machine does not go on; its guard goes on trying")
                default: break
                }
                isReleased = true
                break
            }
            if !isReleased, process.status == nil || process.status?.isSuccess == false {
                _ = await GuardedHold.releaseWithout(process, subject, logger: logger)
            }
            process.closeInput()
            pass.leave()
        }
    }
}
