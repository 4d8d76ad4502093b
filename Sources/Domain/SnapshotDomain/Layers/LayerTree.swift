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
    package let layers: LayerTable
    package private(set) var pins: PinTable
    /// Where each layer's parent stands in ``layers``, or nil for a base.
    private let parents: [Int32?]
    private let childPositions: GroupedValues<Int32>

    /// - Parameters:
    ///   - layers: In any order; cheapest in that of their identities.
    ///   - pins: Of these layers. Each pin holds one layer.
    package init(layers: some Sequence<Layer>, pins: some Sequence<(LayerID, Pin)>) {
        let table = LayerTable(layers)
        self.layers = table
        self.pins = PinTable(pins, of: table)
        let parents = table.values.map { layer in layer.parent.flatMap(table.position).map(Int32.init) }
        self.parents = parents
        childPositions = GroupedValues(
            parents.enumerated().compactMap { child, parent in parent.map { (Int($0), Int32(child)) } },
            groups: table.count
        )
    }

    /// The layers that stand directly on one, in a stable order.
    package func children(of layer: LayerID) -> [LayerID] {
        layers.position(of: layer).map { children(at: $0).map { layers.values[Int($0)].id } } ?? []
    }

    /// The layer itself, then everything it reads through, down to its base.
    package func chain(of layer: LayerID) -> [LayerID] {
        var chain: [LayerID] = []
        var next = layers.position(of: layer)
        // A damaged catalog could hold a cycle: the walk ends all the same.
        while let position = next, chain.count < layers.count {
            chain.append(layers.values[position].id)
            next = parents[position].map(Int.init)
        }
        return chain
    }

    /// How many layers a read may pass through: 1 for a base.
    package func depth(of layer: LayerID) -> Int {
        chain(of: layer).count
    }

    /// The layer and everything that stands on it.
    package func subtree(of layer: LayerID) -> [LayerID] {
        guard let position = layers.position(of: layer) else { return [layer] }
        return positions(above: [Int32(position)]).map { layers.values[Int($0)].id }
    }

    /// Whether a volume, snapshot or template holds the layer itself.
    package func isPinned(_ layer: LayerID) -> Bool {
        layers.position(of: layer).map(isPinned(at:)) ?? false
    }

    /// The volume whose active layer this is.
    package func volume(writing layer: LayerID) -> VolumeID? {
        layers.position(of: layer).flatMap(volume(writingAt:))
    }

    /// Every pin that reads through a layer, its own included: who would notice if its bytes were lost.
    package func dependents(of layer: LayerID) -> Set<Pin> {
        subtree(of: layer).reduce(into: []) { $0.formUnion(pins[$1] ?? []) }
    }

    /// The tree as it would be without some pins.
    package func removing(_ removed: Set<Pin>) -> LayerTree {
        var copy = self
        copy.pins = pins.removing(removed)
        return copy
    }
}

// The same by position in `layers.values`, for passes over whole trees.
extension LayerTree {
    func children(at position: Int) -> ArraySlice<Int32> {
        childPositions[position]
    }

    func isPinned(at position: Int) -> Bool {
        !pins[position: position].isEmpty
    }

    func volume(writingAt position: Int) -> VolumeID? {
        for case .volume(let volume) in pins[position: position] { return volume }
        return nil
    }

    /// Every layer after its parent.
    ///
    /// The layers of a cycle, which only a damaged catalog holds, are left out.
    func positionsTopDown() -> [Int32] {
        positions(above: parents.indices.filter { parents[$0] == nil }.map(Int32.init))
    }

    /// How many pins read through each layer, its own included.
    ///
    /// One pass, however deep the chains.
    func readerCounts() -> [Int] {
        var counts = parents.indices.map { pins[position: $0].count }
        for position in positionsTopDown().reversed() {
            if let parent = parents[Int(position)] { counts[Int(parent)] += counts[Int(position)] }
        }
        return counts
    }

    /// For each layer, the sum of a value over its chain, the layer included.
    func sumsAlongChains(_ value: (Int) -> ByteCount) -> [ByteCount] {
        var sums = [ByteCount](repeating: .zero, count: layers.count)
        for position in positionsTopDown().map(Int.init) {
            sums[position] = value(position) + (parents[position].map { sums[Int($0)] } ?? .zero)
        }
        return sums
    }

    /// Some layers and all that stands on them, every layer after its parent.
    private func positions(above start: [Int32]) -> [Int32] {
        var found = start
        var index = 0
        while index < found.count, found.count <= layers.count {
            found += children(at: Int(found[index]))
            index += 1
        }
        return found
    }
}
