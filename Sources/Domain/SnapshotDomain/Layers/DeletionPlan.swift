/// What deleting a set of pins will do: shown before the act, and computed by the rules that the collector follows.
package struct DeletionPlan: Hashable, Sendable {
    /// Layers that nobody will read any more: their bytes are freed whole.
    package var unlinked: [LayerID] = []
    /// Hidden layers with exactly one successor: the two become one.
    package var merges: [Merge] = []
    /// Hidden layers that several successors still read: they stay until those are gone.
    package var kept: [LayerID] = []
    /// Bytes freed for certain.
    package var freedAtLeast = ByteCount.zero
    /// Bytes freed if, of all layers that become one, everything but the largest was written again in another.
    package var freedAtMost = ByteCount.zero
    /// Bytes that merging has to copy, at most.
    package var copied = ByteCount.zero

    package init() {}

    /// A hidden layer and the one that it becomes one with.
    package struct Merge: Hashable, Sendable {
        package var parent: LayerID
        package var child: LayerID
    }
}

extension LayerTree {
    /// Plans the deletion of a set of pins together: a set can free more than the sum of its members.
    ///
    /// Takes time proportional to the layers and pins of the tree.
    package func planDeletion(of removed: Set<Pin>) -> DeletionPlan {
        let after = removing(removed)
        let (readersBefore, readersAfter) = (readerCounts(), after.readerCounts())
        var plan = DeletionPlan()
        var merging = MergeForecast(layers.values)
        for (position, layer) in layers.values.enumerated() {
            // Only what this deletion changes counts; what waits for the collector anyway does not.
            guard readersAfter[position] < readersBefore[position], !after.isPinned(at: position) else { continue }
            guard readersAfter[position] > 0 else {
                plan.unlinked.append(layer.id)
                plan.freedAtLeast += layer.allocated
                continue
            }
            let successors = children(at: position).filter { readersAfter[Int($0)] > 0 }
            guard successors.count == 1, let child = successors.first.map(Int.init) else {
                plan.kept.append(layer.id)
                continue
            }
            plan.merges.append(.init(parent: layer.id, child: layers.values[child].id))
            plan.copied += merging.merge(position, into: child)
        }
        plan.freedAtMost = plan.freedAtLeast + merging.freedAtMost
        return plan
    }

    /// The children that some pin still reads through.
    package func liveChildren(of layer: LayerID) -> [LayerID] {
        children(of: layer).filter { !dependents(of: $0).isEmpty }
    }
}

/// What merges copy and free at most when they are done one after another, in the collector's order: each can make a
/// layer larger that the next one copies.
private struct MergeForecast {
    /// What a layer and all that was merged into it hold.
    private struct Merged {
        var sum: ByteCount
        var largest: ByteCount
    }

    private let layers: [Layer]
    private var merged: [Int: Merged] = [:]
    /// Where the bytes of a merged layer went.
    private var successors: [Int: Int] = [:]

    init(_ layers: [Layer]) {
        self.layers = layers
    }

    var freedAtMost: ByteCount {
        merged.values.reduce(.zero) { $0 + $1.sum - $1.largest }
    }

    /// Merges a layer with its only successor, and returns the bytes that this copies at most.
    mutating func merge(_ parent: Int, into child: Int) -> ByteCount {
        let heir = heir(of: child)
        let below = merged.removeValue(forKey: parent) ?? single(parent)
        let above = merged[heir] ?? single(heir)
        merged[heir] = Merged(sum: below.sum + above.sum, largest: max(below.largest, above.largest))
        successors[parent] = heir
        // As the collector does: layers of different sizes merge upwards only.
        return layers[parent].size == layers[heir].size ? min(below.sum, above.sum) : below.sum
    }

    private func single(_ layer: Int) -> Merged {
        Merged(sum: layers[layer].allocated, largest: layers[layer].allocated)
    }

    /// The layer that now stands where a child stood.
    private mutating func heir(of child: Int) -> Int {
        var heir = child
        while let next = successors[heir] { heir = next }
        // Shorter ways, so that a long row of merges does not take the square of its length.
        var step = child
        while let next = successors[step], next != heir {
            successors[step] = heir
            step = next
        }
        return heir
    }
}
