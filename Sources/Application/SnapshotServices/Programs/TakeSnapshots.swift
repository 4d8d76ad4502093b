import SnapshotDomain
import SnapshotPorts

/// Freezes the present content of one or more volumes of one instance, all at one instant.
///
/// | dies after | on disk | the next run |
/// | --- | --- | --- |
/// | the intent | rows `creating` | does everything |
/// | prepare | empty layers nobody writes | makes them again, to no effect, and goes on |
/// | switch | machine writes the new layers | finds it so, and records it; what held the guest let it go by itself |
/// | switch, with memory | memory as `memory/<group>`, or nothing of it | finds it, or settles or fails as asked |
/// | end | snapshots `available` | nothing: the job has ended |
struct TakeSnapshots: JobProgram {
    struct Item: Codable, Sendable {
        var snapshot: SnapshotID
        var volume: VolumeID
        /// The new active layer.
        var fresh: LayerID
    }

    struct Findings: Sendable {
        var consistency: ConsistencyRecord
        var memory: StoredMemory?
        /// By volume: what was frozen, what is written now.
        var layers: [VolumeID: (frozen: StoredLayer, fresh: StoredLayer)]
    }

    static let kind = Job.Kind.createSnapshots

    var instance: InstanceID?
    var items: [Item]
    var consistency: ConsistencyRequest
    /// What the memory is saved as, when it is asked for.
    var memory: MemoryToSave?

    var ownMemory: Set<SnapshotGroupID> { Set([memory?.group].compactMap(\.self)) }

    var ownLayers: Set<LayerID> { Set(items.map(\.fresh)) }

    func perform(_ work: JobWork) async throws -> Findings {
        try await work.holding(items.map(\.volume), reading: Self.depths) { volumes, depths in
            let plan = try await plan(volumes, depths, work)
            let channel = try await channel(work)
            let past = try await pastInstant(plan, work)
            try await work.step("prepare") {
                guard past == nil else { return }
                try await createLayers(plan, through: channel, work)
                if let channel {
                    for (pool, switches) in plan.switches {
                        try await work.world.store(pool).prepareSwitch(switches, through: channel)
                    }
                }
            }
            let (record, saved) = try await work.step("switch") {
                () async throws -> (ConsistencyRecord, StoredMemory?) in
                if let past { return (past, nil) }
                if let memory, let instance {
                    return try await saveMemory(memory, of: instance, plan, through: channel, work)
                }
                return (try await switchOver(plan, through: channel, work), nil)
            }
            return try await work.step("check") {
                var layers: [VolumeID: (frozen: StoredLayer, fresh: StoredLayer)] = [:]
                for (volume, item) in plan.pairs {
                    layers[volume.id] = (
                        try await work.storedLayer(volume.activeLayer, in: volume.pool),
                        try await work.storedLayer(item.fresh, in: volume.pool)
                    )
                }
                return Findings(consistency: record, memory: saved, layers: layers)
            }
        }
    }

    func finish(_ findings: Findings, _ writer: any CatalogWriter, _ work: JobWork) throws {
        for item in items {
            guard let layers = findings.layers[item.volume] else { continue }
            try recordSwitch(item, to: layers.fresh, writer)
            _ = try writer.noteSizes(of: [layers.frozen])
            guard var snapshot = try writer.findSnapshot(item.snapshot) else { continue }
            snapshot.layer = layers.frozen.id
            snapshot.size = layers.frozen.size
            snapshot.consistency = findings.consistency
            snapshot.createdAt = work.world.time.now
            // Somebody may have asked for its deletion already: that job waits for this one.
            if case .creating = snapshot.state { snapshot.state = .available }
            try writer.update(snapshot)
        }
        if let saved = findings.memory { try writer.insert(memoryImage(saved, work)) }
    }

