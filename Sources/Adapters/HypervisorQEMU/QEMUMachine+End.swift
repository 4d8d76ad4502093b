import Foundation
import Logging
import Platform
import QEMU
import SnapshotDomain
import SnapshotPorts

extension QEMUMachine {
    func stop(_ mode: StopMode) async throws(HypervisorFault) {
        guard let process = await living() else { return }
        stopsUnderWay += 1
        defer { stopsUnderWay -= 1 }
        switch mode {
        case .graceful(let timeout):
            try await askGuestToPowerOff()
            guard try await hasEnded(process, within: timeout) else {
                throw HypervisorFault(
                    .guestUnresponsive,
                    .notDone,
                    "The guest did not power off within \(timeout); it runs on. Stop it by force, or try again."
                )
            }
        case .forced:
            // Asking first lets QEMU write what the guest flushed and its own tables; a hung one is killed.
            _ = try? await client().execute("quit", timeout: host.limits.answer, evenCancelled: true)
            if try await !hasEnded(process, within: host.limits.end) {
                do {
                    try await process.terminate(grace: host.limits.end)
                } catch {
                    throw HypervisorFault(error, trying: "end the machine's process")
                }
            }
        }
        await conclude(process)
        logger.notice("Stopped a machine", metadata: ["pid": "\(process.pid)"])
    }

    private func hasEnded(_ process: RunningProcess, within limit: Duration) async throws(HypervisorFault) -> Bool {
        do {
            if try await process.waitForExit(within: limit) { return true }
        } catch {
            throw HypervisorFault(error, trying: "wait for the machine's end")
        }
        if Task.isCancelled { throw HypervisorFault(.cancelled, .unknown, "Stopping the machine was cancelled.") }
        return false
    }

    func reset() async throws(HypervisorFault) {
        try await requireLiving(to: "reset it")
        try await ask("system_reset", to: "reset the machine")
        lastFacts = nil
    }

    func remove() async throws(HypervisorFault) {
        let pass = try await turn()
        defer { pass.leave() }
        guard await living() == nil else {
            throw HypervisorFault(.wrongState, .notDone, "The machine runs; stop it before it is removed.")
        }
        let folder = self.folder
        try await host.files("remove the machine's folder") {
            guard try FileFacts.find(folder.path) != nil else { return }
            try FileManager.default.removeItem(atPath: folder.path)
            try DurableFile.sync(directory: (folder.path as NSString).deletingLastPathComponent)
        }
        record = nil
    }

    // MARK: Ends

    /// Follows one run of the machine until it ends, and reports what happens.
    func watch(_ watched: RunningProcess) async {
        while !Task.isCancelled, process == watched {
            if let client = try? await client() {
                for await event in client.events() { await handle(event) }
            }
            // The connection ended: with the machine, or by a fault of its own and can be made anew.
            do {
                if try await watched.waitForExit(within: .seconds(2)) { await conclude(watched) }
            } catch {
                logger.warning("Cannot watch a machine", metadata: ["cause": "\(error)"])
                try? await Task.sleep(for: .seconds(2))
            }
        }
    }

    private func handle(_ event: QMPEvent) async {
        switch event.name {
        case "SHUTDOWN":
            wasPoweredOffByGuest = event.data["guest"]?.bool
        case "STOP":
            guard let status = await queryStatus(), status != "running", status != "shutdown" else { return }
            // We did that, and somebody watches over it.
            if ["paused", "finish-migrate", "postmigrate"].contains(status), await isPausedByUs() { return }
            if isStarting { return }
            report(trouble: "QEMU holds the machine: \(status)")
        case "GUEST_PANICKED":
            report(trouble: "The guest's kernel panicked")
        case "BLOCK_IO_ERROR":
            let slot = event.data["qom-path"]?.string.flatMap(MachineCommandLine.slot(ofDisk:))
            let what = event.data["reason"]?.string ?? "no reason given"
            // QEMU says which disk from version 9.2 on.
            let disk = slot.map { "The disk in slot \($0)" } ?? "A disk"
            report(trouble: "\(disk) failed: \(what)")
        case "DEVICE_DELETED":
            guard let slot = event.data["device"]?.string.flatMap(MachineCommandLine.slot(ofDisk:)) else { return }
            await closeReleasedDisk(slot)
        default:
            break
        }
    }

    /// Reports trouble, but not the same again and again: a failing disk fails with every write.
    private func report(trouble reason: String) {
        if let lastTrouble, lastTrouble.reason == reason, ContinuousClock.now - lastTrouble.at < .seconds(60) { return }
        lastTrouble = (reason, .now)
        logger.warning("A machine is in trouble", metadata: ["reason": "\(reason)"])
        host.events.send(.trouble(id, reason: reason))
    }

    /// Takes note that a run ended.
    ///
    /// The first call for a run reports it, unless we ended it ourselves.
    func conclude(_ ended: RunningProcess) async {
        guard let pass = await shielded({ [ending, limit = host.limits.turn] in await ending.pass(within: limit) })
        else { return }
        defer { pass.leave() }
        guard process == ended else { return }
        let (child, wasAsked) = (self.child, stopsUnderWay > 0)
        monitor?.close()
        monitor = nil
        process = nil
        self.child = nil
        lastFacts = nil
        let status = await shielded { await child?.wait(within: .seconds(5)) }
        if wasAsked {
            await expectStopped()
        } else {
            await reportEnd(status: status, whileAway: false)
        }
    }

    func reportEnd(status: ExitStatus?, whileAway: Bool) async {
        let folder = self.folder
        let (isOrderly, log) = await shielded { [host] in
            (try? await host.pool.run { (folder.hasOrderlyEnd(), folder.logTail()) }) ?? (false, "")
        }
        let byGuest = wasPoweredOffByGuest ?? isOrderly
        var reason = byGuest ? "The guest powered itself off" : "QEMU ended"
        if whileAway { reason += " while the service was away" }
        if !byGuest {
            if let status { reason += " with \(status)" }
            if !log.isEmpty { reason += ": \(log)" }
        }
        await expectStopped()
        logger.notice("A machine ended by itself", metadata: ["reason": "\(reason)", "byGuest": "\(byGuest)"])
        host.events.send(.ended(id, byGuest: byGuest, reason: reason))
    }

    private func expectStopped() async {
        guard var record else { return }
        record.expected = .stopped
        record.leaving = [:]
        self.record = record
        let (folder, host, logger) = (folder, host, logger)
        await shielded { [record] in
            do {
                try await host.pool.run { try record.save(to: folder.record) }
            } catch {
                logger.warning("Cannot remember that a machine ended", metadata: ["cause": "\(error)"])
            }
        }
    }
}
