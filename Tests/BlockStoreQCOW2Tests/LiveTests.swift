import Foundation
import Platform
import QEMU
import QEMUTestKit
import SnapshotDomain
import SnapshotPorts
import TestKit
import Testing

@testable import BlockStoreQCOW2

@Suite("Layers of a running machine", .serialized)
struct LiveTests {
    private static let size = ByteCount.mebibytes(64)

    private func makeChain(_ ground: Ground, _ contents: [[Fill]]) async throws -> [LayerID] {
        var layers: [LayerID] = []
        for fills in contents {
            let id = LayerID.random()
            if let below = layers.last {
                try await ground.store.createLayer(id, on: below, size: Self.size, through: nil)
            } else {
                try await ground.store.createLayer(id, size: Self.size)
            }
            if !fills.isEmpty { try await ground.write(fills, to: id) }
            layers.append(id)
        }
        return layers
    }

    @Test("are folded and pulled while it writes all the time")
    func underLoad() async throws {
        try await withGround { ground in
            let contents = [
                [Fill(1, 0..<30_000_000)], [Fill(2, 10_000_000..<40_000_000)], [Fill(3, 20_000_000..<50_000_000)], [],
            ]
            let layers = try await makeChain(ground, contents)
            var model = DiskModel(size: Self.size, contents.flatMap { $0 })
            let ended = Eventual<Void>()
            try await ground.withTestMachine(writing: [layers[3]]) { machine in
                let writing = Task { () throws -> [Fill] in
                    var generator = SeededGenerator(seed: 7)
                    var written: [Fill] = []
                    while ended.current == nil {
                        let start = Int64.random(in: 0..<60_000_000, using: &generator)
                        let fill = Fill(
                            .random(in: 1...255, using: &generator),
                            start..<start + .random(in: 1...70_000, using: &generator)
                        )
                        try await machine.write(fill, toDisk: 0)
                        written.append(fill)
                    }
                    return written
                }
                do {
                    let (store, channel) = (ground.store, machine.channel)
                    try await store.foldLayer(layers[2], into: layers[1], through: channel) { _, _ in }
                    try await store.pullLayer(layers[3], downTo: layers[0], through: channel) { _, _ in }
                    try await store.deleteLayer(layers[2])
                    try await store.pullLayer(layers[3], downTo: nil, through: channel) { _, _ in }
                } catch {
                    ended.settle(())
                    _ = try await writing.value
                    throw error
                }
                ended.settle(())
                for fill in try await writing.value { model.apply(fill) }
                let open = try await machine.openLayers()
                #expect(open == [layers[3]])
            }
            let content = try await ground.read(layers[3])
            let difference = content.firstDifference(from: model)
            #expect(difference == nil)
        }
    }

