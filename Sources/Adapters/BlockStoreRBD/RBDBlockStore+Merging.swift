import Ceph
import Foundation
package import SnapshotDomain
package import SnapshotPorts
import Synchronization

/// Layers that are merged: a change of the notes, after which the images are swept. Bytes are copied only to let go of a
/// parent image.
extension RBDBlockStore {
    package func foldLayer(
        _ id: LayerID,
        into parent: LayerID,
        through channel: (any LiveBlockChannel)?,
        progress: @escaping ProgressHandler
    ) async throws(BlockStoreFault) {
        try await load()
        let image = try await imageNow(of: id)
        // Gone: folded before.
        guard let below = place(of: parent)?.image else { return try await sweep([image]) }
        try await turns.hold([image, below]) { () async throws(BlockStoreFault) in
            try await settle([image, below])
            guard let upper = known(id), let place = place(of: id) else { throw .missing(id) }
            guard let lower = known(parent) else { return }
            guard upper.parent == parent, let point = self.place(of: parent)?.point else {
                throw BlockStoreFault(.exists, .notDone, "The layer \(id) does not stand on the layer \(parent).")
            }
            guard children(of: parent) == [id] else {
                throw BlockStoreFault(.inUse, .notDone, "Other layers stand on the layer \(parent).")
            }
            guard upper.size == lower.size else { throw .shape(of: id) }
            if place.point == nil, channel != nil { try await requireUnwatched(image, id) }
            let ancestor = lower.parent
            try await note("merge the layer \(id) with what it stands on") { map in
                map.notes.hide(point.id, of: below)
                map.put(id, at: place, on: ancestor)
            }
            progress(.zero, .zero)
        }
        try await bound(image, progress)
        try await sweep([below])
    }

    package func pullLayer(
        _ id: LayerID,
        downTo ancestor: LayerID?,
        through channel: (any LiveBlockChannel)?,
        progress: @escaping ProgressHandler
    ) async throws(BlockStoreFault) {
        try await load()
        let image = try await imageNow(of: id)
        let root = try await turns.hold([image]) { () async throws(BlockStoreFault) -> String? in
            try await settle([image])
            guard let place = place(of: id) else { throw .missing(id) }
            let ancestors = state.withLock { $0.map.ancestors(of: id) }
            if let ancestor, !ancestors.contains(ancestor) {
                throw BlockStoreFault(.exists, .notDone, "The layer \(id) does not stand on the layer \(ancestor).")
            }
            let root = state.withLock { $0.map.lines[image]?.root?.image }
            if ancestor == nil { try await flatten(image, progress) }
            if parent(of: id) != ancestor {
                try await note("put the layer \(id) where it shall stand") { $0.put(id, at: place, on: ancestor) }
            }
            return root
        }
        try await bound(image, progress)
        if let root { try await sweep([root]) }
    }

    /// Keeps an image from reading through more and more others.
    private func bound(_ image: String, _ progress: @escaping ProgressHandler) async throws(BlockStoreFault) {
        let (depth, root) = state.withLock { ($0.map.depth(of: image), $0.map.lines[image]?.root?.image) }
        guard depth > Self.mostImagesBelow else { return }
        try await turns.hold([image]) { () async throws(BlockStoreFault) in
            try await settle([image])
            try await flatten(image, progress)
        }
        if let root { try await sweep([root]) }
    }

    /// Makes an image independent of the one that it was cloned from.
    ///
    /// Its layers stand where they stood. The caller has its turn.
    private func flatten(_ image: String, _ progress: @escaping ProgressHandler) async throws(BlockStoreFault) {
        guard let line = state.withLock({ $0.map.lines[image] }), line.root != nil else { return }
        // What lies below the lowest layer will not say any more what that stands on: the notes do from now on.
        let lowest = state.withLock { state in
            state.map.visiblePoints(of: line).first?.frozen ?? state.map.head(of: line)
        }
        if let lowest, let parent = parent(of: lowest) {
            try await note("keep the place of the layer \(lowest)") { map in
                map.notes.parents[image, default: [:]][lowest] = .some(parent)
            }
        }
        let stop = Mutex(false)
        let reached = reached
        let size = ByteCount(line.sizeBytes)
        let result: Result<Void, BlockStoreFault> = await withTaskCancellationHandler {
            do throws(BlockStoreFault) {
                try await changing(image, "make the image \(image) independent", isHeavy: true) { cluster in
                    try cluster.withImage(image, isReadOnly: false) { open in
                        try Self.takeOver(open, cluster)
                        try open.flatten { done, total in
                            progress(ByteCount(Int64(done) * size.bytes / Int64(max(1, total))), size)
                            return !stop.withLock { $0 }
                        }
                    }
                    try reached(.flattened)
                }
                return .success(())
            } catch {
                return .failure(error)
            }
        } onCancel: {
            stop.withLock { $0 = true }
        }
        try result.get()
    }
}
