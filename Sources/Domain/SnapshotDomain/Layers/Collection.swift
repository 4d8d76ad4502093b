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
    ///   - room: Free bytes of the pool: no step may need more.
    ///   - policy: How the work is weighed.
    /// - Returns: The step.
    package func nextCollectionStep(
        openIn machines: [LayerID: Set<InstanceID>],
        held: Set<LayerID>,
        room: ByteCount,
        policy: CollectionPolicy
    ) -> CollectionStep? {
        let situation = Situation(machines: machines, held: held, room: room, policy: policy)
        let collectable = layers.values.indices.filter { position in
            let layer = layers.values[position]
            return !isPinned(at: position) && layer.phase != .building && !held.contains(layer.id)
        }
        for position in collectable where children(at: position).isEmpty {
            let id = layers.values[position].id
            if machines[id]?.isEmpty ?? true { return .unlink(id) }
        }
        for position in collectable {
            if let step = mergeStep(at: position, in: situation) { return step }
        }
        return flattenStep(in: situation)
    }

    /// What a step depends on beside the tree.
    private struct Situation {
        var machines: [LayerID: Set<InstanceID>]
        var held: Set<LayerID>
        var room: ByteCount
        var policy: CollectionPolicy
    }

    private func mergeStep(at position: Int, in situation: Situation) -> CollectionStep? {
        guard children(at: position).count == 1, let childPosition = children(at: position).first.map(Int.init) else {
            return nil
        }
        let (parent, child) = (layers.values[position], layers.values[childPosition])
        let openIn = (situation.machines[parent.id] ?? []).union(situation.machines[child.id] ?? [])
        // A file open in several machines can be changed through none of them.
        guard child.phase == .ready, !situation.held.contains(child.id), openIn.count <= 1 else { return nil }
        // The smaller side is copied. A child larger than its parent was grown: folding would have to grow the parent
        // first, so the parent's bytes go up instead, whatever their size.
        if parent.allocated <= child.allocated || parent.size != child.size {
            return parent.allocated <= situation.room ? .pull(into: child.id, downTo: parent.parent) : nil
        }
        guard child.allocated <= situation.room else { return nil }
        guard let volume = volume(writingAt: childPosition), situation.machines[child.id]?.isEmpty == false else {
            return .fold(child: child.id, into: parent.id)
        }
        return child.allocated >= situation.policy.smallestLiveFold ? .advance(volume, from: child.id) : nil
    }

    private func flattenStep(in situation: Situation) -> CollectionStep? {
        for (position, layer) in layers.values.enumerated() where layer.phase == .ready {
            guard volume(writingAt: position) != nil, !situation.held.contains(layer.id) else { continue }
            guard situation.held.isDisjoint(with: chain(of: layer.id).dropFirst()),
                let needed = flattening(of: layer.id, beyond: situation.policy.softDepth)
            else { continue }
            if needed <= situation.room { return .pull(into: layer.id, downTo: nil) }
        }
        return nil
    }

    /// What it copies to make a layer independent of its ancestors, if it stands on so many that it should be.
    ///
    /// - Parameters:
    ///   - layer: The layer.
    ///   - bound: How many ancestors are not too many yet.
    /// - Returns: The bytes at most; nil when its chain is short enough.
    package func flattening(of layer: LayerID, beyond bound: Int) -> ByteCount? {
        let below = chain(of: layer).dropFirst()
        guard below.count >= bound else { return nil }
        return below.reduce(ByteCount.zero) { $0 + (layers[$1]?.allocated ?? .zero) }
    }

    /// The volumes whose chains are too long, and that stay so because the pool has no room to make them independent.
    package func volumesWithoutRoom(_ room: ByteCount, policy: CollectionPolicy) -> [VolumeID] {
        layers.values.enumerated().compactMap { position, layer in
            guard let volume = volume(writingAt: position),
                let needed = flattening(of: layer.id, beyond: policy.softDepth), needed > room
            else { return nil }
            return volume
        }
    }
}
