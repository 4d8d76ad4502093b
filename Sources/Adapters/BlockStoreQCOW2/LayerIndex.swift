import SnapshotDomain
import SnapshotPorts
import Synchronization

/// Who stands on whom, kept in memory so that the removal of a layer need not read every header of the pool.
///
/// It also keeps a layer from being removed while another one is being put on it.
final class LayerIndex: Sendable {
    private struct State {
        var forest = LayerForest()
        var leaving: Set<LayerID> = []
    }

    private let state = Mutex(State())

    func children(of layer: LayerID) -> Set<LayerID> {
        state.withLock { $0.forest.children(of: layer) }
    }

    /// Notes that a layer stands on another one now, or on nothing.
    func put(_ layer: LayerID, on parent: LayerID?) {
        state.withLock { $0.forest.put(layer, on: parent) }
    }

    /// Notes that a layer is going to be made on another one, which from now on cannot leave.
    ///
    /// - Returns: Whether it was not known to stand there.
    func announce(_ layer: LayerID, on parent: LayerID) throws(BlockStoreFault) -> Bool {
        let isNew = state.withLock { state -> Bool? in
            guard !state.leaving.contains(parent) else { return nil }
            guard state.forest.parent(of: layer) != parent else { return false }
            state.forest.put(layer, on: parent)
            return true
        }
        guard let isNew else { throw .missing(parent) }
        return isNew
    }

    /// Forgets a layer that is gone.
    func forget(_ layer: LayerID) {
        state.withLock { state in
            state.forest.put(layer, on: nil)
            state.leaving.remove(layer)
        }
    }

    /// Notes that a layer is going to be removed, after which nothing can be put on it.
    func beginLeaving(_ layer: LayerID) throws(BlockStoreFault) {
        let count = state.withLock { state in
            let count = state.forest.children(of: layer).count
            if count == 0 { state.leaving.insert(layer) }
            return count
        }
        guard count == 0 else {
            throw BlockStoreFault(
                .inUse,
                .notDone,
                "\(count) other layers stand on the layer \(layer); remove them first."
            )
        }
    }

    /// Takes ``beginLeaving(_:)`` back.
    func stay(_ layer: LayerID) {
        state.withLock { _ = $0.leaving.remove(layer) }
    }
}
