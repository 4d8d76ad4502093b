package import Foundation
package import Logging
package import NIOCore
import Platform
package import SnapshotDomain
package import SnapshotPorts

/// Runs each instance as a QEMU process of its own, which outlives the service.
///
/// What has to survive lies in the machine's folder (`MachineFolder`): a pid file, a small record, two monitor sockets,
/// the agent's socket and the console's log. A new service finds the processes by it and goes on:
///
/// ```
/// instanta serve ──QMP── machines/<id>/qmp ───┐
///        │                                    ├─ qemu-system-x86_64 (own session; no pipe of ours)
///        └─ guard ────── machines/<id>/agent ─┘
/// ```
///
/// Call ``adopt()`` once before anything else and keep ``run()`` going: it notices machines that end by themselves. Both
/// are there for speed and order only; every method finds the truth by itself.
package final class QEMUHypervisor: Hypervisor {
    private let host: MachineHost
    private let machines: MachineRegistry
    private let watches: AsyncStream<MachineWatch>

    /// - Parameters:
    ///   - configuration: Where machines live and what runs them.
    ///   - group: Who runs the connections to them.
    ///   - logger: Told of starts, ends and troubles.
    /// - Throws: `io` when the folder of the machines, or a link to it, cannot be made.
    package init(
        configuration: HypervisorConfiguration,
        group: any EventLoopGroup,
        logger: Logger
    ) async throws(HypervisorFault) {
        let pool = BlockingPool(name: "hypervisor", width: 4)
        let memory = MemoryFolder(path: configuration.memory, quarantine: configuration.quarantine)
        let socketFolder: String
        do {
            socketFolder = try await pool.run {
                try FileManager.default.createDirectory(
                    atPath: configuration.machines,
                    withIntermediateDirectories: true,
                    attributes: [.posixPermissions: 0o700]
                )
                try memory.prepare()
                return try SocketAlias.make(for: configuration.machines, in: configuration.runtimeFolder)
            }
        } catch {
            throw HypervisorFault(error, trying: "prepare the folder of the machines")
        }
        let (stream, continuation) = AsyncStream.makeStream(of: MachineWatch.self)
        watches = stream
        host = MachineHost(
            configuration: configuration,
            socketFolder: socketFolder,
            group: group,
            pool: pool,
            events: EventBroadcast(),
            emulator: Emulator(configuration: configuration, pool: pool),
            logger: logger,
            memory: memory,
            memoryPool: BlockingPool(name: "memory", width: 4),
            watches: continuation
        )
        machines = MachineRegistry(host: host)
    }

    // MARK: Service

    /// Finds the machines that an earlier service left: takes over those that run, and reports those that ended.
    ///
    /// Listen to ``events()`` before, to hear of the latter.
    package func adopt() async throws(HypervisorFault) {
        for instance in try await inventory() {
            await machines.machine(instance).adopt()
        }
    }

    /// Watches machines until the task is cancelled.
    ///
    /// Can be called once. The machines go on.
    package func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask {
                // A guest may print without end; its console must not fill the disk.
                while (try? await Task.sleep(for: .seconds(60))) != nil {
                    for machine in await self.machines.all { await machine.trimConsole() }
                }
            }
            for await watch in watches {
                group.addTask { await watch.machine.watch(watch.process) }
            }
        }
    }

    /// Lets go of all machines, which go on: closes connections and ends the streams of events.
    package func disconnect() async {
        for machine in await machines.all { await machine.disconnect() }
        host.watches.finish()
        host.events.finish()
    }

    // MARK: Hypervisor

    package var accelerator: Accelerator {
        get async {
            do {
                return try await host.emulator.find().accelerator
            } catch {
                return Accelerator(kind: .tcg, reason: error.message)
            }
        }
    }

    package func start(_ machine: MachineDescription) async throws(HypervisorFault) {
        try await machines.machine(machine.id).start(machine)
    }

    package func stop(_ instance: InstanceID, mode: StopMode) async throws(HypervisorFault) {
        try await machines.machine(instance).stop(mode)
    }

    package func reset(_ instance: InstanceID) async throws(HypervisorFault) {
        try await machines.machine(instance).reset()
    }

    package func remove(_ instance: InstanceID) async throws(HypervisorFault) {
        try await machines.machine(instance).remove()
        await machines.forget(instance)
    }

    package func pause(_ instance: InstanceID, atMost limit: Duration) async throws(HypervisorFault) -> any PauseLease {
        try await machines.machine(instance).pause(atMost: limit)
    }

    package func status(of instance: InstanceID) async -> MachineStatus {
        await machines.machine(instance).status()
    }

    package func isAlive(_ instance: InstanceID) async -> Bool {
        await machines.machine(instance).isAlive()
    }

    package func inventory() async throws(HypervisorFault) -> [InstanceID] {
        let folder = host.configuration.machines
        let names = try await host.files("list the machines") {
            try FileManager.default.contentsOfDirectory(atPath: folder)
        }
        return names.compactMap(InstanceID.init).sorted()
    }

    package func events() async -> AsyncStream<MachineEvent> {
        host.events.listen()
    }

    package func writtenDisks(of instance: InstanceID) async throws(HypervisorFault) -> [Int: DiskHandle] {
        try await machines.machine(instance).writtenDisks()
    }

    package func openDisks(of instance: InstanceID) async throws(HypervisorFault) -> Set<DiskHandle> {
        try await machines.machine(instance).openDisks()
    }

    package func attach(_ disk: MachineDisk, to instance: InstanceID) async throws(HypervisorFault) {
        try await machines.machine(instance).attach(disk)
    }

    package func detach(slot: Int, from instance: InstanceID) async throws(HypervisorFault) {
        try await machines.machine(instance).detach(slot: slot)
    }

    package func blockChannel(of instance: InstanceID) async throws(HypervisorFault) -> (any LiveBlockChannel)? {
        try await machines.machine(instance).blockChannel()
    }

    package func freeze(_ instance: InstanceID, atMost limit: Duration) async throws(HypervisorFault) -> any FreezeLease
    {
        try await machines.machine(instance).freeze(atMost: limit)
    }

    package func thawIfFrozen(_ instance: InstanceID) async {
        await machines.machine(instance).thawIfFrozen()
    }

    package func memoryCapacity() async throws(HypervisorFault) -> PoolCapacity {
        let path = host.configuration.memory
        return try await host.files("see the room for memory") {
            let space = try FileSystemSpace.at(path)
            return PoolCapacity(total: ByteCount(space.totalBytes), free: ByteCount(space.availableBytes))
        }
    }

    package func saveMemory(
        of instance: InstanceID,
        as id: SnapshotGroupID,
        _ request: MemorySaveRequest,
        progress: @escaping ProgressHandler,
        atInstant: @escaping @Sendable () async throws -> Void
    ) async throws(HypervisorFault) -> StoredMemory {
        try await machines.machine(instance).saveMemory(as: id, request, progress: progress, atInstant: atInstant)
    }

    package func start(
        _ machine: MachineDescription,
        resuming memory: SnapshotGroupID,
        onceFor job: JobID,
        progress: @escaping ProgressHandler
    ) async throws(HypervisorFault) {
        try await machines.machine(machine.id).start(machine, resuming: memory, onceFor: job, progress: progress)
    }

    package func requireResumable(_ memory: SnapshotGroupID) async throws(HypervisorFault) {
        _ = try await host.requireResumable(memory)
    }

    package func findMemory(_ id: SnapshotGroupID) async throws(HypervisorFault) -> StoredMemory? {
        try await host.files("find a saved memory") { [host] in try host.memory.find(id)?.stored }
    }

    package func digestMemory(
        _ id: SnapshotGroupID,
        progress: @escaping ProgressHandler
    ) async throws(HypervisorFault) -> ContentDigest {
        try await host.digestMemory(id, progress: progress)
    }

    package func memoryInventory() async throws(HypervisorFault) -> MemoryInventory {
        try await host.files("list the saved memory") { [host] in try host.memory.inventory() }
    }

    package func deleteMemory(_ id: SnapshotGroupID) async throws(HypervisorFault) {
        try await host.files("remove a saved memory") { [host] in try host.memory.remove(id) }
    }

    package func quarantineMemory(_ name: String) async throws(HypervisorFault) -> String {
        try await host.files("set a saved memory aside") { [host] in try host.memory.setAside(name) }
    }

    package func guestFacts(of instance: InstanceID) async -> GuestFacts {
        await machines.machine(instance).guestFacts()
    }

    package func console(
        of instance: InstanceID,
        from offset: Int64,
        atMost limit: Int
    ) async throws(HypervisorFault) -> ConsoleText {
        try await machines.machine(instance).console(from: offset, atMost: limit)
    }

    package func screenshot(of instance: InstanceID) async throws(HypervisorFault) -> Data {
        try await machines.machine(instance).screenshot()
    }
}

/// The machines that somebody asked about, one owner for each.
private actor MachineRegistry {
    private let host: MachineHost
    private var machines: [InstanceID: QEMUMachine] = [:]

    init(host: MachineHost) {
        self.host = host
    }

    var all: [QEMUMachine] { Array(machines.values) }

    func machine(_ id: InstanceID) -> QEMUMachine {
        if let known = machines[id] { return known }
        let machine = QEMUMachine(id: id, host: host)
        machines[id] = machine
        return machine
    }

    func forget(_ id: InstanceID) { machines[id] = nil }
}
