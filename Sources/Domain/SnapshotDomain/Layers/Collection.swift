/// One step that brings a pool closer to holding only what is pinned.
package enum CollectionStep: Hashable, Sendable, Codable {
    /// Nobody reads it: take it away.
    case unlink(LayerID)
    /// A hidden layer has one successor: move the *successor's* bytes down into it. The successor's identity stays.
    case fold(child: LayerID, into: LayerID)
    /// A hidden layer has one successor: copy the *hidden* layer's bytes up into it. The hidden layer can go then.
    case pull(into: LayerID, downTo: LayerID?)
    /// A running machine writes the successor: give it a fresh active layer, so that the pair can be folded below it.
    case advance(VolumeID, from: LayerID)
}

/// How the collector weighs its work.
package struct CollectionPolicy: Hashable, Sendable {
    /// Beyond this depth the active layer of a volume is made independent of its ancestors, if there is room.
    package var softDepth: Int
    /// A snapshot that would make a chain deeper than this is refused.
    package var hardDepth: Int
    /// A running machine's active layer is put to rest for a fold only when it holds at least this much: folding less
    /// would free less than it costs, and for ever again.
    package var smallestLiveFold: ByteCount

    package init(softDepth: Int = 16, hardDepth: Int = 250, smallestLiveFold: ByteCount = .mebibytes(64)) {
        self.softDepth = softDepth
        self.hardDepth = hardDepth
        self.smallestLiveFold = smallestLiveFold
    }
}

extension LayerTree {
    /// The next step that the collector should take, or nil when the pool is as it should be.
    ///
    /// The collector calls this in a loop over the present tree; it keeps no list of its own, so that a crash, a revert or
    /// a new clone between two steps can make no plan stale.
    ///
    /// An active layer that a machine writes is never folded: the instant at which the machine changes over from the
    /// child's file to the parent's cannot be made durable together with our record of it, and after a power cut in
    /// between two files would both look like the truth. So it is put to rest first (`advance`), and folded as a frozen
    /// layer below its fresh successor.
    ///
    /// - Parameters:
    ///   - machines: Which running machines have a layer open, through any of their disks.
    ///   - held: Layers that a job reads or changes now: nothing near them is touched.
    ///   - room: Free bytes of the pool, for steps that need some.
    package func nextCollectionStep(
        openIn machines: [LayerID: Set<InstanceID>],
        held: Set<LayerID>,
        room: ByteCount,
        policy: CollectionPolicy
    ) -> CollectionStep? {
        let ordered = layers.values.sorted { $0.id < $1.id }
        for layer in ordered where isCollectable(layer, held: held) && children(of: layer.id).isEmpty {
            if machines[layer.id]?.isEmpty ?? true { return .unlink(layer.id) }
        }
        for layer in ordered where isCollectable(layer, held: held) {
            guard let step = mergeStep(for: layer, openIn: machines, held: held, room: room, policy: policy) else {
                continue
            }
            return step
        }
        return flattenStep(openIn: machines, held: held, room: room, policy: policy)
    }

    private func isCollectable(_ layer: Layer, held: Set<LayerID>) -> Bool {
        !isPinned(layer.id) && layer.phase != .building && !held.contains(layer.id)
    }

    private func mergeStep(
        for parent: Layer,
        openIn machines: [LayerID: Set<InstanceID>],
        held: Set<LayerID>,
        room: ByteCount,
        policy: CollectionPolicy
    ) -> CollectionStep? {
        guard children(of: parent.id).count == 1, let id = children(of: parent.id).first, let child = layers[id],
            child.phase == .ready, !held.contains(id),
            // A file open in several machines can be changed through none of them.
            (machines[parent.id] ?? []).union(machines[id] ?? []).count <= 1
        else { return nil }
        let isWrittenLive = volume(writing: id) != nil && !(machines[id]?.isEmpty ?? true)
        if parent.allocated <= child.allocated, parent.allocated <= room {
            return .pull(into: id, downTo: parent.parent)
        }
        // A child larger than its parent was grown: folding would have to grow the parent first, so the parent's
        // bytes go up instead, whatever their size.
        if parent.size != child.size {
            return parent.allocated <= room ? .pull(into: id, downTo: parent.parent) : nil
        }
        guard isWrittenLive, let volume = volume(writing: id) else { return .fold(child: id, into: parent.id) }
        return child.allocated >= policy.smallestLiveFold ? .advance(volume, from: id) : nil
    }

    private func flattenStep(
        openIn machines: [LayerID: Set<InstanceID>],
        held: Set<LayerID>,
        room: ByteCount,
        policy: CollectionPolicy
    ) -> CollectionStep? {
        for layer in layers.values.sorted(by: { $0.id < $1.id }) where layer.phase == .ready && !held.contains(layer.id) {
            guard volume(writing: layer.id) != nil else { continue }
            let below = chain(of: layer.id).dropFirst()
            guard below.count >= policy.softDepth, held.isDisjoint(with: below) else { continue }
            let needed = below.reduce(ByteCount.zero) { $0 + (layers[$1]?.allocated ?? .zero) }
            if needed <= room { return .pull(into: layer.id, downTo: nil) }
        }
        return nil
    }
}
