package import Foundation
package import SnapshotDomain
package import SnapshotPorts

/// A hypervisor whose calls can be made to fail.
///
/// What only looks, and has no fault to throw, always goes through.
package struct FaultyHypervisor: Hypervisor {
    private let real: any Hypervisor
    private let faults: CallFaults

    package init(_ real: any Hypervisor, _ faults: CallFaults) {
        self.real = real
        self.faults = faults
    }

    private func call<Value>(
        _ name: String,
        _ body: () async throws(HypervisorFault) -> Value
    ) async throws(HypervisorFault) -> Value {
        try await faults.run("hypervisor.\(name)", fault: Self.fault, body)
    }

    private static func fault(_ moment: CallFaults.Moment) -> HypervisorFault {
        switch moment {
        case .before: HypervisorFault(.io, .notDone, "An injected fault: the machine was not reached.")
        case .after, .dying: HypervisorFault(.io, .unknown, "An injected fault: the machine's answer was lost.")
        }
    }

    package var accelerator: Accelerator {
        get async { await real.accelerator }
    }

    package func start(_ machine: MachineDescription) async throws(HypervisorFault) {
        try await call("start") { () async throws(HypervisorFault) in try await real.start(machine) }
    }

    package func stop(_ instance: InstanceID, mode: StopMode) async throws(HypervisorFault) {
        try await call("stop") { () async throws(HypervisorFault) in try await real.stop(instance, mode: mode) }
    }

    package func reset(_ instance: InstanceID) async throws(HypervisorFault) {
        try await call("reset") { () async throws(HypervisorFault) in try await real.reset(instance) }
    }

    package func remove(_ instance: InstanceID) async throws(HypervisorFault) {
        try await call("remove") { () async throws(HypervisorFault) in try await real.remove(instance) }
    }

    package func pause(
        _ instance: InstanceID,
        atMost limit: Duration
    ) async throws(HypervisorFault) -> any PauseLease {
        try await call("pause") { () async throws(HypervisorFault) in
            try await real.pause(instance, atMost: limit)
        }
    }

    package func status(of instance: InstanceID) async -> MachineStatus {
        await real.status(of: instance)
    }

    package func isAlive(_ instance: InstanceID) async -> Bool {
        await real.isAlive(instance)
    }

    package func inventory() async throws(HypervisorFault) -> [InstanceID] {
        try await call("inventory", real.inventory)
    }

    package func events() async -> AsyncStream<MachineEvent> {
        await real.events()
    }

    package func writtenDisks(of instance: InstanceID) async throws(HypervisorFault) -> [Int: DiskHandle] {
        try await call("writtenDisks") { () async throws(HypervisorFault) in try await real.writtenDisks(of: instance) }
    }

    package func openDisks(of instance: InstanceID) async throws(HypervisorFault) -> Set<DiskHandle> {
        try await call("openDisks") { () async throws(HypervisorFault) in try await real.openDisks(of: instance) }
    }

    package func attach(_ disk: MachineDisk, to instance: InstanceID) async throws(HypervisorFault) {
        try await call("attach") { () async throws(HypervisorFault) in try await real.attach(disk, to: instance) }
    }

    package func detach(slot: Int, from instance: InstanceID) async throws(HypervisorFault) {
        try await call("detach") { () async throws(HypervisorFault) in
            try await real.detach(slot: slot, from: instance)
        }
    }

    package func blockChannel(of instance: InstanceID) async throws(HypervisorFault) -> (any LiveBlockChannel)? {
        try await call("blockChannel") { () async throws(HypervisorFault) in try await real.blockChannel(of: instance) }
    }

    package func freeze(
        _ instance: InstanceID,
        atMost limit: Duration
    ) async throws(HypervisorFault) -> any FreezeLease {
        try await call("freeze") { () async throws(HypervisorFault) in
            try await real.freeze(instance, atMost: limit)
        }
    }

    package func thawIfFrozen(_ instance: InstanceID) async {
        await real.thawIfFrozen(instance)
    }

    package func memoryCapacity() async throws(HypervisorFault) -> PoolCapacity {
        try await call("memoryCapacity", real.memoryCapacity)
    }

    package func saveMemory(
        of instance: InstanceID,
        as id: SnapshotGroupID,
        _ request: MemorySaveRequest,
        progress: @escaping ProgressHandler,
        atInstant: @escaping @Sendable () async throws -> Void
    ) async throws(HypervisorFault) -> StoredMemory {
        try await call("saveMemory") { () async throws(HypervisorFault) in
            try await real.saveMemory(of: instance, as: id, request, progress: progress, atInstant: atInstant)
        }
    }

    package func start(
        _ machine: MachineDescription,
        resuming memory: SnapshotGroupID,
        onceFor job: JobID,
        progress: @escaping ProgressHandler
    ) async throws(HypervisorFault) {
        try await call("startResuming") { () async throws(HypervisorFault) in
            try await real.start(machine, resuming: memory, onceFor: job, progress: progress)
        }
    }

    package func requireResumable(_ memory: SnapshotGroupID) async throws(HypervisorFault) {
        try await call("requireResumable") { () async throws(HypervisorFault) in
            try await real.requireResumable(memory)
        }
    }

    package func findMemory(_ id: SnapshotGroupID) async throws(HypervisorFault) -> StoredMemory? {
        try await call("findMemory") { () async throws(HypervisorFault) in try await real.findMemory(id) }
    }

    package func digestMemory(
        _ id: SnapshotGroupID,
        progress: @escaping ProgressHandler
    ) async throws(HypervisorFault) -> ContentDigest {
        try await call("digestMemory") { () async throws(HypervisorFault) in
            try await real.digestMemory(id, progress: progress)
        }
    }

    package func memoryInventory() async throws(HypervisorFault) -> MemoryInventory {
        try await call("memoryInventory", real.memoryInventory)
    }

    package func deleteMemory(_ id: SnapshotGroupID) async throws(HypervisorFault) {
        try await call("deleteMemory") { () async throws(HypervisorFault) in try await real.deleteMemory(id) }
    }

    package func quarantineMemory(_ name: String) async throws(HypervisorFault) -> String {
        try await call("quarantineMemory") { () async throws(HypervisorFault) in
            try await real.quarantineMemory(name)
        }
    }

    package func guestFacts(of instance: InstanceID) async -> GuestFacts {
        await real.guestFacts(of: instance)
    }

    package func console(
        of instance: InstanceID,
        from offset: Int64,
        atMost limit: Int
    ) async throws(HypervisorFault) -> ConsoleText {
        try await call("console") { () async throws(HypervisorFault) in
            try await real.console(of: instance, from: offset, atMost: limit)
        }
    }

    package func screenshot(of instance: InstanceID) async throws(HypervisorFault) -> Data {
        try await call("screenshot") { () async throws(HypervisorFault) in try await real.screenshot(of: instance) }
    }
}
