import SnapshotDomain
import SnapshotPorts

/// Which layers running machines use: the machine says what it has open, and the store of a disk which layer that is.
extension World {
    /// The layers that the disks of a running machine write now, by slot.
    ///
    /// Left out is a slot whose volume the catalog does not know, and one that has open what is not of its volume's pool.
    /// With a pool, only those of its volumes, and no other pool is asked.
    func writtenLayers(of instance: InstanceID, in pool: PoolID? = nil) async throws -> [Int: LayerID] {
        let handles = try await hypervisor.writtenDisks(of: instance)
        var layers: [Int: LayerID] = [:]
        for volume in try await catalog.read({ try $0.volumes(of: instance) }) where volume.pool == pool ?? volume.pool
        {
            guard let slot = volume.attachment?.slot, let handle = handles[slot] else { continue }
            layers[slot] = try await store(volume.pool).writtenLayer(through: handle)
        }
        return layers
    }

    /// The layers of one pool that a running machine has open, written or read.
    func openLayers(of instance: InstanceID, in pool: PoolID) async throws -> Set<LayerID> {
        try await store(pool).openLayers(through: try await hypervisor.openDisks(of: instance))
    }
}
