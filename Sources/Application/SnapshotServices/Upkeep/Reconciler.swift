import Foundation
import Logging
import SnapshotDomain
import SnapshotPorts

/// Compares what the catalog says with what machines and pools are: after a start, and when a pool is back.
///
/// It believes the medium about bytes and the machine about what it writes, changes rows to fit, and deletes nothing that it
/// does not know: that is moved aside and reported.
struct Reconciler {
    let world: World
    let engine: JobEngine
    let logger: Logger

    // MARK: Memory

    /// Saved memory that is gone makes its group one without; such as nobody knows is set aside.
    func reconcileMemory() async throws {
        // Before looking, as with layers.
        let beingMade = engine.memoryOfOpenJobs
        let inventory = try await world.hypervisor.memoryInventory()
        let rows = try await world.catalog.read { try $0.listMemoryImages() }
        let stored = Dictionary(inventory.images.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        for var row in rows where stored[row.id] == nil && row.damage == nil {
            logger.critical("saved memory is gone", metadata: ["group.id": .stringConvertible(row.id)])
            row.damage = "The saved memory is missing from the data directory: memory/\(row.id). Revert without it."
            let lost = row
            try await world.catalog.write { writer in
                guard try writer.findMemoryImage(lost.id) != nil else { return }
                try writer.update(lost)
            }
        }
        let known = Set(rows.map(\.id)).union(beingMade)
        let strangers = inventory.images.map(\.id).filter { !known.contains($0) }.map(\.description)
        for name in strangers + inventory.unknown where !known.contains(where: { $0.description == name }) {
            let place = try await world.hypervisor.quarantineMemory(name)
            logger.warning(
                "saved memory that nobody knows was set aside",
                metadata: ["name": .string(name), "place": .string(place)]
            )
        }
    }

    // MARK: Machines

    /// Whether they run, as far as the hypervisor alone knows that: no pool is asked.
    func reconcileMachines() async throws {
        for instance in try await world.catalog.read({ try $0.allInstances(in: nil) }) {
            // A job that starts or stops the machine knows better what becomes of it.
            guard engine.activity(on: .instance(instance.id)).changingKind?.decidesPower != true,
                instance.state == .available
            else {
                continue
            }
            let isRunning = await world.hypervisor.isAlive(instance.id)
            let power: Instance.Power = isRunning ? .running : .stopped
            guard instance.power != power else { continue }
            logger.notice(
                "a machine is not as it was left",
                metadata: [
                    "instance.id": .stringConvertible(instance.id), "power": .string(power.rawValue),
                ]
            )
            try await world.catalog.write { try $0.setPower(power, of: instance.id) }
        }
    }

    // MARK: Pools

    /// Compares one pool.
    ///
    /// A listing that fails changes nothing.
    ///
    /// No job on the pool may begin meanwhile, and the collector may not work on it: see ``PoolKeeper``.
    func reconcile(_ pool: PoolID) async throws {
        let store = try world.store(pool)
        try await adoptActiveLayers(in: pool)
        // Before looking: a resumed job that ends meanwhile must not leave a layer that seems to be missing, or strange.
        let beingMade = engine.layersOfOpenJobs
        let inventory = try await store.inventory()
        let stored = Dictionary(inventory.layers.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        let tree = try await world.catalog.read { try $0.layerTree(of: pool) }

        try await correctRows(tree, stored, beingMade)
        try await dropHalfMade(tree, beingMade, store)
        try await markMissing(tree, stored, beingMade, pool)
        try await setAside(inventory, tree, beingMade, store)
    }

    /// Which layers of a pool machines write now.
    private func adoptActiveLayers(in pool: PoolID) async throws {
        for instance in try await world.catalog.read({ try $0.allInstances(in: nil) }) {
            guard engine.activity(on: .instance(instance.id)).changingKind?.decidesPower != true,
                instance.state == .available, await world.hypervisor.isAlive(instance.id)
            else { continue }
            do {
                try await adoptActiveLayers(of: instance.id, in: pool)
            } catch let fault as HypervisorFault {
                // A machine that does not answer must not keep the others from serving.
                logger.error(
                    "what a machine writes could not be compared with its volumes",
                    metadata: [
                        "instance.id": .stringConvertible(instance.id), "error": .string("\(fault)"),
                    ]
                )
            }
        }
    }

    /// A machine that writes a layer which the catalog was about to give it: the switch happened, its record did not.
    private func adoptActiveLayers(of instance: InstanceID, in pool: PoolID) async throws {
        let beingMade = engine.layersOfOpenJobs
        let written = try await world.writtenLayers(of: instance, in: pool)
        try await world.catalog.write { writer in
            for var volume in try writer.volumes(of: instance) {
                guard let slot = volume.attachment?.slot, let layer = written[slot], layer != volume.activeLayer,
                    // The job that made the switch records it.
                    !beingMade.contains(layer)
                else { continue }
                guard var row = try writer.findLayer(layer), row.parent == volume.activeLayer else {
                    logger.error(
                        "a machine writes a layer that is not its volume's",
                        metadata: [
                            "volume.id": .stringConvertible(volume.id), "layer.id": .stringConvertible(layer),
                        ]
                    )
                    continue
                }
                row.phase = .ready
                volume.activeLayer = layer
                try writer.update(row)
                try writer.update(volume)
            }
        }
    }

    /// Sizes as they are; parents as they are, where a merge was finished and not recorded.
    private func correctRows(_ tree: LayerTree, _ stored: [LayerID: StoredLayer], _ beingMade: Set<LayerID>)
        async throws
    {
        let changed = tree.layers.values.compactMap { row -> (old: Layer, new: Layer)? in
            guard let found = stored[row.id], row.phase == .ready, !beingMade.contains(row.id) else { return nil }
            var corrected = row
            corrected.allocated = found.allocated
            corrected.size = found.size
            let ancestors = tree.chain(of: row.id).dropFirst()
            if found.parent != row.parent, found.parent.map(ancestors.contains) ?? true {
                corrected.parent = found.parent
            }
            return corrected == row ? nil : (row, corrected)
        }
        guard !changed.isEmpty else { return }
        try await world.catalog.write { writer in
            // A resumed job may have changed a row since: it knows better.
            for (old, new) in changed where try writer.findLayer(old.id) == old { try writer.update(new) }
        }
    }

    /// Layers that were to be made by work that is over.
    private func dropHalfMade(_ tree: LayerTree, _ beingMade: Set<LayerID>, _ store: any BlockStore) async throws {
        for layer in tree.layers.values where layer.phase == .building {
            guard !beingMade.contains(layer.id), !tree.isPinned(layer.id), tree.children(of: layer.id).isEmpty else {
                continue
            }
            try await store.deleteLayer(layer.id)
            try await world.catalog.write { try $0.deleteLayer(layer.id) }
        }
    }

    /// What reads through a layer that is gone has lost its content, and says so.
    private func markMissing(
        _ tree: LayerTree,
        _ stored: [LayerID: StoredLayer],
        _ beingMade: Set<LayerID>,
        _ pool: PoolID
    ) async throws {
        for layer in tree.layers.values where layer.phase == .ready {
            guard stored[layer.id] == nil, !beingMade.contains(layer.id) else { continue }
            let victims = tree.dependents(of: layer.id)
            logger.critical(
                "a layer is gone from its pool",
                metadata: [
                    "layer.id": .stringConvertible(layer.id), "pool": .stringConvertible(pool),
                    "dependents": .stringConvertible(victims.count),
                ]
            )
            let reason = "A part of it is missing from the pool '\(pool)': the file of layer \(layer.id)."
            try await world.catalog.write { writer in
                for pin in victims { try writer.markFailed(pin, because: reason) }
            }
        }
    }

    private func setAside(
        _ inventory: PoolInventory,
        _ tree: LayerTree,
        _ beingMade: Set<LayerID>,
        _ store: any BlockStore
    ) async throws {
        var unknown = inventory.unknown
        let parents = Set(inventory.layers.compactMap(\.parent))
        for layer in inventory.layers where tree.layers[layer.id] == nil && !beingMade.contains(layer.id) {
            guard !parents.contains(layer.id) else {
                logger.error(
                    "the pool has a layer that the catalog does not know and others stand on; it stays",
                    metadata: [
                        "layer.id": .stringConvertible(layer.id)
                    ]
                )
                continue
            }
            unknown.append(
                UnknownItem(
                    name: layer.id.description,
                    allocated: layer.allocated,
                    layer: layer.id,
                    reason: "The catalog does not know it."
                )
            )
        }
        for item in unknown {
            let place = try await store.quarantine(item)
            logger.warning(
                "something unknown in a pool was set aside",
                metadata: [
                    "name": .string(item.name), "reason": .string(item.reason), "place": .string(place),
                ]
            )
        }
    }
}

extension CatalogWriter {
    fileprivate func markFailed(_ pin: Pin, because reason: String) throws {
        switch pin {
        case .volume(let id):
            guard var row = try findVolume(id), row.state == .available else { return }
            row.state = .failed(reason: reason)
            try update(row)
        case .snapshot(let id):
            guard var row = try findSnapshot(id), row.state == .available else { return }
            row.state = .failed(reason: reason)
            try update(row)
        case .template(let id):
            guard var row = try findTemplate(id), row.state == .available else { return }
            row.state = .failed(reason: reason)
            try update(row)
        }
    }
}
