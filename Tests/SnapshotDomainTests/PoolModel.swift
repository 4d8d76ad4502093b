import SnapshotDomain
import Testing

/// A pool as it is on the medium: layers hold clusters, and reading a layer goes down its chain.
///
/// Steps are executed as a block store would, and whatever a step must not do is recorded as an issue.
struct PoolModel {
    static let clusterSize = ByteCount.mebibytes(1)

    struct StoredLayer: Equatable {
        var parent: LayerID?
        /// The clusters that the layer itself holds, with what is in them.
        var clusters: [Int: Int] = [:]
        var size = 4
        var phase = Layer.Phase.ready
    }

    var layers: [LayerID: StoredLayer] = [:]
    var pins: [Pin: LayerID] = [:]
    /// The machine that each running volume is attached to.
    var machines: [VolumeID: InstanceID] = [:]
    var held: Set<LayerID> = []
    var room = 1_000
    var policy = CollectionPolicy(smallestLiveFold: clusterSize + clusterSize)
    /// Clusters copied by the steps so far.
    private(set) var copied = 0

    var tree: LayerTree {
        LayerTree(
            layers: layers.map { id, layer in
                Layer(
                    id: id,
                    pool: .local,
                    parent: layer.parent,
                    size: Self.bytes(layer.size),
                    allocated: Self.bytes(layer.clusters.count),
                    phase: layer.phase
                )
            },
            pins: pins.map { ($0.value, $0.key) }
        )
    }

    var allocated: ByteCount {
        layers.values.reduce(.zero) { $0 + Self.bytes($1.clusters.count) }
    }

    var openLayers: [LayerID: Set<InstanceID>] {
        var open: [LayerID: Set<InstanceID>] = [:]
        for (volume, machine) in machines {
            var next = pins[.volume(volume)]
            while let layer = next {
                open[layer, default: []].insert(machine)
                next = layers[layer]?.parent
            }
        }
        return open
    }

    static func bytes(_ clusters: Int) -> ByteCount { ByteCount(Int64(clusters) * clusterSize.bytes) }

    // MARK: Reading

    /// What a guest would read: zeros where no layer of the chain holds anything.
    func content(of layer: LayerID) -> [Int] {
        (0..<(layers[layer]?.size ?? 0)).map { cluster in
            var next: LayerID? = layer
            while let id = next, let found = layers[id] {
                if let value = found.clusters[cluster] { return value }
                next = found.parent
            }
            return 0
        }
    }

    /// What every pin shows.
    var contents: [Pin: [Int]] { pins.mapValues(content(of:)) }

    func children(of layer: LayerID) -> [LayerID] {
        layers.filter { $0.value.parent == layer }.map(\.key)
    }

    // MARK: Collecting

    func nextStep() -> CollectionStep? {
        tree.nextCollectionStep(openIn: openLayers, held: held, room: Self.bytes(room), policy: policy)
    }

    /// Takes steps until there is none, checking after each that no pin shows anything else than before.
    mutating func converge(_ comment: @autoclosure () -> String = "") {
        let wanted = contents
        let heldBefore = layers.filter { held.contains($0.key) }
        var steps = 0
        while let step = nextStep() {
            steps += 1
            guard steps <= 100 else {
                Issue.record("the collector does not come to an end: \(step); \(comment())")
                return
            }
            let text = "\(comment()); step \(steps): \(step)"
            take(step, text)
            if contents != wanted { Issue.record("a pin shows other bytes; \(text)") }
            for (id, layer) in heldBefore where layers[id]?.clusters != layer.clusters {
                Issue.record("a layer that a job uses was changed; \(text)")
            }
        }
        expectConverged(comment())
    }

