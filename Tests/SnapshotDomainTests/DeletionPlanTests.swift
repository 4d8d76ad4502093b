import SnapshotDomain
import Testing

@Suite("Deletion plans: over small pools")
struct DeletionPlanTests {
    /// Every set of pins of every small pool that the collector has nothing left to do in.
    private func forEachDeletion(
        layers: Int,
        _ body: (_ pool: PoolModel, _ removed: Set<Pin>, _ name: String) -> Void
    ) {
        SmallPools.forEach(layers: layers, seed: 9) { pool, random, name in
            pool.converge(name)
            let pins = pool.pins.keys.sorted { "\($0)" < "\($1)" }
            for selection in 1..<(1 << pins.count) {
                // All of them up to four layers, and some of the many beyond.
                if layers > 4 && Int.random(in: 0...39, using: &random) > 0 { continue }
                let removed = Set(pins.enumerated().filter { selection >> $0.offset & 1 == 1 }.map(\.element))
                body(pool, removed, "\(name), removed \(removed)")
            }
        }
    }

    private func delete(_ pins: Set<Pin>, from pool: PoolModel, _ name: String) -> PoolModel {
        var after = pool
        for pin in pins { after.pins[pin] = nil }
        after.converge(name)
        return after
    }

    @Test("what happens is what was planned: layers, bytes freed, bytes copied", arguments: 1...5)
    func planIsKept(layers: Int) {
        forEachDeletion(layers: layers) { pool, removed, name in
            let plan = pool.tree.planDeletion(of: removed)
            let after = delete(removed, from: pool, name)
            let freed = pool.allocated - after.allocated
            if freed < plan.freedAtLeast || freed > plan.freedAtMost {
                Issue.record("freed \(freed), planned \(plan.freedAtLeast) to \(plan.freedAtMost); \(name)")
            }
            let copied = PoolModel.bytes(after.copied - pool.copied)
            if copied > plan.copied { Issue.record("copied \(copied), planned \(plan.copied); \(name)") }
            let gone = Set(pool.layers.keys).subtracting(after.layers.keys)
            if gone != Set(plan.unlinked + plan.merges.map(\.parent)) { Issue.record("other layers went; \(name)") }
            if !Set(plan.kept).isSubset(of: after.layers.keys) { Issue.record("a kept layer went; \(name)") }
        }
    }

    @Test("pins deleted one after another leave the same layers as all at once", arguments: 1...4)
    func oneByOne(layers: Int) {
        forEachDeletion(layers: layers) { pool, removed, name in
            let together = delete(removed, from: pool, name)
            let apart = removed.sorted { "\($0)" < "\($1)" }.reduce(pool) { delete([$1], from: $0, name) }
            if together.layers != apart.layers { Issue.record("another pool; \(name)") }
        }
    }

    @Test("a set can free more than its members alone")
    func setFreesMore() {
        // base ── a ── b, with a snapshot on base and on a, and a volume on b.
        var pool = PoolModel()
        let ids = (UInt8(1)...3).map { LayerID(number: $0) }
        pool.layers[ids[0]] = .init(clusters: [0: 1, 1: 1])
        pool.layers[ids[1]] = .init(parent: ids[0], clusters: [2: 2, 3: 2])
        let snapshots: [Pin] = [.snapshot(.init(number: 1)), .snapshot(.init(number: 2))]
        pool.pins = [snapshots[0]: ids[0], snapshots[1]: ids[1]]
        #expect(pool.tree.planDeletion(of: [snapshots[0]]).freedAtLeast == .zero)
        #expect(pool.tree.planDeletion(of: [snapshots[1]]).freedAtLeast == PoolModel.bytes(2))
        let both = pool.tree.planDeletion(of: Set(snapshots))
        #expect(both.freedAtLeast == PoolModel.bytes(4))
        #expect(both.unlinked == [ids[0], ids[1]])
    }

    @Test("a row of hidden layers can free more than its pairs: what merges first is larger afterwards")
    func rowOfMerges() {
        var pool = PoolModel()
        let ids = (UInt8(1)...3).map { LayerID(number: $0) }
        pool.layers[ids[0]] = .init(clusters: [0: 1, 1: 1], size: 8)
        pool.layers[ids[1]] = .init(parent: ids[0], clusters: [2: 2], size: 8)
        pool.layers[ids[2]] = .init(parent: ids[1], clusters: [0: 3, 1: 3, 2: 3, 3: 3], size: 8)
        let snapshots: Set<Pin> = [.snapshot(.init(number: 1)), .snapshot(.init(number: 2))]
        pool.pins = [.volume(.init(number: 3)): ids[2]]
        for pin in snapshots { pool.pins[pin] = pin == .snapshot(.init(number: 1)) ? ids[0] : ids[1] }
        let plan = pool.tree.planDeletion(of: snapshots)
        let after = delete(snapshots, from: pool, "")
        #expect(pool.allocated - after.allocated == PoolModel.bytes(3))
        #expect(plan.freedAtMost == PoolModel.bytes(3))
        #expect(plan.merges.map(\.parent) == [ids[0], ids[1]])
    }

    @Test("deleting nothing, or what is not there, plans nothing")
    func nothing() {
        SmallPools.forEach(layers: 3, seed: 1) { pool, _, name in
            for removed in [[], [.template(.random())]] as [Set<Pin>] {
                if pool.tree.planDeletion(of: removed) != DeletionPlan() { Issue.record("a plan; \(name)") }
            }
        }
    }
}
