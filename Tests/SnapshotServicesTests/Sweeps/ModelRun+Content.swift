import SnapshotDomain
import SnapshotPorts
import Testing

@testable import SnapshotServices

/// What disks hold, compared with the model: one digest for each content, and one content for each digest.
extension ModelRun {
    /// Looks at one snapshot and one volume at rest.
    func checkSomeContent() async throws {
        if let (id, _) = pick(state.snapshots) { try await check(id) }
        if let (id, _) = pick(state.volumes.filter({ !state.isRunning($0.key) })) { try await check(id) }
    }

    func checkAllContent() async throws {
        for id in state.snapshots.keys { try await check(id) }
        for id in state.volumes.keys where !state.isRunning(id) { try await check(id) }
    }

    private func check(_ id: SnapshotID) async throws {
        let snapshot = try #require(try await cloud.catalog.read { try $0.findSnapshot(id) }, "a snapshot is gone")
        guard let content = state.snapshots[id]?.content else { return }
        try await compare(snapshot.layer, content, "the snapshot '\(snapshot.name)'")
    }

    private func check(_ id: VolumeID) async throws {
        let volume = try #require(try await cloud.catalog.read { try $0.findVolume(id) }, "a volume is gone")
        guard let content = state.volumes[id]?.content else { return }
        #expect(volume.size == content.size)
        try await compare(volume.activeLayer, content, "the volume '\(volume.name)'")
    }

    private func compare(_ layer: LayerID, _ content: DiskContent, _ what: String) async throws {
        let digest = try await cloud.digest(of: layer)
        if let known = digests[content] {
            try #require(known == digest, "\(what) does not hold what it should")
        } else {
            try #require(!digests.values.contains(digest), "\(what) holds what something else should")
            digests[content] = digest
        }
    }

    // MARK: What can be worked from

    /// A snapshot that has been made: others only exist as a wish yet.
    func pickReady(where isWanted: (ModelState.Frozen) -> Bool = { _ in true }) -> (SnapshotID, ModelState.Frozen)? {
        pick(state.snapshots.filter { !unfinished.contains($0.key.description) && isWanted($0.value) })
    }

    func pickReadyTemplate() -> (TemplateID, DiskContent)? {
        pick(state.templates.filter { !unfinished.contains($0.key.description) })
    }

    func pickReadyVolume() -> (VolumeID, ModelState.Disk)? {
        pick(state.volumes.filter { !unfinished.contains($0.key.description) })
    }

    func pickReadyMachine() -> (InstanceID, ModelState.Machine)? {
        pick(state.machines.filter { !unfinished.contains($0.key.description) })
    }
}