    private mutating func take(_ step: CollectionStep, _ comment: String) {
        func refuse(if isBroken: Bool, _ rule: String) {
            if isBroken { Issue.record("\(rule); \(comment)") }
        }
        switch step {
        case .unlink(let layer):
            refuse(if: pins.values.contains(layer), "a pinned layer was unlinked")
            refuse(if: !children(of: layer).isEmpty, "a layer with another one on it was unlinked")
            refuse(if: openLayers[layer] != nil, "a layer that a machine has open was unlinked")
            layers[layer] = nil
        case .fold(let child, let parent):
            guard var upper = layers[child], let lower = layers[parent] else {
                return refuse(if: true, "layers that are not there were folded")
            }
            refuse(if: upper.parent != parent, "a layer was folded into one that it does not stand on")
            refuse(if: pins.values.contains(parent), "a layer was folded into a pinned one")
            refuse(if: children(of: parent) != [child], "a layer was folded into one that others stand on")
            refuse(if: upper.size != lower.size, "layers of different sizes were folded")
            refuse(if: isWritten(child), "a layer that a machine writes was folded")
            refuse(if: isOpenTwice([child, parent]), "a layer that several machines have open was folded")
            spend(upper.clusters.count, refuse)
            upper.clusters.merge(lower.clusters) { own, _ in own }
            upper.parent = lower.parent
            layers[child] = upper
            layers[parent] = nil
        case .pull(let layer, let ancestor):
            guard var upper = layers[layer] else { return refuse(if: true, "bytes were pulled into no layer") }
            refuse(if: isOpenTwice([layer]), "bytes were pulled into a layer that several machines have open")
            var gained: [Int: Int] = [:]
            var next = upper.parent
            while next != ancestor, let id = next, let lower = layers[id] {
                gained.merge(lower.clusters) { nearer, _ in nearer }
                next = lower.parent
            }
            refuse(if: next != ancestor, "bytes were pulled past the base")
            gained = gained.filter { upper.clusters[$0.key] == nil }
            spend(gained.count, refuse)
            upper.clusters.merge(gained) { own, _ in own }
            upper.parent = ancestor
            layers[layer] = upper
        case .advance(let volume, let layer):
            refuse(if: pins[.volume(volume)] != layer, "a volume was moved on from a layer that it does not write")
            refuse(if: machines[volume] == nil, "a volume was moved on that no machine writes")
            let fresh = LayerID.random()
            layers[fresh] = StoredLayer(parent: layer, size: layers[layer]?.size ?? 0)
            pins[.volume(volume)] = fresh
        }
    }

    private mutating func spend(_ clusters: Int, _ refuse: (Bool, String) -> Void) {
        refuse(clusters > room, "a step took more than there is room for")
        copied += clusters
    }

    private func isWritten(_ layer: LayerID) -> Bool {
        machines.keys.contains { pins[.volume($0)] == layer }
    }

    private func isOpenTwice(_ layers: [LayerID]) -> Bool {
        let open = openLayers
        return layers.reduce(into: Set<InstanceID>()) { $0.formUnion(open[$1] ?? []) }.count > 1
    }

    /// Every layer that nobody pins has a reason to be there still.
    private func expectConverged(_ comment: String) {
        let open = openLayers
        for (id, layer) in layers where !pins.values.contains(id) && layer.phase != .building && !held.contains(id) {
            let children = children(of: id)
            if children.isEmpty {
                if open[id] == nil { Issue.record("nobody reads a layer that is still there; \(comment)") }
                continue
            }
            guard children.count == 1, let child = children.first, let upper = layers[child] else { continue }
            let isBlocked = held.contains(child) || upper.phase != .ready
            let isPulled = layer.clusters.count <= upper.clusters.count || layer.size != upper.size
            let isTooLarge = (isPulled ? layer : upper).clusters.count > room
            let isFooting =
                isWritten(child) && !isPulled && Self.bytes(upper.clusters.count) < policy.smallestLiveFold
            if !(isBlocked || isOpenTwice([id, child]) || isTooLarge || isFooting) {
                Issue.record("two layers that could be one are still two; \(comment)")
            }
        }
    }
}
