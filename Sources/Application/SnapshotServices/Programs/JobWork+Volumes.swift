import SnapshotDomain
import SnapshotPorts

extension JobWork {
    /// A volume that the job needs; it may be gone since the job was asked for.
    func volume(_ id: VolumeID) async throws -> Volume {
        guard let volume = try await world.catalog.read({ try $0.findVolume(id) }) else {
            throw ServiceError(.notFound, "The volume is gone; there is nothing left to do.", subject: .volume(id))
        }
        return volume
    }

    func instance(_ id: InstanceID) async throws -> Instance {
        guard let instance = try await world.catalog.read({ try $0.findInstance(id) }) else {
            throw ServiceError(.notFound, "The instance is gone; there is nothing left to do.", subject: .instance(id))
        }
        return instance
    }

    func snapshot(_ id: SnapshotID) async throws -> Snapshot {
        guard let snapshot = try await world.catalog.read({ try $0.findSnapshot(id) }) else {
            throw ServiceError(.notFound, "The snapshot is gone; there is nothing left to do.", subject: .snapshot(id))
        }
        return snapshot
    }

    /// A layer and its ancestors, nearest first.
    func chain(of layer: LayerID) async throws -> [LayerID] {
        try await world.catalog.read { try $0.layerChain(of: layer) }
    }

    /// Runs a body with the volumes as they are while nobody can move their active layers.
    func holding<Value>(_ ids: [VolumeID], _ body: ([Volume]) async throws -> Value) async throws -> Value {
        try await holding(ids, reading: { _, _ in }) { volumes, _ in try await body(volumes) }
    }

    /// The same, with what the catalog says about the volumes in the same state of it.
    func holding<Facts: Sendable, Value>(
        _ ids: [VolumeID],
        reading facts: @escaping @Sendable (any CatalogReader, [Volume]) throws -> Facts,
        _ body: ([Volume], Facts) async throws -> Value
    ) async throws -> Value {
        while true {
            let volumes = try await world.catalog.read { reader in try ids.compactMap { try reader.findVolume($0) } }
            let layers = Set(volumes.map(\.activeLayer))
            let value = try await world.leases.sharing(layers) { () async throws -> Value? in
                let now = try await world.catalog.read { reader -> (volumes: [Volume], facts: Facts) in
                    let volumes = try ids.compactMap { try reader.findVolume($0) }
                    return (volumes, try facts(reader, volumes))
                }
                // The collector may have moved one before the lease was granted.
                guard Set(now.volumes.map(\.activeLayer)) == layers else { return nil }
                return try await body(now.volumes, now.facts)
            }
            if let value { return value }
        }
    }

    /// Runs a body while a layer and all below it stay as they are: for readers of its whole content.
    func holdingChain<Value>(of layer: LayerID, _ body: () async throws -> Value) async throws -> Value {
        while true {
            let chain = Set(try await chain(of: layer))
            let value = try await world.leases.sharing(chain) { () async throws -> Value? in
                guard Set(try await self.chain(of: layer)) == chain else { return nil }
                return try await body()
            }
            if let value { return value }
        }
    }

    /// The step in which a deletion removes its rows, and with them pins: the point of return.
    ///
    /// - Parameters:
    ///   - layers: Reads which layers lose a pin.
    ///   - rows: Removes the rows, also when they are gone.
    /// - Returns: Where there may be something to collect now.
    /// - Throws: What the catalog throws.
    func unpin(
        _ layers: @escaping @Sendable (any CatalogReader) throws -> Set<LayerID>,
        rows: @escaping @Sendable (any CatalogWriter) throws -> Void
    ) async throws -> Set<LayerID> {
        try await step("unpin") {
            let freed = try await world.catalog.read(layers)
            do {
                try await world.catalog.write(rows)
            } catch let fault as CatalogFault where fault.outcome == .unknown {
                // They may be gone already, and then nobody else would collect what they pinned.
                try await world.catalog.write(rows)
            }
            return freed
        }
    }

    /// Refuses work that the pool has no room for, before it begins.
    func requireRoom(_ needed: ByteCount, in pool: PoolID) async throws {
        let free = try await world.capacity(of: pool).free
        let reserve = world.reserve(of: pool)
        guard needed + reserve <= free else {
            throw ServiceError(
                .noSpace,
                """
                The pool '\(pool)' has \(free) free and this needs \(needed) with \(reserve) in reserve. \
                Delete snapshots or templates that are not needed, or add space, and try again.
                """,
                subject: .pool(pool)
            )
        }
    }

    func allocated(_ layer: LayerID, in pool: PoolID) async throws -> ByteCount {
        try await storedLayer(layer, in: pool).allocated
    }

    /// A layer as the store finds it when it opens it again: what "completed means there" rests on.
    func storedLayer(_ layer: LayerID, in pool: PoolID) async throws -> StoredLayer {
        guard let stored = try await world.store(pool).findLayer(layer) else {
            throw ServiceError(
                .damaged,
                "The pool '\(pool)' does not have what it was given to keep; look at its disk."
            )
        }
        return stored
    }
}
