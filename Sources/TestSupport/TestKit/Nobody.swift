import Foundation
import SnapshotDomain
import SnapshotPorts
package import SnapshotServices

extension Accounts {
    /// Knows nobody: for pages that are shown to somebody whom the test names.
    package static let ofNobody = Accounts(
        world: World(catalog: Nothing(), stores: [], hypervisor: Nothing(), uploads: Nothing(), images: Nothing()),
        secrets: Nothing()
    )
}

/// Every part of the world that no page may touch but through its cloud.
private struct Nothing: Catalog, Hypervisor, UploadArea, ImageFetcher, Secrets {
    private struct Untouchable: Error {}

    private static let fault = HypervisorFault(.unavailable, .notDone, "There is nothing here.")

    func read<Value: Sendable>(_ body: @escaping @Sendable (any CatalogReader) throws -> Value) async throws -> Value {
        throw Untouchable()
    }

    func write<Value: Sendable>(_ body: @escaping @Sendable (any CatalogWriter) throws -> Value) async throws -> Value {
        throw Untouchable()
    }

    func makePath() async throws -> String { throw Untouchable() }
    func discard(_ path: String) async {}
    func sweep(keeping paths: Set<String>) async throws { throw Untouchable() }

    func fetch(
        _ image: RemoteImage,
        to path: String,
        within bounds: FetchBounds,
        progress: @escaping ProgressHandler
    ) async throws(ImageFetchFault) {
        throw ImageFetchFault(.unreachable, .notDone, "There is nothing here.")
    }

    func makeKey() -> String { "" }
    func digest(of key: String) -> Data { Data() }
    func makeVerifier(for password: String) async throws -> String { throw Untouchable() }
    func verify(_ password: String, against verifier: String) async throws -> Bool { false }

    var accelerator: Accelerator { Accelerator(kind: .tcg, reason: "There is nothing here.") }
    func start(_ machine: MachineDescription) async throws(HypervisorFault) { throw Self.fault }
    func stop(_ instance: InstanceID, mode: StopMode) async throws(HypervisorFault) { throw Self.fault }
    func reset(_ instance: InstanceID) async throws(HypervisorFault) { throw Self.fault }
    func remove(_ instance: InstanceID) async throws(HypervisorFault) { throw Self.fault }
    func pause(_ instance: InstanceID, atMost limit: Duration) async throws(HypervisorFault) -> any PauseLease {
        throw Self.fault
    }
    func status(of instance: InstanceID) async -> MachineStatus { .stopped }
    func isAlive(_ instance: InstanceID) async -> Bool { false }
    func inventory() async throws(HypervisorFault) -> [InstanceID] { throw Self.fault }
    func events() async -> AsyncStream<MachineEvent> { AsyncStream { $0.finish() } }
    func writtenDisks(of instance: InstanceID) async throws(HypervisorFault) -> [Int: DiskHandle] { throw Self.fault }
    func openDisks(of instance: InstanceID) async throws(HypervisorFault) -> Set<DiskHandle> { throw Self.fault }
    func attach(_ disk: MachineDisk, to instance: InstanceID) async throws(HypervisorFault) { throw Self.fault }
    func detach(slot: Int, from instance: InstanceID) async throws(HypervisorFault) { throw Self.fault }
    func blockChannel(of instance: InstanceID) async throws(HypervisorFault) -> (any LiveBlockChannel)? { nil }
    func freeze(_ instance: InstanceID, atMost limit: Duration) async throws(HypervisorFault) -> any FreezeLease {
        throw Self.fault
    }
    func memoryCapacity() async throws(HypervisorFault) -> PoolCapacity { throw Self.fault }
    func saveMemory(
        of instance: InstanceID,
        as id: SnapshotGroupID,
        _ request: MemorySaveRequest,
        progress: @escaping ProgressHandler,
        atInstant: @escaping @Sendable () async throws -> Void
    ) async throws(HypervisorFault) -> StoredMemory { throw Self.fault }
    func start(
        _ machine: MachineDescription,
        resuming memory: SnapshotGroupID,
        onceFor job: JobID,
        progress: @escaping ProgressHandler
    )
        async throws(HypervisorFault)
    { throw Self.fault }
    func requireResumable(_ memory: SnapshotGroupID) async throws(HypervisorFault) { throw Self.fault }
    func findMemory(_ id: SnapshotGroupID) async throws(HypervisorFault) -> StoredMemory? { throw Self.fault }
    func digestMemory(_ id: SnapshotGroupID, progress: @escaping ProgressHandler) async throws(HypervisorFault)
        -> ContentDigest
    { throw Self.fault }
    func memoryInventory() async throws(HypervisorFault) -> MemoryInventory { throw Self.fault }
    func deleteMemory(_ id: SnapshotGroupID) async throws(HypervisorFault) { throw Self.fault }
    func quarantineMemory(_ name: String) async throws(HypervisorFault) -> String { throw Self.fault }
    func thawIfFrozen(_ instance: InstanceID) async {}
    func guestFacts(of instance: InstanceID) async -> GuestFacts {
        GuestFacts(isAgentAnswering: false, addresses: [], hostname: nil, sshPort: nil)
    }
    func console(of instance: InstanceID, from offset: Int64, atMost limit: Int) async throws(HypervisorFault)
        -> ConsoleText
    { throw Self.fault }
    func screenshot(of instance: InstanceID) async throws(HypervisorFault) -> Data { throw Self.fault }
}
