import Logging
import Platform
import QEMU
import SnapshotPorts

// A machine that stands still is held by a guard (``GuestGuard``), never by the service itself.
extension QEMUMachine {
    func pause(atMost limit: Duration) async throws(HypervisorFault) -> any PauseLease {
        try await requireLiving(to: "pause it")
        guard let pass = await pauseTurn.pass(within: host.limits.turn) else {
            throw HypervisorFault(
                Task.isCancelled ? .cancelled : .unavailable,
                .notDone,
                "The machine is being held by another call; try again."
            )
        }
        return try await GuardedHold.begin(
            .processors(monitor: folder.guardMonitor, mark: folder.pauseMark) { await self.resumeUnguarded() },
            command: host.configuration.guestGuard,
            limit: limit,
            pass: pass,
            logger: logger
        )
    }

    /// Whether the machine stands still because a guard of ours, dead or alive, stopped it.
    func isPausedByUs() async -> Bool {
        let mark = folder.pauseMark
        return await shielded { [host] in (try? await host.pool.run { PauseMark.exists(mark) }) ?? false }
    }

    /// Lets a machine go on that a former service paused and nobody guards any more.
    ///
    /// A guard that lives lets go by itself, as its owner is gone; it is waited for. A machine without the mark was stopped by
    /// somebody else, or by an I/O error, and stays.
    func resumeIfUnguarded() async {
        guard await isPausedByUs() else { return }
        let mark = folder.pauseMark
        let deadline = ContinuousClock.now + host.limits.answer
        while ContinuousClock.now < deadline {
            let isFree = await shielded { [host] in (try? await host.pool.run { PauseMark.isFree(mark) }) ?? false }
            if isFree {
                guard await isPausedByUs() else { return }
                logger.warning("A machine was left paused by a guard that is gone; it goes on")
                _ = await resumeUnguarded()
                return
            }
            guard (try? await Task.sleep(for: .milliseconds(20))) != nil else { return }
        }
        logger.warning("A machine is still held by the guard of a former service, which will let it go")
    }

    /// Lets the machine go on in place of a guard; tells whether it is known to run.
    @discardableResult
    func resumeUnguarded() async -> Bool {
        guard await living() != nil else { return true }
        for attempt in 1...5 {
            do throws(HypervisorFault) {
                try await endHold()
                let mark = folder.pauseMark
                try await host.files("remove the mark of a pause") { try DurableFile.remove(mark) }
                return true
            } catch {
                guard await living() != nil else { return true }
                logger.warning(
                    "Cannot let a machine go on",
                    metadata: ["attempt": "\(attempt)", "cause": "\(error)"]
                )
            }
        }
        return false
    }

    private func endHold() async throws(HypervisorFault) {
        let migration = try await ask("query-migrate", to: "see whether its state is being written")["status"]?.string
        if let migration, MigrationState.underWay.contains(migration) {
            try await ask("migrate_cancel", to: "stop writing its state")
        }
        guard await queryStatus() != "running" else { return }
        try await ask("cont", to: "let the machine run")
        guard await queryStatus() == "running" else {
            throw HypervisorFault(.unavailable, .notDone, "The machine does not go on.")
        }
    }
}

extension GuardedHold.Subject {
    /// The processors of a machine, by a monitor that nobody else uses.
    static func processors(monitor: String, mark: String, unguarded: @escaping @Sendable () async -> Bool) -> Self {
        Self(kind: .processors, options: ["--monitor", monitor, "--mark", mark], releaseUnguarded: unguarded)
    }
}