    @Test("that two of its disks stand on are folded for both")
    func sharedLayers() async throws {
        try await withGround { ground in
            let contents = [[Fill(1, 0..<1_000_000)], [Fill(2, 500_000..<1_500_000)], [Fill(3, 0..<100_000)]]
            let layers = try await makeChain(ground, contents + [[]])
            let clone = LayerID.random()
            try await ground.store.createLayer(clone, on: layers[2], size: Self.size, through: nil)
            try await ground.withTestMachine(writing: [layers[3], clone]) { machine in
                try await machine.write(Fill(4, 0..<512), toDisk: 0)
                try await machine.write(Fill(5, 0..<512), toDisk: 1)
                try await ground.store.foldLayer(layers[2], into: layers[1], through: machine.channel) { _, _ in }
                let open = try await machine.openLayers()
                #expect(open == [layers[0], layers[2], layers[3], clone])
                try await machine.expect(Fill(3, 512..<100_000), onDisk: 0)
                try await machine.expect(Fill(3, 512..<100_000), onDisk: 1)
                let fault = await #expect(throws: BlockStoreFault.self) {
                    try await ground.store.deleteLayer(layers[2])
                }
                #expect(fault?.code == .inUse)
                // One disk leaves; what the other one reads stays open.
                try await ground.store.pullLayer(layers[3], downTo: nil, through: machine.channel) { _, _ in }
                try await machine.expect(Fill(2, 500_000..<1_500_000), onDisk: 1)
            }
            let below = contents.flatMap { $0 }
            for (layer, byte) in [(layers[3], 4), (clone, 5)] as [(LayerID, UInt8)] {
                let content = try await ground.read(layer)
                let difference = content.firstDifference(
                    from: DiskModel(size: Self.size, below + [Fill(byte, 0..<512)])
                )
                #expect(difference == nil)
            }
        }
    }

    @Test("are switched again and again, and every one keeps its instant")
    func manySwitches() async throws {
        try await withGround { ground in
            var active = try await makeChain(ground, [[]])[0]
            var kept: [(layer: LayerID, fills: [Fill])] = []
            var fills: [Fill] = []
            try await ground.withTestMachine(writing: [active]) { machine in
                for round in 1...40 {
                    let fill = Fill(UInt8(round), Int64(round) * 1_000..<Int64(round) * 1_000 + 100_000)
                    try await machine.write(fill, toDisk: 0)
                    fills.append(fill)
                    let next = LayerID.random()
                    let switches = [LayerSwitch(from: active, to: next)]
                    try await ground.store.createLayer(next, on: active, size: Self.size, through: nil)
                    try await ground.store.prepareSwitch(switches, through: machine.channel)
                    try await ground.store.finishSwitch(switches, through: machine.channel)
                    kept.append((active, fills))
                    active = next
                }
                // Merged below the machine, in both ways, until one is left under the active layer.
                while kept.count > 1 {
                    let (upper, lower) = (kept[kept.count - 1].layer, kept[kept.count - 2].layer)
                    if kept.count % 2 == 0 {
                        try await ground.store.foldLayer(upper, into: lower, through: machine.channel) { _, _ in }
                    } else {
                        let below = kept.count > 2 ? kept[kept.count - 3].layer : nil
                        try await ground.store.pullLayer(upper, downTo: below, through: machine.channel) { _, _ in }
                        try await ground.store.deleteLayer(lower)
                    }
                    kept.remove(at: kept.count - 2)
                }
                let open = try await machine.openLayers()
                #expect(open == [active, kept[0].layer])
            }
            for (layer, fills) in kept {
                let content = try await ground.read(layer)
                let difference = content.firstDifference(from: DiskModel(size: Self.size, fills))
                #expect(difference == nil)
            }
        }
    }

    @Test(
        "are known by their own names after a fold that was cut short",
        arguments: [CrashPoint.foldCopied, .foldDurable, .foldNamed]
    )
    func cutFold(_ point: CrashPoint) async throws {
        let bomb = Fuse()
        try await withGround(reached: { try bomb.reached($0) }) { ground in
            let contents = [[Fill(1, 0..<1_000_000)], [Fill(2, 500_000..<1_500_000)], [Fill(3, 0..<100_000)]]
            let layers = try await makeChain(ground, contents + [[]])
            try await ground.withTestMachine(writing: [layers[3]]) { machine in
                bomb.light(point)
                await #expect(throws: BlockStoreFault.self) {
                    try await ground.store.foldLayer(layers[2], into: layers[1], through: machine.channel) { _, _ in }
                }
                try await ground.restart()
                try await machine.write(Fill(4, 0..<512), toDisk: 0)
                try await ground.store.foldLayer(layers[2], into: layers[1], through: machine.channel) { _, _ in }
                let open = try await machine.openLayers()
                #expect(open == [layers[0], layers[2], layers[3]])
                try await machine.expect(Fill(3, 512..<100_000), onDisk: 0)
            }
            let content = try await ground.read(layers[3])
            let difference = content.firstDifference(
                from: DiskModel(size: Self.size, contents.flatMap { $0 } + [Fill(4, 0..<512)])
            )
            #expect(difference == nil)
            let gone = try await ground.store.findLayer(layers[1])
            #expect(gone == nil)
        }
    }

    @Test("are pulled in the end after a pull that was cut short", arguments: [CrashPoint.pullCopied, .pullMoved])
    func cutPull(_ point: CrashPoint) async throws {
        let bomb = Fuse()
        try await withGround(reached: { try bomb.reached($0) }) { ground in
            let contents = [[Fill(1, 0..<1_000_000)], [Fill(2, 500_000..<1_500_000)], [Fill(3, 0..<100_000)]]
            let layers = try await makeChain(ground, contents)
            try await ground.withTestMachine(writing: [layers[2]]) { machine in
                bomb.light(point)
                await #expect(throws: BlockStoreFault.self) {
                    try await ground.store.pullLayer(layers[2], downTo: nil, through: machine.channel) { _, _ in }
                }
                try await ground.restart()
                try await machine.write(Fill(4, 0..<512), toDisk: 0)
                try await ground.store.pullLayer(layers[2], downTo: nil, through: machine.channel) { _, _ in }
                let open = try await machine.openLayers()
                #expect(open == [layers[2]])
                try await ground.store.deleteLayer(layers[1])
                try await ground.store.deleteLayer(layers[0])
            }
            let content = try await ground.read(layers[2])
            let difference = content.firstDifference(
                from: DiskModel(size: Self.size, contents.flatMap { $0 } + [Fill(4, 0..<512)])
            )
            #expect(difference == nil)
        }
    }

    @Test(
        "are switched in the end after a switch that was cut short",
        arguments: [CrashPoint.switchPrepared, .switchDone]
    )
    func cutSwitch(_ point: CrashPoint) async throws {
        let bomb = Fuse()
        try await withGround(reached: { try bomb.reached($0) }) { ground in
            let old = [try await makeChain(ground, [[]])[0], try await makeChain(ground, [[]])[0]]
            let switches = old.map { LayerSwitch(from: $0, to: .random()) }
            try await ground.withTestMachine(writing: old) { machine in
                for change in switches {
                    try await ground.store.createLayer(change.to, on: change.from, size: Self.size, through: nil)
                }
                func change() async throws {
                    try await ground.store.prepareSwitch(switches, through: machine.channel)
                    try await ground.store.finishSwitch(switches, through: machine.channel)
                }
                bomb.light(point)
                await #expect(throws: BlockStoreFault.self) { try await change() }
                try await ground.restart()
                try await change()
                let active = try await machine.activeLayers()
                #expect(active == switches.map(\.to))
                try await machine.write(Fill(4, 0..<512), toDisk: 1)
            }
        }
    }

    @Test("are not changed behind its back")
    func oneWriter() async throws {
        try await withGround { ground in
            let layers = try await makeChain(ground, [[Fill(1, 0..<1_000_000)], [Fill(2, 0..<100_000)], []])
            try await ground.withTestMachine(writing: [layers[2]]) { _ in
                let calls: [() async throws -> Void] = [
                    { try await ground.store.foldLayer(layers[1], into: layers[0], through: nil) { _, _ in } },
                    { try await ground.store.pullLayer(layers[1], downTo: nil, through: nil) { _, _ in } },
                    { try await ground.store.growLayer(layers[2], to: .mebibytes(128), through: nil) },
                ]
                for call in calls {
                    let fault = await #expect(throws: BlockStoreFault.self) { try await call() }
                    #expect(fault?.code == .busy)
                }
            }
        }
    }
}

/// Makes the work fail once, at one crash point.
final class Fuse: Sendable {
    struct Burnt: Error {}

    private let target = Eventual<CrashPoint>()
    private let isBurnt = Eventual<Void>()

    func light(_ point: CrashPoint) {
        target.settle(point)
    }

    func reached(_ point: CrashPoint) throws {
        if target.current == point, isBurnt.settle(()) { throw Burnt() }
    }
}
