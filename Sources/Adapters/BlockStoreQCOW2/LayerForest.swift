import SnapshotDomain

/// What stands on what, in some fifty bytes for each layer: a pool may hold a million.
///
/// A layer that carries others knows the first of them, and each of those its neighbours. So a set of children costs nothing
/// for as long as nobody asks for it, and one of many leaves as fast as an only one.
struct LayerForest: Sendable {
    private struct Node {
        var layer: LayerID
        var parent = LayerForest.nobody
        var firstChild = LayerForest.nobody
        /// Neighbours on the same parent; of a free node, the next free one.
        var next = LayerForest.nobody
        var previous = LayerForest.nobody

        var isAlone: Bool { parent == LayerForest.nobody && firstChild == LayerForest.nobody }
    }

    private static let nobody: Int32 = -1

    private var nodes: [Node] = []
    /// Where the layers stand that stand on another one or carry one.
    private var places: [LayerID: Int32] = [:]
    private var firstFree = nobody

    func parent(of layer: LayerID) -> LayerID? {
        guard let place = places[layer], self[place].parent != Self.nobody else { return nil }
        return self[self[place].parent].layer
    }

    func children(of layer: LayerID) -> Set<LayerID> {
        var children: Set<LayerID> = []
        var next = places[layer].map { self[$0].firstChild } ?? Self.nobody
        while next != Self.nobody {
            children.insert(self[next].layer)
            next = self[next].next
        }
        return children
    }

    /// Puts a layer on another one, or on nothing, wherever it stood before.
    mutating func put(_ layer: LayerID, on parent: LayerID?) {
        if let place = places[layer] { takeOff(place) }
        if let parent {
            let (above, below) = (place(of: layer), place(of: parent))
            let neighbour = self[below].firstChild
            self[above].parent = below
            self[above].next = neighbour
            if neighbour != Self.nobody { self[neighbour].previous = above }
            self[below].firstChild = above
        } else if let place = places[layer] {
            dropIfAlone(place)
        }
    }

    // MARK: Parts

    private subscript(_ place: Int32) -> Node {
        get { nodes[Int(place)] }
        _modify { yield &nodes[Int(place)] }
    }

    private mutating func takeOff(_ place: Int32) {
        let node = self[place]
        guard node.parent != Self.nobody else { return }
        if node.previous == Self.nobody {
            self[node.parent].firstChild = node.next
        } else {
            self[node.previous].next = node.next
        }
        if node.next != Self.nobody { self[node.next].previous = node.previous }
        self[place].parent = Self.nobody
        self[place].next = Self.nobody
        self[place].previous = Self.nobody
        dropIfAlone(node.parent)
    }

    private mutating func place(of layer: LayerID) -> Int32 {
        if let known = places[layer] { return known }
        let place: Int32
        if firstFree == Self.nobody {
            place = Int32(nodes.count)
            nodes.append(Node(layer: layer))
        } else {
            place = firstFree
            firstFree = self[place].next
            self[place] = Node(layer: layer)
        }
        places[layer] = place
        return place
    }

    private mutating func dropIfAlone(_ place: Int32) {
        guard self[place].isAlone else { return }
        places[self[place].layer] = nil
        self[place].next = firstFree
        firstFree = place
    }
}
