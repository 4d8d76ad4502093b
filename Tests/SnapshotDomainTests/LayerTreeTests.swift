import SnapshotDomain
import Testing

@Suite("Layer tree")
struct LayerTreeTests {
    @Test("children, chains, subtrees and dependents are what a look at each layer finds", arguments: 1...4)
    func structure(layers: Int) {
        SmallPools.forEach(layers: layers, seed: 4) { pool, _, name in
            let (tree, stored) = (pool.tree, pool.layers)
            for id in stored.keys {
                let chain = Array(sequence(first: id) { stored[$0]?.parent })
                let subtree = stored.keys.filter { other in
                    sequence(first: other) { stored[$0]?.parent }.contains(id)
                }
                let readers = Set(pool.pins.filter { subtree.contains($0.value) }.map(\.key))
                let isRight =
                    tree.children(of: id) == pool.children(of: id).sorted() && tree.chain(of: id) == chain
                    && tree.depth(of: id) == chain.count && Set(tree.subtree(of: id)) == Set(subtree)
                    && tree.subtree(of: id).first == id && tree.subtree(of: id).count == subtree.count
                    && tree.dependents(of: id) == readers && tree.isPinned(id) == pool.pins.values.contains(id)
                    && Set(tree.liveChildren(of: id))
                        == Set(pool.children(of: id).filter { !tree.dependents(of: $0).isEmpty })
                if !isRight { Issue.record("\(id) of \(name)") }
            }
        }
    }

    @Test("the ledger balances: each byte is exclusive, shared or collectable, and each pin pays for its chain")
    func account() {
        for layers in 1...4 {
            SmallPools.forEach(layers: layers, seed: 6) { pool, _, name in
                let (tree, account) = (pool.tree, SpaceAccount(pool.tree))
                var wanted: [Pin: SpaceAccount.Entry] = [:]
                var (shared, collectable) = (ByteCount.zero, ByteCount.zero)
                for layer in tree.layers.values {
                    let readers = tree.dependents(of: layer.id)
                    for pin in readers {
                        if readers.count == 1 { wanted[pin, default: .none].exclusive += layer.allocated }
                        if readers.count > 1 { wanted[pin, default: .none].shared += layer.allocated }
                    }
                    if readers.isEmpty { collectable += layer.allocated }
                    if readers.count > 1 { shared += layer.allocated }
                }
                let isRight =
                    account.entries == wanted && account.shared == shared && account.collectable == collectable
                    && account.total == pool.allocated
                if !isRight { Issue.record("\(name)") }
            }
        }
    }

    @Test("a pin that is not there pays for nothing")
    func unknownPin() {
        let account = SpaceAccount(LayerTree(layers: [], pins: []))
        #expect(account.entry(.volume(.random())) == .none)
        #expect(account.total == .zero)
    }

    @Test("layers of one identity, pins said twice and pins of no layer do no harm")
    func disorder() {
        let (id, pin) = (LayerID.random(), Pin.snapshot(.random()))
        func layer(_ allocated: Int64) -> Layer {
            Layer(
                id: id,
                pool: .local,
                parent: nil,
                size: .mebibytes(9),
                allocated: .mebibytes(allocated),
                phase: .ready
            )
        }
        let tree = LayerTree(
            layers: [layer(1), layer(2)],
            pins: [(id, pin), (id, pin), (.random(), .volume(.random()))]
        )
        #expect(tree.layers.values == [layer(1)])
        #expect(tree.pins[id] == [pin])
        #expect(SpaceAccount(tree).entry(pin).exclusive == .mebibytes(1))
    }

    @Test("a cycle in a damaged catalog ends every walk, and is never collected")
    func cycle() {
        let ids = (UInt8(1)...4).map { LayerID(number: $0) }
        let parents = [ids[1], ids[2], ids[0], nil]
        let layers = zip(ids, parents).map { id, parent in
            Layer(id: id, pool: .local, parent: parent, size: .mebibytes(1), allocated: .mebibytes(1), phase: .ready)
        }
        let pin = Pin.snapshot(.random())
        let tree = LayerTree(layers: layers, pins: [(ids[0], pin)])
        #expect(tree.chain(of: ids[0]).count <= 4)
        #expect(Set(tree.subtree(of: ids[0])).isSuperset(of: ids.prefix(3)))
        #expect(SpaceAccount(tree).collectable == .mebibytes(3))
        #expect(tree.planDeletion(of: [pin]).freedAtLeast <= .mebibytes(1))
    }

    @Test("a pool of 100,000 layers in chains of 250 is planned, accounted and collected in one pass each")
    func large() {
        let (count, depth) = (100_000, 250)
        var layers: [Layer] = []
        var pins: [(LayerID, Pin)] = []
        for index in 0..<count {
            let parent = index % depth == 0 ? nil : layers.last?.id
            let id = LayerID.random()
            layers.append(
                Layer(
                    id: id,
                    pool: .local,
                    parent: parent,
                    size: .gibibytes(1),
                    allocated: .mebibytes(1),
                    phase: .ready
                )
            )
            pins.append((id, index % depth == depth - 1 ? .volume(.random()) : .snapshot(.random())))
        }
        let tree = LayerTree(layers: layers, pins: pins)
        let account = SpaceAccount(tree)
        #expect(account.total == .mebibytes(Int64(count)))
        #expect(account.entry(pins[depth - 1].1).shared == .mebibytes(Int64(depth - 1)))
        let plan = tree.planDeletion(of: Set(pins.map(\.1)))
        #expect(plan.freedAtLeast == .mebibytes(Int64(count)))
        let allButVolumes = tree.planDeletion(of: Set(pins.map(\.1).filter { !$0.isVolume }))
        #expect(allButVolumes.merges.count == count - count / depth)
        let step = tree.nextCollectionStep(openIn: [:], held: [], room: .zero, policy: CollectionPolicy())
        #expect(step == nil)
    }
}
