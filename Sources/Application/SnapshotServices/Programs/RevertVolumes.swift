import Foundation
import SnapshotDomain
import SnapshotPorts

/// Puts volumes of one instance, or one detached volume, back to snapshots: stop, switch, start, with an undo.
///
/// What needs room comes first: a full pool refuses a revert before it has cost the guest anything.
///
/// | dies after | on disk | the next run |
/// | --- | --- | --- |
/// | prepare | empty layers on the snapshots' layers | makes them again, to no effect |
/// | stop | machine off | goes on; the wish to run is in the catalog |
/// | switch | rows: new active layers, undo snapshots | sees them, and starts the machine |
/// | start | machine on | finds it so |
///
/// With memory, the machine goes on from it instead of starting anew; the memory is read and compared before anything is
/// stopped. That a machine went on for this job is durable before it runs: one that did, and ended before the job, is
/// started anew, as its disks are not those of the instant any more.
struct RevertVolumes: JobProgram {
    struct Item: Codable, Sendable {
        /// What it is put back to: this, or a template.
        var snapshot: SnapshotID?
        var template: TemplateID?
        var volume: VolumeID
        var fresh: LayerID
        /// The snapshot that will keep what is replaced.
        var undo: SnapshotID
    }

    static let kind = Job.Kind.revertVolumes

    var instance: InstanceID?
    var items: [Item]
    var restarts: Bool
    /// The memory to go on from.
    var memory: SnapshotGroupID?

    var ownLayers: Set<LayerID> { Set(items.map(\.fresh)) }

    func perform(_ work: JobWork) async throws {
        if try await !isSwitched(work) {
            if let memory { try await work.step("memory") { try await verify(memory, work) } }
            try await work.step("prepare") { try await createLayers(work) }
            if let instance {
                try await work.step("stop") { try await work.stopMachine(instance, isForced: false) }
            }
            try await work.step("switch") {
                try await work.holding(items.map(\.volume)) { volumes in
                    let stored = try await storedLayers(of: volumes, work)
                    try await work.world.catalog.write { writer in try record(stored, writer, work) }
                }
            }
        }
        guard let instance else { return }
        try await work.step("start", evenCancelled: true) {
            try await work.unhurried {
                if let memory {
                    try await resume(instance, memory, work)
                    try await work.world.catalog.write { try $0.setPower(.running, of: instance) }
                } else if try await shouldRun(instance, work) {
                    try await work.startMachine(instance)
                } else {
                    try await work.world.catalog.write { try $0.setPower(.stopped, of: instance) }
                }
            }
        }
    }

    func undo(_ work: JobWork) async throws {
        if try await !isSwitched(work) {
            for item in items {
                guard let origin = try await work.world.catalog.read({ try $0.origin(of: item) }) else { continue }
                try await work.world.store(origin.pool).deleteLayer(item.fresh)
            }
        }
        // What ran before a revert that did not happen runs again after it.
        guard let instance, try await shouldRun(instance, work) else { return }
        try await work.startMachine(instance)
    }

    func disturbedLayers(_ reader: any CatalogReader) throws -> Set<LayerID> {
        Set(try items.compactMap { try reader.findVolume($0.volume)?.activeLayer })
    }

    private func shouldRun(_ instance: InstanceID, _ work: JobWork) async throws -> Bool {
        try await work.instance(instance).power == .running && restarts
    }

    /// What cannot be used is refused before it has cost the guest anything.
    private func verify(_ memory: SnapshotGroupID, _ work: JobWork) async throws {
        guard let image = try await work.world.catalog.read({ try $0.findMemoryImage(memory) }) else {
            throw ServiceError(.notFound, "The saved memory is gone; nothing was changed. Revert without it.")
        }
        try await work.world.hypervisor.requireResumable(memory)
        let digest = try await work.world.hypervisor.digestMemory(memory, progress: work.progress)
        guard digest == image.digest else {
            throw ServiceError(
                .damaged,
                "The saved memory is not what was written; nothing was changed. Revert without it, and verify the snapshots."
            )
        }
    }

    private func resume(_ instance: InstanceID, _ memory: SnapshotGroupID, _ work: JobWork) async throws {
        do {
            try await work.startMachine(instance, resuming: memory)
        } catch let error as HypervisorFault {
            // A former run of this job let it go on, and it has ended since.
            guard error.code == .wrongState, await !work.world.hypervisor.isAlive(instance),
                try await isSwitched(work)
            else { throw error }
            try await work.startMachine(instance)
        }
    }

    private func isSwitched(_ work: JobWork) async throws -> Bool {
        try await work.world.catalog.read { reader in
            try items.allSatisfy { try reader.findVolume($0.volume)?.activeLayer == $0.fresh }
        }
    }

    private func origin(of item: Item, _ work: JobWork) async throws -> RevertOrigin {
        guard let origin = try await work.world.catalog.read({ try $0.origin(of: item) }) else {
            throw ServiceError(.notFound, "What the volume was to hold is gone; nothing was changed.")
        }
        return origin
    }

    private func createLayers(_ work: JobWork) async throws {
        for item in items {
            let origin = try await self.origin(of: item, work)
            try await work.requireRoom(.mebibytes(1), in: origin.pool)
            try await work.world.store(origin.pool).createLayer(
                item.fresh,
                on: origin.layer,
                size: origin.size,
                through: nil
            )
        }
    }

