import Foundation
import SnapshotDomain
import SnapshotPorts

/// What people do to disks, done to a store and to arrays of bytes.
extension BlockStoreModel {
    func makeVolume() async throws {
        let id = identifier() as LayerID
        try await ground.store.createLayer(id, size: Self.diskSize)
        note(id, on: nil, DiskModel(size: Self.diskSize))
        volumes[identifier()] = id
    }

    func write(_ volume: VolumeID) async throws {
        guard let layer = volumes[volume], var content = contents[layer] else { return }
        let fills = (0..<Int.random(in: 1...4, using: &random)).map { _ in randomFill(content.size) }
        if isAttached(volume), let machine, let disk = attached.firstIndex(of: volume) {
            for fill in fills { try await machine.write(fill, toDisk: disk) }
        } else {
            try await ground.write(fills, to: layer)
        }
        for fill in fills { content.apply(fill) }
        contents[layer] = content
    }

    /// Mostly small, sometimes large, often the same places, and of zeros now and then.
    private func randomFill(_ size: ByteCount) -> Fill {
        let longest: Int64 = chance(20) ? size.bytes / 3 : 20_000
        let length = Int64.random(in: 1...longest, using: &random)
        let start = Int64.random(in: 0...size.bytes - length, using: &random)
        return Fill(chance(15) ? 0 : .random(in: 1...255, using: &random), start..<start + length)
    }

    func takeSnapshot(_ volume: VolumeID) async throws {
        guard let layer = volumes[volume], snapshots.count < 14 else { return }
        volumes[volume] = try await advance(volume, from: layer)
        snapshots[identifier()] = layer
    }

    /// Puts a volume on a fresh layer on its present one, in its machine too.
    func advance(_ volume: VolumeID, from layer: LayerID) async throws -> LayerID {
        let fresh = try await makeLayer(on: layer, through: isAttached(volume) ? machine?.channel : nil)
        if isAttached(volume), let machine {
            let switches = [LayerSwitch(from: layer, to: fresh)]
            try await ground.store.prepareSwitch(switches, through: machine.channel)
            if chance(10) {
                // Changed their mind, and then again.
                try await ground.store.abandonSwitch(switches, through: machine.channel)
                try await ground.store.prepareSwitch(switches, through: machine.channel)
            }
            try await ground.store.finishSwitch(switches, through: machine.channel)
        }
        return fresh
    }

    func clone(_ snapshot: SnapshotID) async throws {
        guard let layer = snapshots[snapshot], volumes.count < 6 else { return }
        volumes[identifier()] = try await makeLayer(on: layer)
    }

    func revert(_ volume: VolumeID) async throws {
        guard !isAttached(volume), let old = volumes[volume],
            let target = snapshots.keys.sorted().randomElement(using: &random), let layer = snapshots[target]
        else { return }
        volumes[volume] = try await makeLayer(on: layer)
        if Bool.random(using: &random), snapshots.count < 14 { snapshots[identifier()] = old }
        try await collect()
    }

    func deleteSnapshot(_ snapshot: SnapshotID) async throws {
        snapshots[snapshot] = nil
        try await collect()
    }

    func deleteVolume(_ volume: VolumeID) async throws {
        guard !isAttached(volume) else { return }
        volumes[volume] = nil
        try await collect()
    }

    func copy(_ snapshot: SnapshotID) async throws {
        guard let source = snapshots[snapshot], let content = contents[source], snapshots.count < 14 else { return }
        let copy = identifier() as LayerID
        try await ground.store.copyLayer(source, to: copy, progress: ignore)
        note(copy, on: nil, content)
        snapshots[identifier()] = copy
        try await checkContent(copy)
        let digests = [
            try await ground.store.digest(of: source, progress: ignore),
            try await ground.store.digest(of: copy, progress: ignore),
        ]
        try require(digests[0] == digests[1], "a copy has another digest")
    }

    func grow(_ volume: VolumeID) async throws {
        guard let layer = volumes[volume], var content = contents[layer], content.size < .mebibytes(3) else { return }
        let size = content.size + .kibibytes(Int64.random(in: 1...600, using: &random))
        try await ground.store.growLayer(layer, to: size, through: isAttached(volume) ? machine?.channel : nil)
        content.grow(to: size)
        contents[layer] = content
        layers[layer]?.size = size
    }

    // MARK: Collecting

    /// Does what the collector would do, until there is nothing left to do.
    func collect() async throws {
        var steps = 0
        while true {
            let open = try await machine?.openLayers() ?? []
            let step = tree(try await ground.store.inventory()).nextCollectionStep(
                openIn: Dictionary(uniqueKeysWithValues: open.map { ($0, [Self.instance]) }),
                held: [],
                room: .gibibytes(1_000),
                policy: Self.policy
            )
            guard let step else { return }
            try await take(step, open)
            steps += 1
            try require(steps < 1_000, "the collector does not come to an end: \(step)")
        }
    }

    private static let instance = InstanceID.random()

    private func take(_ step: CollectionStep, _ open: Set<LayerID>) async throws {
        let store = await ground.store
        switch step {
        case .unlink(let layer):
            try await store.deleteLayer(layer)
            forget(layer)
        case .fold(let child, let parent):
            let channel = open.isDisjoint(with: [child, parent]) ? nil : machine?.channel
            try await store.foldLayer(child, into: parent, through: channel, progress: ignore)
            let ancestor = layers[parent]?.parent
            layers[child]?.parent = ancestor
            forget(parent)
            try await checkMerged(child)
        case .pull(let layer, let ancestor):
            let channel = open.contains(layer) ? machine?.channel : nil
            try await store.pullLayer(layer, downTo: ancestor, through: channel, progress: ignore)
            layers[layer]?.parent = ancestor
            try await checkMerged(layer)
        case .advance(let volume, let layer):
            volumes[volume] = try await advance(volume, from: layer)
        }
    }

    private func checkMerged(_ layer: LayerID) async throws {
        // What a machine writes is partly in its memory: it is checked when the machine has ended.
        if !isWrittenLive(layer) { try await checkContent(layer) }
    }

    // MARK: Bookkeeping

    /// From the seed too: what is done depends on the order of identifiers.
    private func identifier<Subject>() -> Identifier<Subject> {
        let (high, low) = (random.next(), random.next())
        let bytes = withUnsafeBytes(of: (high, low)) { Array($0) }
        return Identifier(bytes.withUnsafeBytes { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) })
    }

    private func makeLayer(
        on parent: LayerID,
        through channel: (any LiveBlockChannel)? = nil
    ) async throws -> LayerID {
        guard let content = contents[parent] else {
            throw BlockStoreContract.Broken(description: "no content to stand on")
        }
        let id = identifier() as LayerID
        try await ground.store.createLayer(id, on: parent, size: content.size, through: channel)
        note(id, on: parent, content)
        return id
    }

    private func note(_ id: LayerID, on parent: LayerID?, _ content: DiskModel) {
        layers[id] = Layer(id: id, pool: .local, parent: parent, size: content.size, allocated: .zero, phase: .ready)
        contents[id] = content
    }

    private func forget(_ layer: LayerID) {
        layers[layer] = nil
        contents[layer] = nil
        digests[layer] = nil
    }
}
