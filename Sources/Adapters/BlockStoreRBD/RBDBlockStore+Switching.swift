import SnapshotDomain
package import SnapshotPorts
import Synchronization

/// Puts a running machine on new layers: it goes on in the image that it has open, and only what its content is called changes.
///
/// Each image freezes by itself. A snapshot holds every write that was acknowledged before the call: the client that has the
/// image takes it, between two writes, and writes out first what it keeps in memory.
extension RBDBlockStore {
    package func prepareSwitch(
        _ switches: [LayerSwitch],
        through channel: any LiveBlockChannel
    ) async throws(BlockStoreFault) {
        _ = try client(of: channel)
        try await load()
        for change in switches where try await !isDone(change) {
            let isIntended = intended.withLock { intended in
                guard intended[change.to]?.parent == change.from else { return false }
                intended[change.to]?.isPrepared = true
                return true
            }
            guard isIntended else { throw .missing(change.to) }
        }
    }

    package func finishSwitch(
        _ switches: [LayerSwitch],
        through channel: any LiveBlockChannel
    ) async throws(BlockStoreFault) {
        _ = try client(of: channel)
        try await load()
        var due: [LayerSwitch] = []
        for change in switches where try await !isDone(change) {
            guard intended.withLock({ $0[change.to]?.parent == change.from && $0[change.to]?.isPrepared == true })
            else {
                throw BlockStoreFault(
                    .notFound,
                    .notDone,
                    "The machine was not prepared for the layer \(change.to); no disk was switched."
                )
            }
            due.append(change)
        }
        // All at once: on a stock cluster each alone takes a second, and all together as well.
        let faults = await withTaskGroup(of: BlockStoreFault?.self) { group in
            for change in due {
                group.addTask {
                    do throws(BlockStoreFault) {
                        try await self.switchOver(change)
                        return nil
                    } catch {
                        return error
                    }
                }
            }
            return await group.reduce(into: [BlockStoreFault]()) { faults, fault in
                if let fault { faults.append(fault) }
            }
        }
        guard var fault = faults.first(where: { $0.outcome == .unknown }) ?? faults.first else {
            intended.withLock { intended in for change in switches { intended[change.to] = nil } }
            return
        }
        // Some of the disks may have been switched: whoever asked looks at each.
        if faults.count < due.count { fault.outcome = .unknown }
        throw fault
    }

    private func switchOver(_ change: LayerSwitch) async throws(BlockStoreFault) {
        let image = try await imageNow(of: change.from)
        try await turns.hold([image]) { () async throws(BlockStoreFault) in
            try await settle([image])
            guard known(change.to) == nil else { return }
            guard let place = place(of: change.from) else { throw .missing(change.from) }
            guard place.point == nil else {
                throw BlockStoreFault(.exists, .notDone, "The layer \(change.from) is frozen already, by another call.")
            }
            try await freeze(change.from, in: image, goingOnAs: change.to, nil, isLive: true)
        }
    }

    /// Whether the new layer goes on where the old one froze.
    private func isDone(_ change: LayerSwitch) async throws(BlockStoreFault) -> Bool {
        let image = try await imageNow(of: change.from)
        if state.withLock({ $0.doubtful.contains(image) }) {
            try await turns.hold([image]) { () async throws(BlockStoreFault) in try await settle([image]) }
        }
        return parent(of: change.to) == change.from && place(of: change.to)?.image == image
    }

    package func abandonSwitch(
        _ switches: [LayerSwitch],
        through channel: any LiveBlockChannel
    ) async throws(BlockStoreFault) {
        intended.withLock { intended in
            for change in switches where intended[change.to]?.parent == change.from {
                intended[change.to]?.isPrepared = false
            }
        }
    }
}
