/// The layers of one pool and what pins them: the one model behind revert, clone, delete and every byte that is shown.
///
/// ```
///  base ── L1 ── L2 ── L3*        * active layer of volume web-root
///          │      └─ pinned by snapshot "before upgrade"
///          └─ pinned by template "golden", which also carries L7* of clone-1, L8* of clone-2, …
/// ```
///
/// It is a value made from one catalog transaction. Everything decided over it is a pure function, so that the plan a
/// person confirms and the plan that is executed are the same computation.
package struct LayerTree: Sendable {
    package private(set) var layers: [LayerID: Layer]
    package private(set) var pins: [LayerID: Set<Pin>]
    private let childrenByParent: [LayerID: [LayerID]]

    package init(layers: some Sequence<Layer>, pins: some Sequence<(LayerID, Pin)>) {
        self.layers = Dictionary(layers.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        self.pins = Dictionary(grouping: pins, by: \.0).mapValues { Set($0.map(\.1)) }
        var children: [LayerID: [LayerID]] = [:]
        for layer in self.layers.values {
            if let parent = layer.parent { children[parent, default: []].append(layer.id) }
        }
        childrenByParent = children.mapValues { $0.sorted() }
    }

    /// The layers that stand directly on one, in a stable order.
    package func children(of layer: LayerID) -> [LayerID] {
        childrenByParent[layer] ?? []
    }

    /// The layer itself, then everything it reads through, down to its base.
    package func chain(of layer: LayerID) -> [LayerID] {
        var chain: [LayerID] = []
        var next: LayerID? = layer
        // A damaged catalog could hold a cycle: the walk ends all the same.
        while let id = next, let found = layers[id], chain.count <= layers.count {
            chain.append(id)
            next = found.parent
        }
        return chain
    }

    /// How many layers a read may pass through: 1 for a base.
    package func depth(of layer: LayerID) -> Int {
        chain(of: layer).count
    }

    /// The layer and everything that stands on it.
    package func subtree(of layer: LayerID) -> [LayerID] {
        var found = [layer]
        var index = 0
        while index < found.count, found.count <= layers.count {
            found += children(of: found[index])
            index += 1
        }
        return found
    }

    package func isPinned(_ layer: LayerID) -> Bool {
        pins[layer]?.isEmpty == false
    }

    /// The volume whose active layer this is.
    package func volume(writing layer: LayerID) -> VolumeID? {
        for case .volume(let volume) in pins[layer] ?? [] { return volume }
        return nil
    }

    /// Every pin that reads through a layer, its own included: who would notice if its bytes were lost.
    package func dependents(of layer: LayerID) -> Set<Pin> {
        subtree(of: layer).reduce(into: []) { $0.formUnion(pins[$1] ?? []) }
    }

    /// The tree as it would be without some pins.
    package func removing(_ removed: Set<Pin>) -> LayerTree {
        var copy = self
        copy.pins = pins.mapValues { $0.subtracting(removed) }.filter { !$0.value.isEmpty }
        return copy
    }
}
