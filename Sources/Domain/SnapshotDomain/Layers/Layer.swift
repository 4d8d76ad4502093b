/// One immutable step of a disk's history, or the writable step on top of it.
///
/// A layer never changes again once something stands on it. Reading a layer means reading it and, where it holds
/// nothing, its ancestors. Layers are ours alone: people see volumes, snapshots and templates, which pin them.
package struct Layer: Hashable, Sendable, Codable, Identifiable {
    /// Stored.
    package enum Phase: String, Sendable, Codable, CaseIterable {
        /// The intent is recorded; the store may or may not have it.
        case building
        case ready
        /// Nothing may stand on it any more: it is being taken away.
        case doomed
    }

    package let id: LayerID
    package let pool: PoolID
    package var parent: LayerID?
    package var size: ByteCount
    /// The bytes that it takes on the pool, as last measured.
    package var allocated: ByteCount
    package var phase: Phase

    package init(
        id: LayerID,
        pool: PoolID,
        parent: LayerID?,
        size: ByteCount,
        allocated: ByteCount,
        phase: Phase
    ) {
        self.id = id
        self.pool = pool
        self.parent = parent
        self.size = size
        self.allocated = allocated
        self.phase = phase
    }
}

/// What keeps a layer from being collected.
package enum Pin: Hashable, Sendable, Codable {
    /// The volume's one writable, active layer.
    case volume(VolumeID)
    case snapshot(SnapshotID)
    case template(TemplateID)

    package var isVolume: Bool {
        if case .volume = self { true } else { false }
    }
}
