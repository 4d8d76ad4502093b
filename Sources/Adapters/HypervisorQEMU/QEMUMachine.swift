import Foundation
import Logging
import Platform
import QEMU
import SnapshotDomain
import SnapshotPorts

/// One machine: its process, the connection to its monitor, and what is remembered of it.
///
/// The process is the truth. Whatever this actor remembers of it is checked before it is used, as the machine may end at
/// any moment, by itself or by another hand.
actor QEMUMachine {
    nonisolated let id: InstanceID
    let host: MachineHost
    let folder: MachineFolder
    /// Starts, removals and changes of disks exclude each other.
    ///
    /// Stops do not wait here: pulling the plug always works.
    let changes = Turnstile()
    /// The agent in the guest.
    ///
    /// Its own line is for single questions; a freeze takes ``agentTurn`` for longer.
    nonisolated let agent: GuestAgent
    let agentTurn = Turnstile()
    /// One pause at a time.
    let pauseTurn = Turnstile()
    private let loading = Turnstile()
    private let connecting = Turnstile()
    let ending = Turnstile()

    var record: MachineRecord?
    /// What the guest last said about itself.
    var lastFacts: TimedFacts?
    private var isLoaded = false
    var isStarting = false
    var stopsUnderWay = 0
    var process: RunningProcess?
    /// The same process, when this service started it: it tells how it ended.
    var child: ChildProcess?
    var monitor: QMPClient?
    var lastTrouble: (reason: String, at: ContinuousClock.Instant)?
    /// Set by the machine's last word, if it came.
    var wasPoweredOffByGuest: Bool?

    init(id: InstanceID, host: MachineHost) {
        self.id = id
        self.host = host
        folder = MachineFolder(id: id, machines: host.configuration.machines, sockets: host.socketFolder)
        agent = GuestAgent(path: folder.agent, group: host.group)
    }

    var logger: Logger {
        var logger = host.logger
        logger[metadataKey: "instance.id"] = "\(id)"
        return logger
    }

    // MARK: Finding

    /// Takes over the machine that an earlier service left.
    func adopt() async {
        guard let process = await living() else { return }
        await resumeIfUnguarded()
        // A service that ended while it started a machine left its processors waiting. Nothing has run: start again.
        guard await hasNotRunYet() else { return }
        logger.notice("Ending a machine whose start was interrupted", metadata: ["pid": "\(process.pid)"])
        do {
            try await endUnstarted()
        } catch {
            logger.error("Cannot end a machine whose start was interrupted", metadata: ["cause": "\(error)"])
        }
    }

    /// The machine's process, if it runs.
    ///
    /// Notices, and reports, that it has ended.
    func living() async -> RunningProcess? {
        await load()
        if let process {
            if process.isAlive { return process }
            await conclude(process)
        } else {
            // Its end may be being looked into: the folder is not to be touched before that is done.
            await ending.pass(within: host.limits.turn)?.leave()
        }
        return process
    }

    private func load() async {
        guard !isLoaded, let pass = await loading.pass(within: host.limits.turn), !isLoaded else { return }
        defer { pass.leave() }
        let folder = self.folder
        let (record, process) = await shielded { [host] in
            let found = try? await host.pool.run { (try? MachineRecord.find(folder.record), folder.findProcess()) }
            return found ?? (nil, nil)
        }
        // Nobody starts it anew before its end is written down.
        let end = await ending.pass(within: host.limits.turn)
        defer { end?.leave() }
        self.record = record
        isLoaded = true
        if let process {
            watch(process, startedAs: nil)
            logger.info("Found a running machine", metadata: ["pid": "\(process.pid)"])
        } else if record?.expected == .running {
            await reportEnd(status: nil, whileAway: true)
        }
    }

    func watch(_ process: RunningProcess, startedAs child: ChildProcess?) {
        self.process = process
        self.child = child
        wasPoweredOffByGuest = nil
        host.watches.yield(MachineWatch(machine: self, process: process))
    }

    /// Lets the machine go on without us.
    func disconnect() {
        monitor?.close()
        monitor = nil
        process = nil
        child = nil
        isLoaded = false
    }

    // MARK: Talking

    /// The connection to the monitor of the running machine, made anew if it broke.
    func client() async throws(HypervisorFault) -> QMPClient {
        if let monitor, monitor.closed.current == nil { return monitor }
        guard let pass = await connecting.pass(within: host.limits.turn) else { throw busy() }
        defer { pass.leave() }
        if let monitor, monitor.closed.current == nil { return monitor }
        guard let process else { throw .notRunning("talk to it") }
        let new: QMPClient
        do {
            new = try await QMPClient.connect(folder.monitor, group: host.group, timeout: host.limits.answer)
        } catch {
            throw HypervisorFault(error, trying: "connect to the machine's monitor")
        }
        guard self.process == process else {
            new.close()
            throw .notRunning("talk to it")
        }
        monitor = new
        return new
    }

    /// Sends one command to the running machine.
    @discardableResult
    func ask(
        _ command: String,
        _ arguments: [String: JSONValue] = [:],
        to attempt: String
    ) async throws(HypervisorFault) -> JSONValue {
        let client = try await client()
        do {
            return try await client.execute(command, arguments, timeout: host.limits.answer)
        } catch {
            throw HypervisorFault(error, trying: attempt)
        }
    }

    func requireLiving(to what: String) async throws(HypervisorFault) {
        guard await living() != nil else { throw .notRunning(what) }
    }

    func blockChannel() async throws(HypervisorFault) -> (any LiveBlockChannel)? {
        guard await living() != nil else { return nil }
        return QEMUBlockChannel(instance: id, client: try await client())
    }

    func status() async -> MachineStatus {
        if isStarting { return .paused(reason: "it is being started") }
        guard await living() != nil else { return .stopped }
        switch await queryStatus() {
        case "running": return .running
        case "internal-error": return .paused(reason: "the processor emulation of this host failed (internal-error)")
        case .some(let other): return .paused(reason: other)
        case nil: return await living() == nil ? .stopped : .unresponsive
        }
    }

    func isAlive() async -> Bool {
        if isStarting { return true }
        return await living() != nil
    }

    func queryStatus() async -> String? {
        try? await ask("query-status", to: "ask for the state")["status"]?.string
    }

    // MARK: Bookkeeping

    /// Makes a new state of the record durable.
    func save(_ record: MachineRecord) async throws(HypervisorFault) {
        let path = folder.record
        try await host.files("remember the machine's state") { try record.save(to: path) }
        self.record = record
    }

    /// The right to change the machine.
    func turn() async throws(HypervisorFault) -> TurnPass {
        guard let pass = await changes.pass(within: host.limits.turn) else { throw busy() }
        return pass
    }

    private func busy() -> HypervisorFault {
        Task.isCancelled
            ? HypervisorFault(.cancelled, .notDone, "Waiting for the machine was cancelled.")
            : HypervisorFault(.unavailable, .notDone, "Another change of the machine takes very long; try again later.")
    }
}
