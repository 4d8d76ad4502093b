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
    /// Starts, removals and changes of disks exclude each other. Stops do not wait here: pulling the plug always works.
    let changes = Turnstile()
    /// The agent's channel serves one caller at a time.
    let agentTurn = Turnstile()
    private let loading = Turnstile()
    private let connecting = Turnstile()
    private let ending = Turnstile()

    var record: MachineRecord?
    /// What the guest last said about itself.
    var lastFacts: TimedFacts?
    private var isLoaded = false
    private var isStarting = false
    private var stopsUnderWay = 0
    private(set) var process: RunningProcess?
    /// The same process, when this service started it: it tells how it ended.
    private var child: ChildProcess?
    private var monitor: QMPClient?
    /// Set by the machine's last word, if it came.
    private var wasPoweredOffByGuest: Bool?

    init(id: InstanceID, host: MachineHost) {
        self.id = id
        self.host = host
        folder = MachineFolder(id: id, machines: host.configuration.machines, sockets: host.socketFolder)
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
        // A service that ended while it started a machine left its processors waiting. Nothing has run: start again.
        guard await queryStatus() == "prelaunch" else { return }
        logger.notice("Ending a machine whose start was interrupted", metadata: ["pid": "\(process.pid)"])
        do {
            try await stop(.forced)
        } catch {
            logger.error("Cannot end a machine whose start was interrupted", metadata: ["cause": "\(error)"])
        }
    }

    /// The machine's process, if it runs. Notices, and reports, that it has ended.
    func living() async -> RunningProcess? {
        await load()
        if let process {
            if process.isAlive { return process }
            await conclude(process)
        } else {
            // Its end may be being looked into: the folder is not to be touched before that is done.
            await ending.enter(within: host.limits.turn)?.leave()
        }
        return process
    }

    private func load() async {
        guard !isLoaded, let pass = await loading.enter(within: host.limits.turn), !isLoaded else { return }
        defer { pass.leave() }
        let folder = self.folder
        let (record, process) = await shielded { [host] in
            let found = try? await host.pool.run { (try? MachineRecord.find(folder.record), folder.findProcess()) }
            return found ?? (nil, nil)
        }
        self.record = record
        isLoaded = true
        if let process {
            watch(process, startedAs: nil)
            logger.info("Found a running machine", metadata: ["pid": "\(process.pid)"])
        } else if record?.expected == .running {
            await reportEnd(status: nil, whileAway: true)
        }
    }

    private func watch(_ process: RunningProcess, startedAs child: ChildProcess?) {
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
        guard let pass = await connecting.enter(within: host.limits.turn) else { throw busy() }
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

    private func queryStatus() async -> String? {
        try? await ask("query-status", to: "ask for the state")["status"]?.string
    }

    // MARK: Starting and stopping

    func start(_ machine: MachineDescription) async throws(HypervisorFault) {
        let pass = try await turn()
        defer { pass.leave() }
        if await living() != nil {
            if await queryStatus() == "prelaunch" { try await ask("cont", to: "let the machine run") }
            return
        }
        let chains = try Self.chains(of: machine.disks)
        isStarting = true
        defer { isStarting = false }
        let emulator = try await host.emulator.find()
        do throws(HypervisorFault) {
            try await launch(machine, chains, emulator)
        } catch {
            await host.emulator.forget()
            throw error
        }
        logger.notice("Started a machine", metadata: ["pid": "\(process?.pid ?? 0)"])
    }

    private func launch(
        _ machine: MachineDescription,
        _ chains: [Int: BlockChain],
        _ emulator: Emulator.Found
    ) async throws(HypervisorFault) {
        let folder = self.folder
        // The address that people put into their SSH configuration stays, unless somebody else took the port.
        let ports = [record?.sshPort, 0].compactMap(\.self)
        for (attempt, port) in ports.enumerated() {
            try await host.files("prepare the machine's folder") { try folder.prepareForStart() }
            let line = MachineCommandLine(
                machine: machine,
                chains: chains,
                folder: folder,
                accelerator: emulator.accelerator.kind,
                sshPort: port
            )
            do throws(HypervisorFault) {
                return try await launch(line, emulator.path, MachineRecord(machine))
            } catch {
                guard attempt + 1 < ports.count, error.message.contains("host forwarding rule") else { throw error }
                logger.info("The machine's SSH port is taken; choosing another", metadata: ["port": "\(port)"])
            }
        }
    }

    private func launch(
        _ line: MachineCommandLine,
        _ program: String,
        _ record: MachineRecord
    ) async throws(HypervisorFault) {
        let (child, process, client) = try await MachineLaunch(folder: folder, host: host).launch(program, line.words)
        watch(process, startedAs: child)
        monitor = client
        do throws(HypervisorFault) {
            var record = record
            if record.network == .user { record.sshPort = try await findSSHPort() }
            record.expected = .running
            try await save(record)
            try await ask("cont", to: "let the machine run")
        } catch {
            await giveUp(child, process)
            throw error
        }
    }

    /// Ends a machine that was started in part.
    private func giveUp(_ child: ChildProcess, _ process: RunningProcess) async {
        stopsUnderWay += 1
        defer { stopsUnderWay -= 1 }
        await child.terminate(grace: .seconds(1))
        await conclude(process)
    }

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
            report(trouble: "QEMU holds the machine: \(status)")
        case "GUEST_PANICKED":
            report(trouble: "The guest's kernel panicked")
        case "BLOCK_IO_ERROR":
            let slot = event.data["qom-path"]?.string.flatMap(MachineCommandLine.slot(ofDisk:))
            let what = event.data["reason"]?.string ?? "no reason given"
            report(trouble: "The disk in slot \(slot.map(String.init) ?? "?") failed: \(what)")
        case "DEVICE_DELETED":
            guard let slot = event.data["device"]?.string.flatMap(MachineCommandLine.slot(ofDisk:)) else { return }
            await closeReleasedDisk(slot)
        default:
            break
        }
    }

    private func report(trouble reason: String) {
        logger.warning("A machine is in trouble", metadata: ["reason": "\(reason)"])
        host.events.send(.trouble(id, reason: reason))
    }

    /// Takes note that a run ended. The first call for a run reports it, unless we ended it ourselves.
    private func conclude(_ ended: RunningProcess) async {
        guard let pass = await shielded({ [ending, limit = host.limits.turn] in await ending.enter(within: limit) })
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

    private func reportEnd(status: ExitStatus?, whileAway: Bool) async {
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

    // MARK: Bookkeeping

    /// Makes a new state of the record durable.
    func save(_ record: MachineRecord) async throws(HypervisorFault) {
        let path = folder.record
        try await host.files("remember the machine's state") { try record.save(to: path) }
        self.record = record
    }

    /// The right to change the machine.
    func turn() async throws(HypervisorFault) -> Turnstile.Pass {
        guard let pass = await changes.enter(within: host.limits.turn) else { throw busy() }
        return pass
    }

    private func busy() -> HypervisorFault {
        Task.isCancelled
            ? HypervisorFault(.cancelled, .notDone, "Waiting for the machine was cancelled.")
            : HypervisorFault(.unavailable, .notDone, "Another change of the machine takes very long; try again later.")
    }

    private func findSSHPort() async throws(HypervisorFault) -> Int? {
        // The machine protocol has no command for it. The columns: protocol, descriptor, source address, source port.
        let table = try await ask("human-monitor-command", ["command-line": "info usernet"], to: "find the SSH port")
        let forward = table.string?.split(whereSeparator: \.isNewline).first { $0.contains("HOST_FORWARD") }
        return forward.flatMap { line in
            let fields = line.split(separator: " ")
            return fields.count > 3 ? Int(fields[3]) : nil
        }
    }
}
