import Foundation
import SnapshotDomain
import SnapshotPorts
import Testing

@testable import SnapshotServices

/// What must be so whenever nothing is under way, whatever happened before.
extension TestCloud {
    /// Waits until no job is open and nothing is left to collect.
    func rest() async throws {
        var last = ""
        let deadline = ContinuousClock.now + patience
        while let unrest = try await unrest() {
            last = unrest
            try #require(ContinuousClock.now < deadline, "no rest: \(last)")
            try await Task.sleep(for: .milliseconds(3))
        }
    }

    // As ``World`` asks, without injected faults.

    private func openLayers(of instance: Instance) async throws -> Set<LayerID> {
        let handles = try await hypervisor.openDisks(of: instance.id)
        var layers: Set<LayerID> = []
        for volume in try await volumes(of: instance) {
            layers.formUnion(try await store(volume.pool).openLayers(through: handles))
        }
        return layers
    }

    private func writtenLayers(of instance: Instance) async throws -> [Int: LayerID] {
        var layers: [Int: LayerID] = [:]
        let handles = try await hypervisor.writtenDisks(of: instance.id)
        for volume in try await volumes(of: instance) {
            guard let slot = volume.attachment?.slot, let handle = handles[slot] else { continue }
            layers[slot] = try await store(volume.pool).writtenLayer(through: handle)
        }
        return layers
    }

    private func unrest() async throws -> String? {
        let counts = engine.counts
        guard counts == (0, 0) else { return "\(counts.running) jobs run and \(counts.waiting) wait" }
        guard world.leases.held.isEmpty else { return "layers are in use" }
        var open: [LayerID: Set<InstanceID>] = [:]
        for instance in try await catalog.read({ try $0.allInstances(in: nil) }) {
            // A hold whose answer was lost ends at its deadline, and not before.
            guard !isHeld(instance.id) else { return "\(instance.name) is held" }
            guard await !hypervisor.status(of: instance.id).isStopped else { continue }
            for layer in try await openLayers(of: instance) {
                open[layer, default: []].insert(instance.id)
            }
        }
        for pool in pools {
            let tree = try await catalog.read { try $0.layerTree(of: pool.pool) }
            let step = tree.nextCollectionStep(
                openIn: open,
                held: [],
                room: try await pool.capacity().free - settings.reserve,
                policy: settings.collection
            )
            if let step { return "\(step) is left to do in '\(pool.pool)'" }
        }
        // What was begun while all this was asked may have shown half of itself.
        return world.leases.held.isEmpty ? nil : "layers are in use again"
    }

    private func isHeld(_ instance: InstanceID) -> Bool {
        FileManager.default.fileExists(atPath: "\(folder)/machines/\(instance)/paused")
    }

