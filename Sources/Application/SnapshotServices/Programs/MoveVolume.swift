import SnapshotDomain
import SnapshotPorts

/// Moves a volume that no machine runs on to another pool: its content is copied and compared, then the volume writes the copy.
///
/// Snapshots stay where they are, on the layers that they pin, and stay useful: going back to one takes the volume back to
/// that pool.
///
/// | dies after | on disk | the next run |
/// | --- | --- | --- |
/// | the intent | a row of a layer that is being made | copies |
/// | copy | the layer, of which only the job knows; a half-made one was swept | finds it, and compares again |
/// | record | the volume writes the copy; its old layer is pinned by nothing | nothing is left to do; every start collects |
///
/// Before *record* a failed or cancelled job deletes the copy, and the volume has not changed.
struct MoveVolume: JobProgram {
    static let kind = Job.Kind.moveVolume

    var volume: VolumeID
    var copy: LayerID
    var pool: PoolID

    var ownLayers: Set<LayerID> { [copy] }
    var ownPools: Set<PoolID> { [pool] }
    var isHeavy: Bool { true }

    func perform(_ work: JobWork) async throws {
        let row = try await work.volume(volume)
        guard row.activeLayer != copy else { return }
        if let instance = row.attachment?.instance, await work.world.hypervisor.isAlive(instance) {
            throw ServiceError.movesOnlyAtRest(row)
        }
        // The lane of the volume is ours: nobody else gives it another layer, and no machine starts on it.
        let source = row.activeLayer
        try await work.step("copy") { try await work.transfer(source, from: row.pool, to: copy, in: pool) }
        try await work.step("record") {
            let stored = try await work.storedLayer(copy, in: pool)
            do {
                try await work.world.catalog.write { writer in try record(stored, writer) }
            } catch let fault as CatalogFault where fault.outcome == .unknown {
                // It may be recorded already, and then nobody else would collect what the volume left.
                try await work.world.catalog.write { writer in try record(stored, writer) }
            }
        }
        try await work.step("collect", evenCancelled: true) { await work.collect(around: [source]) }
    }

    func undo(_ work: JobWork) async throws {
        guard try await work.world.catalog.read({ try $0.findVolume(volume)?.activeLayer }) != copy else { return }
        try await work.world.store(pool).deleteLayer(copy)
    }

    func abandon(_ residue: Void?, because error: ServiceError, _ writer: any CatalogWriter, _ work: JobWork) throws {
        guard residue != nil, try writer.findVolume(volume)?.activeLayer != copy else { return }
        try writer.deleteLayer(copy)
    }

    private func record(_ stored: StoredLayer, _ writer: any CatalogWriter) throws {
        guard var row = try writer.findVolume(volume), var layer = try writer.findLayer(copy) else {
            throw ServiceError(.notFound, "The volume is gone; there is nothing left to do.", subject: .volume(volume))
        }
        layer.size = stored.size
        layer.allocated = stored.allocated
        layer.phase = .ready
        row.pool = pool
        row.activeLayer = copy
        try writer.update(layer)
        try writer.update(row)
    }
}

extension ServiceError {
    static func movesOnlyAtRest(_ volume: Volume) -> ServiceError {
        ServiceError(
            .wrongState,
            """
            The instance that has the volume '\(volume.name)' runs, and a volume moves only at rest. Stop the instance, move the \
            volume, and start the instance again.
            """,
            subject: .volume(volume.id)
        )
    }
}