    /// The layers that are replaced, and those that replace them, as they are on the medium.
    private func storedLayers(of volumes: [Volume], _ work: JobWork) async throws -> [LayerID: StoredLayer] {
        var stored: [LayerID: StoredLayer] = [:]
        for volume in volumes {
            let store = try work.world.store(volume.pool)
            // One that is gone is no reason not to go back to a snapshot: it may be the reason to.
            if let replaced = try await store.findLayer(volume.activeLayer) { stored[replaced.id] = replaced }
        }
        for item in items {
            stored[item.fresh] = try await work.storedLayer(item.fresh, in: try await origin(of: item, work).pool)
        }
        return stored
    }

    private func record(
        _ stored: [LayerID: StoredLayer],
        _ writer: any CatalogWriter,
        _ work: JobWork
    ) throws {
        let now = work.world.time.now
        let lifetime = TimeInterval(work.world.settings.undoLifetime.components.seconds)
        for item in items {
            guard var volume = try writer.findVolume(item.volume), let origin = try writer.origin(of: item) else {
                throw ServiceError(.notFound, "The volume or what it was to hold is gone; nothing was changed.")
            }
            let instance = try volume.attachment.flatMap { try writer.findInstance($0.instance) }
            try writer.insert(
                Layer(
                    id: item.fresh,
                    pool: origin.pool,
                    parent: origin.layer,
                    size: origin.size,
                    allocated: stored[item.fresh]?.allocated ?? .zero,
                    phase: .ready
                )
            )
            if var replaced = try writer.findLayer(volume.activeLayer), let found = stored[replaced.id] {
                replaced.allocated = found.allocated
                try writer.update(replaced)
            }
            try writer.insert(
                Snapshot(
                    id: item.undo,
                    environment: volume.environment,
                    name: try writer.freeUndoName(for: volume, at: now),
                    description: "What the volume held before it was reverted to '\(origin.name)'.",
                    source: Snapshot.Source(of: volume, instance),
                    pool: volume.pool,
                    layer: volume.activeLayer,
                    size: volume.size,
                    origin: .undo(of: volume.id, expiresAt: now.addingTimeInterval(lifetime)),
                    consistency: ConsistencyRecord(requested: .crash, achieved: .filesystem),
                    state: volume.state.failure.map { .failed(reason: $0) } ?? .available,
                    createdAt: now
                )
            )
            // What failed was its content, and it has another now.
            if volume.state.failure != nil { volume.state = .available }
            volume.activeLayer = item.fresh
            volume.size = origin.size
            volume.pool = origin.pool
            if let template = item.template {
                volume.template = template
                if var instance {
                    instance.template = template
                    try writer.update(instance)
                }
            }
            try writer.update(volume)
        }
    }
}

/// The frozen content that a volume is put back to.
private struct RevertOrigin: Sendable {
    var name: ResourceName
    var pool: PoolID
    var layer: LayerID
    var size: ByteCount
}

extension CatalogReader {
    /// Nil for what is gone.
    fileprivate func origin(of item: RevertVolumes.Item) throws -> RevertOrigin? {
        if let snapshot = try item.snapshot.flatMap({ try findSnapshot($0) }) {
            return RevertOrigin(
                name: snapshot.name,
                pool: snapshot.pool,
                layer: snapshot.layer,
                size: snapshot.size
            )
        }
        guard let template = try item.template.flatMap({ try findTemplate($0) }),
            let volume = try findVolume(item.volume)
        else { return nil }
        // A root volume that was made larger than its template stays so.
        let size = max(template.size, volume.size)
        return RevertOrigin(name: template.name, pool: template.pool, layer: template.layer, size: size)
    }
}

extension CatalogWriter {
    /// Notes what the owner wants of a machine.
    func setPower(_ power: Instance.Power, of id: InstanceID) throws {
        guard var instance = try findInstance(id), instance.power != power else { return }
        instance.power = power
        try update(instance)
    }

    /// A generated name that is free.
    func freeGeneratedName(for volume: Volume, _ instance: Instance?, at instant: Date) throws -> ResourceName {
        var ordinal = 1
        while true {
            let name = try GeneratedName.snapshot(
                instance: instance?.name,
                volume: volume.name,
                at: instant,
                ordinal: ordinal
            )
            if try findSnapshot(named: name, in: volume.environment) == nil { return name }
            ordinal += 1
        }
    }

    fileprivate func freeUndoName(for volume: Volume, at instant: Date) throws -> ResourceName {
        var name = try ResourceName("undo_\(volume.name)_\(UTCStamp.compact(instant))")
        var ordinal = 1
        while try findSnapshot(named: name, in: volume.environment) != nil {
            ordinal += 1
            name = try ResourceName("undo_\(volume.name)_\(UTCStamp.compact(instant))_\(ordinal)")
        }
        return name
    }
}

extension Snapshot.Source {
    init(of volume: Volume, _ instance: Instance?) {
        self.init(
            volume: volume.id,
            volumeName: volume.name,
            role: volume.role,
            instance: instance?.id,
            instanceName: instance?.name
        )
    }
}
