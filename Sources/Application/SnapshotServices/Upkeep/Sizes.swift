import SnapshotDomain
import SnapshotPorts

/// How much layers take, brought from the pool into the catalog: a machine's disks grow without telling anybody.
extension World {
    /// What the volumes of an instance write to, as the pool has it.
    ///
    /// What is missing there is left out, and so is what is in a pool that does not answer.
    func activeLayers(of instance: InstanceID) async throws -> [StoredLayer] {
        try await activeLayers(of: try await catalog.read { try $0.volumes(of: instance) })
    }

    func activeLayers(of volumes: [Volume]) async throws -> [StoredLayer] {
        var found: [StoredLayer] = []
        for volume in volumes where watch.isReady(volume.pool) {
            let store = try store(volume.pool)
            let layer = try await promptly(within: settings.poolPatience) {
                try await store.findLayer(volume.activeLayer)
            }
            if let layer = layer ?? nil { found.append(layer) }
        }
        return found
    }
}

extension CatalogWriter {
    /// Notes what layers take.
    ///
    /// A merge in between makes a measurement stale: then the layer stands on another than it did, and the collector has
    /// noted its size.
    ///
    /// - Returns: Those that took another amount before.
    /// - Throws: What the catalog throws.
    func noteSizes(of stored: [StoredLayer]) throws -> Set<LayerID> {
        var changed: Set<LayerID> = []
        for layer in stored {
            guard var row = try findLayer(layer.id), row.parent == layer.parent, row.allocated != layer.allocated else {
                continue
            }
            row.allocated = layer.allocated
            try update(row)
            changed.insert(row.id)
        }
        return changed
    }
}
