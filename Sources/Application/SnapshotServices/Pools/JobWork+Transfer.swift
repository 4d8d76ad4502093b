import SnapshotDomain
import SnapshotPorts

extension JobWork {
    /// Copies the content of a layer that nobody writes into a new layer of another pool, and reads it back: what is let go
    /// of afterwards must be there.
    ///
    /// Repeatable: a layer that has come is not sent again.
    func transfer(_ source: LayerID, from origin: PoolID, to layer: LayerID, in pool: PoolID) async throws {
        let (sender, receiver) = (try world.store(origin), try world.store(pool))
        try await holdingChain(of: source) {
            if try await receiver.findLayer(layer) == nil {
                try await requireRoom(try await bytes(readBy: source), in: pool)
            }
            let content = try await sender.export(source, as: .raw) { _, _ in }
            try await receiver.importContent(content, to: layer, progress: progress)
            let sent = try await sender.digest(of: source, progress: progress)
            let came = try await receiver.digest(of: layer, progress: progress)
            guard sent == came else {
                throw ServiceError(
                    .damaged,
                    """
                    What the pool '\(pool)' read back is not what the pool '\(origin)' sent; the original is untouched. Look at \
                    the disks below both, and try again.
                    """,
                    subject: .pool(pool)
                )
            }
        }
    }

    /// What a full copy of a layer takes at most.
    func bytes(readBy layer: LayerID) async throws -> ByteCount {
        try await world.catalog.read { reader in
            let tree = try reader.layerTree(around: layer)
            return tree.chain(of: layer).reduce(ByteCount.zero) { $0 + (tree.layers[$1]?.allocated ?? .zero) }
        }
    }
}
