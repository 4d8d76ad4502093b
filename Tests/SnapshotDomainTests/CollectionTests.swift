import SnapshotDomain
import Testing

/// The rules are checked by ``PoolModel`` after every step: what each pin shows, and that what is left has a reason.
@Suite("Collector: over small pools")
struct CollectionTests {
    @Test(
        "every small pool at rest converges to one layer for each pin and fork, and no pin ever shows other bytes",
        arguments: 1...5
    )
    func atRest(layers: Int) {
        for seed in UInt64(1)...(layers < 5 ? 3 : 1) {
            SmallPools.forEach(layers: layers, seed: seed) { pool, _, name in pool.converge(name) }
        }
    }

    @Test("and so it does with every volume in a running machine of its own", arguments: 1...4)
    func running(layers: Int) {
        for seed in UInt64(1)...3 {
            SmallPools.forEach(layers: layers, seed: seed) { pool, _, name in
                for case .volume(let volume) in pool.pins.keys { pool.machines[volume] = .random() }
                pool.converge("running, \(name)")
            }
        }
    }

    @Test("and with all volumes in one machine", arguments: 1...4)
    func oneMachine(layers: Int) {
        let machine = InstanceID.random()
        SmallPools.forEach(layers: layers, seed: 1) { pool, _, name in
            for case .volume(let volume) in pool.pins.keys { pool.machines[volume] = machine }
            pool.converge("one machine, \(name)")
        }
    }

    @Test("and with layers in use, half made or doomed, grown disks, little room, and some machines", arguments: 1...8)
    func everything(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for round in 0..<500 {
            var pool = SmallPools.random(layers: Int.random(in: 2...9, using: &random), using: &random)
            for id in pool.layers.keys.sorted() {
                if Int.random(in: 0...7, using: &random) == 0 { pool.held.insert(id) }
                let isPinned = pool.pins.values.contains(id)
                switch Int.random(in: 0...9, using: &random) {
                case 0 where !isPinned: pool.layers[id]?.phase = .building
                case 1 where !isPinned: pool.layers[id]?.phase = .doomed
                case 2 where pool.children(of: id).isEmpty: pool.layers[id]?.size = 5
                default: break
                }
            }
            let machines = [InstanceID.random(), .random()]
            for pin in pool.pins.keys.sorted(by: { "\($0)" < "\($1)" }) {
                guard case .volume(let volume) = pin, Bool.random(using: &random) else { continue }
                pool.machines[volume] = machines.randomElement(using: &random)
            }
            pool.room = Int.random(in: 0...5, using: &random)
            if Bool.random(using: &random) { pool.policy.softDepth = Int.random(in: 1...4, using: &random) }
            pool.converge("seed \(seed), round \(round)")
        }
    }

    @Test("a merge copies the smaller side, down into the parent or up into the child")
    func direction() {
        for (lower, upper) in [(1, 3), (3, 1), (2, 2)] {
            var pool = Self.pair(lower, upper)
            let step = pool.nextStep()
            if lower <= upper {
                #expect(step == .pull(into: LayerID(number: 2), downTo: nil))
            } else {
                #expect(step == .fold(child: LayerID(number: 2), into: LayerID(number: 1)))
            }
            pool.converge()
            #expect(pool.copied <= min(lower, upper))
            #expect(pool.layers.count == 1)
        }
    }

    @Test("a disk that was grown is merged upwards, whatever the sizes")
    func grown() {
        var pool = Self.pair(3, 1)
        pool.layers[LayerID(number: 2)]?.size = 8
        #expect(pool.nextStep() == .pull(into: LayerID(number: 2), downTo: nil))
        pool.converge()
        #expect(pool.layers.count == 1)
    }

    @Test("a machine's layer is put to rest before it is folded, and only when it is worth it")
    func advance() {
        let volume = VolumeID(number: 2)
        for (upper, isWorthIt) in [(1, false), (2, true), (3, true)] {
            var pool = Self.pair(4, upper)
            pool.machines[volume] = .random()
            #expect(pool.nextStep() == (isWorthIt ? .advance(volume, from: LayerID(number: 2)) : nil))
            pool.converge()
            #expect(pool.layers.count == 2)
            #expect(pool.allocated == PoolModel.bytes(isWorthIt ? 4 : 5))
        }
    }

    @Test("no step is taken that there is no room for, and none instead that copies more")
    func noRoom() {
        for (lower, upper, room) in [(2, 3, 1), (3, 2, 1), (1, 1, 0), (4, 3, 2)] {
            var pool = Self.pair(lower, upper)
            pool.room = room
            #expect(pool.nextStep() == nil)
            // A machine's disk is not moved on either, as the fold could not follow, and the chain would grow for ever.
            pool.machines[VolumeID(number: 2)] = .random()
            #expect(pool.nextStep() == nil)
        }
    }

    @Test("a chain deeper than the soft bound is flattened for its volume, when there is room")
    func flatten() {
        var pool = PoolModel()
        pool.policy.softDepth = 3
        for number in UInt8(1)...5 {
            pool.layers[LayerID(number: number)] = .init(
                parent: number == 1 ? nil : LayerID(number: number - 1),
                clusters: [Int(number % 4): Int(number)]
            )
            pool.pins[number == 5 ? .volume(.init(number: 5)) : .snapshot(.init(number: number))] =
                LayerID(number: number)
        }
        var cramped = pool
        cramped.room = 3
        #expect(cramped.nextStep() == nil)
        let room = PoolModel.bytes(cramped.room)
        #expect(pool.tree.volumesWithoutRoom(room, policy: pool.policy) == [VolumeID(number: 5)])
        #expect(pool.tree.flattening(of: LayerID(number: 5), beyond: 3) == PoolModel.bytes(4))
        #expect(pool.tree.flattening(of: LayerID(number: 3), beyond: 3) == nil)
        #expect(pool.tree.volumesWithoutRoom(PoolModel.bytes(4), policy: pool.policy).isEmpty)
        #expect(pool.nextStep() == .pull(into: LayerID(number: 5), downTo: nil))
        pool.converge()
        #expect(pool.tree.depth(of: LayerID(number: 5)) == 1)
        #expect(pool.tree.depth(of: LayerID(number: 4)) == 4)
    }

    /// A hidden layer with a volume's layer on it, holding so many clusters each.
    private static func pair(_ lower: Int, _ upper: Int) -> PoolModel {
        var pool = PoolModel()
        let clusters = { (count: Int, value: Int) in
            Dictionary(uniqueKeysWithValues: (0..<count).map { ($0, value) })
        }
        pool.layers[LayerID(number: 1)] = .init(clusters: clusters(lower, 1))
        pool.layers[LayerID(number: 2)] = .init(parent: LayerID(number: 1), clusters: clusters(upper, 2))
        pool.pins[.volume(VolumeID(number: 2))] = LayerID(number: 2)
        return pool
    }
}
