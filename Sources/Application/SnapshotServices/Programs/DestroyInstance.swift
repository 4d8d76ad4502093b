import SnapshotDomain
import SnapshotPorts

/// Puts an instance aside: stops it, lets its other volumes go, and keeps the rest until it is recovered or purged.
///
/// No byte is touched, so whatever is put aside can come back as it was.
///
/// | dies after | on disk | the next run |
/// | --- | --- | --- |
/// | (intent) | the row says `deleting`: nobody else can start it | stops the machine |
/// | stop | machine off | finds it so |
/// | end | rows: instance and its volumes `destroyed`, the others detached | – |
struct DestroyInstance: JobProgram {
    static let kind = Job.Kind.destroyInstance

    /// A guest that listens is off in this time, and the owner of one that does not is rid of it soon.
    static let patience = Duration.seconds(15)

    var instance: InstanceID
    /// Data volumes that are put aside with it; the others are detached and stay.
    var volumes: Set<VolumeID>

    func perform(_ work: JobWork) async throws -> [StoredLayer] {
        try await work.step("stop") {
            let patience = min(Self.patience, work.world.settings.gracefulStop)
            try await work.stopMachine(instance, isForced: false, patience: patience)
        }
        return try await work.world.activeLayers(of: instance)
    }

    func finish(_ written: [StoredLayer], _ writer: any CatalogWriter, _ work: JobWork) throws {
        guard var row = try writer.findInstance(instance) else { return }
        let now = work.world.time.now
        for var volume in try writer.volumes(of: instance) {
            if volume.role == .root || volumes.contains(volume.id) {
                // One that has failed has nothing to recover: it stays as it is, and goes with the instance.
                if volume.state == .available { volume.state = .destroyed(at: now) }
            } else {
                volume.attachment = nil
            }
            try writer.update(volume)
        }
        row.state = .destroyed(at: now)
        row.power = .stopped
        try writer.update(row)
        _ = try writer.noteSizes(of: written)
    }

    func abandon(_ residue: Void?, because error: ServiceError, _ writer: any CatalogWriter, _ work: JobWork) throws {
        guard var row = try writer.findInstance(instance), case .deleting = row.state else { return }
        row.state = .available
        try writer.update(row)
    }

    /// Layers that only a running machine kept from being merged.
    func disturbedLayers(_ reader: any CatalogReader) throws -> Set<LayerID> {
        Set(try reader.volumes(of: instance).map(\.activeLayer))
    }
}
