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
    /// Bytes freed if everything in the smaller side of each merge was written again in the other.
    package var freedAtMost = ByteCount.zero
    /// Bytes that merging has to copy, at most.
    package var copied = ByteCount.zero

    package init() {}

    package struct Merge: Hashable, Sendable {
        package var parent: LayerID
        package var child: LayerID
    }
}

extension LayerTree {
    /// Plans the deletion of a set of pins together: a set can free more than the sum of its members.
    package func planDeletion(of removed: Set<Pin>) -> DeletionPlan {
        let after = removing(removed)
        var plan = DeletionPlan()
        // Only what this deletion changes counts; what waits for the collector anyway does not.
        for layer in layers.values.sorted(by: { $0.id < $1.id }) {
            let wasNeeded = !dependents(of: layer.id).isEmpty
            guard wasNeeded, !after.isPinned(layer.id), isAffected(layer.id, by: removed) else { continue }
            guard !after.dependents(of: layer.id).isEmpty else {
                plan.unlinked.append(layer.id)
                plan.freedAtLeast += layer.allocated
                plan.freedAtMost += layer.allocated
                continue
            }
            let successors = after.liveChildren(of: layer.id)
            guard successors.count == 1, let child = successors.first, let childLayer = layers[child] else {
                plan.kept.append(layer.id)
                continue
            }
            plan.merges.append(.init(parent: layer.id, child: child))
            let smaller = min(layer.allocated, childLayer.allocated)
            plan.copied += smaller
            plan.freedAtMost += smaller
        }
        return plan
    }

    /// The children that some pin still reads through.
    package func liveChildren(of layer: LayerID) -> [LayerID] {
        children(of: layer).filter { !dependents(of: $0).isEmpty }
    }

    private func isAffected(_ layer: LayerID, by removed: Set<Pin>) -> Bool {
        !dependents(of: layer).isDisjoint(with: removed)
    }
}