    /// Checks everything that has to hold at rest.
    ///
    /// - Parameters:
    ///   - digests: What frozen contents were: they must be the same, as long as they exist.
    ///   - what: What was done before, for the message.
    ///   - location: Where the test is.
    /// - Throws: What fails the test.
    func checkInvariants(
        _ digests: [SnapshotID: ContentDigest] = [:],
        after what: @autoclosure () -> String = "",
        _ location: SourceLocation = #_sourceLocation
    ) async throws {
        try await rest()
        // What machines write is measured by the clock.
        await keepHouse()
        try await rest()
        var broken: [String] = []
        broken += try await brokenRows()
        for pool in pools { broken += try await brokenLayers(pool) }
        for place in ["pool/tmp", "fast/tmp", "quarantine"] {
            // The store's own working folder may be there, with its lock and nothing else.
            let names = try FileManager.default.subpathsOfDirectory(atPath: "\(folder)/\(place)")
                .filter { !$0.hasPrefix("work-") || ($0.contains("/") && !$0.hasSuffix("/.lock")) }
            if !names.isEmpty { broken.append("\(place) holds \(names)") }
        }
        broken += try await brokenMachines()
        broken += try await brokenMemory()
        let uploads = try uploads.present
        if !uploads.isEmpty { broken.append("the uploads hold \(uploads)") }
        for (id, digest) in digests {
            guard let snapshot = try await catalog.read({ try $0.findSnapshot(id) }), snapshot.state == .available
            else {
                continue
            }
            if try await self.digest(of: snapshot.layer) != digest { broken.append("'\(snapshot.name)' changed") }
        }
        try #require(
            broken.isEmpty,
            "after \(what()): \(broken.joined(separator: "; "))",
            sourceLocation: location
        )
    }

    private func brokenRows() async throws -> [String] {
        try await catalog.read { [home, abroad] reader in
            var broken = try reader.openJobs().map { "the job \($0.kind) is open" }
            var states: [(String, ResourceState)] = []
            for environment in [home.id, abroad.id] {
                states += try reader.allInstances(in: environment).map { ("instance \($0.name)", $0.state) }
                states += try reader.allVolumes(VolumeFilter(environment: environment)).map {
                    ("volume \($0.name)", $0.state)
                }
                states += try reader.allSnapshots(SnapshotFilter(environment: environment))
                    .map { ("snapshot \($0.name)", $0.state) }
                states += try reader.allTemplates(of: environment).map { ("template \($0.name)", $0.state) }
            }
            for (what, state) in states where state.job != nil { broken.append("\(what) is \(state.word)") }
            return broken
        }
    }

    private func brokenLayers(_ store: any BlockStore) async throws -> [String] {
        let pool = store.pool
        let tree = try await catalog.read { try $0.layerTree(of: pool) }
        let inventory = try await store.inventory()
        var broken = inventory.unknown.map { "the pool has \($0.name)" }
        let stored = Dictionary(uniqueKeysWithValues: inventory.layers.map { ($0.id, $0) })
        for layer in inventory.layers where tree.layers[layer.id] == nil {
            broken.append("file \(layer.id) has no row")
        }
        for row in tree.layers.values {
            guard let file = stored[row.id] else {
                broken.append("layer \(row.id) has no file")
                continue
            }
            if row.phase != .ready { broken.append("layer \(row.id) is \(row.phase)") }
            if row.parent != file.parent { broken.append("layer \(row.id) stands on another than its row says") }
            if row.size != file.size { broken.append("layer \(row.id) has \(file.size) and its row says \(row.size)") }
            if row.allocated != file.allocated {
                broken.append(
                    """
                    layer \(row.id) takes \(file.allocated.bytes) bytes and its row says \(row.allocated.bytes); \
                    it is pinned by \(tree.pins[row.id] ?? []) and carries \(tree.children(of: row.id).count) layers
                    """
                )
            }
        }
        let onDisk = inventory.layers.reduce(ByteCount.zero) { $0 + $1.allocated }
        let account = try await world.ledger.picture(of: pool).account
        if account.total != onDisk { broken.append("the ledger has \(account.total), the disk \(onDisk)") }
        return broken
    }

    private func brokenMemory() async throws -> [String] {
        let rows = try await catalog.read { try $0.listMemoryImages() }
        let inventory = try await hypervisor.memoryInventory()
        var broken = inventory.unknown.map { "the memory has \($0)" }
        if rows.map(\.id) != inventory.images.map(\.id).sorted() {
            broken.append("the memory has \(inventory.images.map(\.id)) and the rows are \(rows.map(\.id))")
        }
        for row in rows where row.damage != nil { broken.append("the memory \(row.id) is damaged") }
        let drafts = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/memory/tmp")
        if !drafts.isEmpty { broken.append("memory/tmp holds \(drafts)") }
        for instance in try await hypervisor.inventory()
        where isHeld(instance) {
            broken.append("the machine \(instance) has the mark of a pause")
        }
        return broken
    }

    private func brokenMachines() async throws -> [String] {
        let instances = try await catalog.read { try $0.allInstances(in: nil) }
        let unknown = Set(try await hypervisor.inventory()).subtracting(instances.map(\.id))
        var broken = unknown.map { "the machine \($0) has no instance" }
        for instance in instances {
            let status = await hypervisor.status(of: instance.id)
            let volumes = try await volumes(of: instance)
            switch status {
            case .stopped:
                if instance.power == .running { broken.append("\(instance.name) should run") }
            case .running:
                if instance.power == .stopped { broken.append("\(instance.name) should not run") }
                let written = try await writtenLayers(of: instance)
                let recorded = Dictionary(
                    uniqueKeysWithValues: volumes.compactMap { volume in
                        volume.attachment.map { ($0.slot, volume.activeLayer) }
                    }
                )
                if written != recorded {
                    broken.append("\(instance.name) writes \(written) and its rows say \(recorded)")
                }
                let open = try await openLayers(of: instance)
                let needed = try await catalog.read { reader in
                    Set(try volumes.flatMap { try reader.layerTree(around: $0.activeLayer).chain(of: $0.activeLayer) })
                }
                if open != needed { broken.append("\(instance.name) has \(open.subtracting(needed)) open in vain") }
            case .paused(let reason):
                broken.append("\(instance.name) is paused: \(reason)")
            case .unresponsive:
                broken.append("\(instance.name) does not answer")
            }
        }
        return broken
    }
}