    /// The volumes that stand on their new layers all the same: a machine cannot be put back.
    func undo(_ work: JobWork) async throws -> [VolumeID: StoredLayer] {
        if let memory { try await work.world.hypervisor.deleteMemory(memory.group) }
        var moved: [VolumeID: StoredLayer] = [:]
        let channel = try await channel(work)
        let written = try await writtenLayers(work)
        for item in items {
            guard let volume = try await work.world.catalog.read({ try $0.findVolume(item.volume) }) else { continue }
            let store = try work.world.store(volume.pool)
            // A machine that died after the switch wrote its last words there; which of the two it was cannot be asked
            // any more. An empty layer in between costs nothing and is merged away.
            let mayHold = instance != nil && channel == nil
            if let fresh = try await store.findLayer(item.fresh), mayHold || written.contains(item.fresh) {
                if mayHold {
                    // Where the switch had only been prepared, it is carried out: nobody writes there any more.
                    try await store.createLayer(item.fresh, on: volume.activeLayer, size: fresh.size, through: nil)
                }
                moved[volume.id] = fresh
                continue
            }
            if let channel {
                let switches = [LayerSwitch(from: volume.activeLayer, to: item.fresh)]
                try await store.abandonSwitch(switches, through: channel)
            }
            try await store.deleteLayer(item.fresh)
        }
        return moved
    }

    func abandon(
        _ moved: [VolumeID: StoredLayer]?,
        because error: ServiceError,
        _ writer: any CatalogWriter,
        _ work: JobWork
    ) throws {
        for item in items {
            if let fresh = moved?[item.volume] { try recordSwitch(item, to: fresh, writer) }
            guard var snapshot = try writer.findSnapshot(item.snapshot) else { continue }
            if error.code == .cancelled {
                try writer.deleteSnapshot(snapshot.id)
            } else {
                snapshot.state = .failed(reason: error.message)
                try writer.update(snapshot)
            }
        }
    }

    func disturbedLayers(_ reader: any CatalogReader) throws -> Set<LayerID> {
        Set(try items.compactMap { try reader.findVolume($0.volume)?.activeLayer })
    }

    // MARK: Steps

    struct Plan {
        var pairs: [(volume: Volume, item: Item)]
        var switches: [PoolID: [LayerSwitch]]
    }

    /// How many layers each volume stands on, its own included.
    @Sendable
    private static func depths(_ reader: any CatalogReader, _ volumes: [Volume]) throws -> [VolumeID: Int] {
        try volumes.reduce(into: [:]) { $0[$1.id] = try reader.layerChain(of: $1.activeLayer).count }
    }

    private func plan(_ volumes: [Volume], _ depths: [VolumeID: Int], _ work: JobWork) async throws -> Plan {
        var plan = Plan(pairs: [], switches: [:])
        for item in items {
            guard let volume = volumes.first(where: { $0.id == item.volume }) else {
                throw ServiceError(.notFound, "The volume is gone; nothing was frozen.", subject: .volume(item.volume))
            }
            let depth = depths[volume.id] ?? 0
            let bound = work.world.settings.collection.hardDepth
            guard depth < bound else {
                throw ServiceError(
                    .limitExceeded,
                    """
                    The volume '\(volume.name)' stands on \(depth) layers, and at most \(bound) are allowed. \
                    Delete snapshots of it, or wait until the collector has flattened it.
                    """,
                    subject: .volume(volume.id)
                )
            }
            try await work.requireRoom(.mebibytes(1), in: volume.pool)
            plan.pairs.append((volume, item))
            plan.switches[volume.pool, default: []].append(LayerSwitch(from: volume.activeLayer, to: item.fresh))
        }
        return plan
    }

    private func createLayers(_ plan: Plan, through channel: (any LiveBlockChannel)?, _ work: JobWork) async throws {
        for (volume, item) in plan.pairs {
            try await work.world.store(volume.pool).createLayer(
                item.fresh,
                on: volume.activeLayer,
                size: volume.size,
                through: channel
            )
        }
    }

    private func channel(_ work: JobWork) async throws -> (any LiveBlockChannel)? {
        guard let instance else { return nil }
        return try await work.world.hypervisor.blockChannel(of: instance)
    }

    func writtenLayers(_ work: JobWork) async throws -> Set<LayerID> {
        guard let instance, await work.world.hypervisor.isAlive(instance) else { return [] }
        return Set(try await work.world.writtenLayers(of: instance).values)
    }

    private func recordSwitch(_ item: Item, to fresh: StoredLayer, _ writer: any CatalogWriter) throws {
        guard var volume = try writer.findVolume(item.volume), volume.activeLayer != fresh.id else { return }
        try writer.insert(
            Layer(
                id: fresh.id,
                pool: volume.pool,
                parent: volume.activeLayer,
                size: fresh.size,
                allocated: fresh.allocated,
                phase: .ready
            )
        )
        volume.activeLayer = fresh.id
        try writer.update(volume)
    }
}
