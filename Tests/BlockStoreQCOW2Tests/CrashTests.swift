import Foundation
import Platform
import QEMU
import QEMUTestKit
import SnapshotDomain
import SnapshotPorts
import Synchronization
import TestKit
import Testing

@testable import BlockStoreQCOW2

/// What happens when the service dies at one of its crash points.
private enum Death: String, CaseIterable {
    /// The call fails there, and cleans up as it can.
    case failure
    /// Everything stops: what repeats the call finds the files as they were at that moment.
    case kill
}

/// An operation that changes files, and how to see that it was done.
private struct Operation: CustomTestStringConvertible, Sendable {
    let testDescription: String
    /// Prepares the layers 0, 1, 2 … that the operation is about.
    let contents: [[Fill]]
    let run: @Sendable (any BlockStore, [LayerID]) async throws -> Void
    /// Which layers there are afterwards, with their parents and contents.
    let after: @Sendable ([LayerID]) -> [(layer: LayerID, parent: LayerID?, fills: [Fill])]

    static let low = [Fill(1, 0..<500_000)]
    static let middle = [Fill(2, 100_000..<200_000), Fill(0, 0..<32_768)]
    static let high = [Fill(3, 150_000..<160_000)]
    static let size = ByteCount.mebibytes(1)
    static let extra = LayerID.random()

    static let all: [Operation] = [
        Operation(testDescription: "creating a base", contents: []) { store, _ in
            try await store.createLayer(extra, size: size)
        } after: { _ in
            [(extra, nil, [])]
        },
        Operation(testDescription: "creating a layer", contents: [low]) { store, layers in
            try await store.createLayer(extra, on: layers[0], size: size, through: nil)
        } after: {
            [($0[0], nil, low), (extra, $0[0], low)]
        },
        Operation(testDescription: "deleting a layer", contents: [low, middle]) { store, layers in
            try await store.deleteLayer(layers[1])
        } after: {
            [($0[0], nil, low)]
        },
        Operation(testDescription: "growing a layer", contents: [low, middle]) { store, layers in
            // By nothing that would show in the content: what matters is that it can be repeated.
            try await store.growLayer(layers[1], to: .mebibytes(2), through: nil)
            try await store.pullLayer(layers[1], downTo: nil, through: nil, progress: { _, _ in })
        } after: {
            [($0[0], nil, low), ($0[1], nil, low + middle)]
        },
        Operation(testDescription: "folding into a base", contents: [low, middle, high]) { store, layers in
            try await store.foldLayer(layers[1], into: layers[0], through: nil, progress: { _, _ in })
        } after: {
            [($0[1], nil, low + middle), ($0[2], $0[1], low + middle + high)]
        },
        Operation(testDescription: "folding into a layer", contents: [low, middle, high]) { store, layers in
            try await store.foldLayer(layers[2], into: layers[1], through: nil, progress: { _, _ in })
        } after: {
            [($0[0], nil, low), ($0[2], $0[0], low + middle + high)]
        },
        Operation(testDescription: "pulling down to a layer", contents: [low, middle, high]) { store, layers in
            try await store.pullLayer(layers[2], downTo: layers[0], through: nil, progress: { _, _ in })
        } after: {
            [($0[0], nil, low), ($0[1], $0[0], low + middle), ($0[2], $0[0], low + middle + high)]
        },
        Operation(testDescription: "pulling down to nothing", contents: [low, middle, high]) { store, layers in
            try await store.pullLayer(layers[1], downTo: nil, through: nil, progress: { _, _ in })
        } after: {
            [($0[0], nil, low), ($0[1], nil, low + middle), ($0[2], $0[1], low + middle + high)]
        },
        Operation(testDescription: "copying", contents: [low, middle]) { store, layers in
            try await store.copyLayer(layers[1], to: extra, progress: { _, _ in })
        } after: {
            [($0[0], nil, low), ($0[1], $0[0], low + middle), (extra, nil, low + middle)]
        },
        Operation(testDescription: "receiving", contents: [low, middle]) { store, layers in
            let content = try await store.export(layers[1], as: .raw) { _, _ in }
            try await store.importContent(content, to: extra) { _, _ in }
        } after: {
            [($0[0], nil, low), ($0[1], $0[0], low + middle), (extra, nil, low + middle)]
        },
    ]
}

/// Stops the work at the crash point of a number, counted over everything that a test does after ``arm(_:)``.
private final class Bomb: Sendable {
    struct Exploded: Error {}

    private struct State {
        var seen: [CrashPoint] = []
        var target: Int?
        var atExplosion: (@Sendable () throws -> Void)?
    }

    private let state = Mutex(State())

    var seen: [CrashPoint] { state.withLock { $0.seen } }

    func arm(_ target: Int?, atExplosion: (@Sendable () throws -> Void)? = nil) {
        state.withLock { $0 = State(target: target, atExplosion: atExplosion) }
    }

    func reached(_ point: CrashPoint) throws {
        let action: (@Sendable () throws -> Void)?? = state.withLock { state in
            state.seen.append(point)
            return state.target == state.seen.count - 1 ? .some(state.atExplosion) : .none
        }
        guard case .some(let action) = action else { return }
        try action?()
        throw Exploded()
    }
}

@Suite("A qcow2 block store that dies", .serialized)
struct CrashTests {
    @Test("finishes what it was at when the call is repeated", arguments: Operation.all, Death.allCases)
    fileprivate func sweep(_ operation: Operation, _ death: Death) async throws {
        let points = try await withSweepGround(operation, death, target: nil)
        try #require(!points.isEmpty, "the operation has no crash points")
        for number in points.indices {
            _ = try await withSweepGround(operation, death, target: number)
        }
    }

    /// Runs an operation that dies at a crash point, restarts, repeats it and checks everything.
    private func withSweepGround(_ operation: Operation, _ death: Death, target: Int?) async throws -> [CrashPoint] {
        let bomb = Bomb()
        return try await withTemporaryDirectory { directory in
            let first = try await Ground(directory: "\(directory)/first") { try bomb.reached($0) }
            var layers: [LayerID] = []
            for fills in operation.contents {
                layers.append(.random())
                let id = layers[layers.count - 1]
                if layers.count > 1 {
                    try await first.store.createLayer(
                        id,
                        on: layers[layers.count - 2],
                        size: Operation.size,
                        through: nil
                    )
                } else {
                    try await first.store.createLayer(id, size: Operation.size)
                }
                try await first.write(fills, to: id)
            }
            bomb.arm(target) {
                guard death == .kill else { return }
                try FileManager.default.copyItem(atPath: "\(directory)/first", toPath: "\(directory)/second")
            }
            let place = Comment("\(operation.testDescription), \(death) at point \(String(describing: target))")
            if target == nil {
                try await operation.run(first.store, layers)
            } else {
                await #expect(throws: BlockStoreFault.self, place) { try await operation.run(first.store, layers) }
            }
            let points = bomb.seen
            bomb.arm(nil)
            await first.qcow2.close()
            let isCopied = target != nil && death == .kill
            let second = try await Ground(directory: "\(directory)/\(isCopied ? "second" : "first")") { _ in }
            for _ in 1...2 { try await operation.run(second.store, layers) }
            let inventory = try await second.store.inventory()
            let wanted = operation.after(layers)
            #expect(Set(inventory.layers.map(\.id)) == Set(wanted.map(\.layer)), place)
            #expect(inventory.unknown.isEmpty, place)
            for (layer, parent, fills) in wanted {
                let found = try await second.store.findLayer(layer)
                #expect(found?.parent == parent, place)
                var model = DiskModel(size: Operation.size, fills)
                if let found { model.grow(to: found.size) }
                let content = try await second.read(layer)
                let difference = content.firstDifference(from: model)
                #expect(difference == nil, place)
            }
            try await second.expectSoundFiles()
            await second.qcow2.close()
            let leftovers = try second.leftovers()
            #expect(leftovers == [], place)
            return points
        }
    }

    @Test("reaches every crash point that it has")
    func coverage() async throws {
        var seen: Set<CrashPoint> = []
        for operation in Operation.all { seen.formUnion(try await withSweepGround(operation, .failure, target: nil)) }
        let live: Set<CrashPoint> = [.switchPrepared, .switchDone]
        #expect(Set(CrashPoint.allCases).subtracting(live).subtracting(seen) == [])
    }
}

@Suite("A program that dies under a qcow2 block store", .serialized)
struct DeadProgramTests {
    private static let size = ByteCount.mebibytes(96)
    private static let low = [Fill(1, 0..<60_000_000)]
    private static let high = [Fill(2, 30_000_000..<90_000_000)]
    private static let content = low + high

    private func makeChain(_ ground: Ground, top: Bool = false) async throws -> [LayerID] {
        var layers: [LayerID] = []
        for fills in [[], Self.low, Self.high] + (top ? [[]] : []) {
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

    private func expectContent(_ ground: Ground, of layer: LayerID) async throws {
        let found = try await ground.read(layer)
        let difference = found.firstDifference(from: DiskModel(size: Self.size, Self.content))
        #expect(difference == nil)
    }

    @Test("loses nothing when a storage daemon is killed in the middle of a merge", arguments: [true, false])
    func killedDaemon(_ isFold: Bool) async throws {
        try await withGround { ground in
            let layers = try await makeChain(ground)
            let killer: ProgressHandler = { [directory = ground.directory] _, _ in
                for pid in daemons(of: directory) { kill(pid, SIGKILL) }
            }
            @Sendable func merge(_ progress: @escaping ProgressHandler) async throws {
                if isFold {
                    try await ground.store.foldLayer(layers[2], into: layers[1], through: nil, progress: progress)
                } else {
                    try await ground.store.pullLayer(layers[2], downTo: layers[0], through: nil, progress: progress)
                }
            }
            let fault = await #expect(throws: BlockStoreFault.self) { try await merge(killer) }
            #expect(fault?.code == .unavailable)
            #expect(fault?.outcome == .unknown)
            try await expectContent(ground, of: layers[2])
            try await merge { _, _ in }
            try await expectContent(ground, of: layers[2])
            let merged = try await ground.store.findLayer(layers[2])
            #expect(merged?.parent == layers[0])
        }
    }

    @Test("loses nothing when a machine is killed in the middle of a merge", arguments: [true, false])
    func killedMachine(_ isFold: Bool) async throws {
        try await withGround { ground in
            let layers = try await makeChain(ground, top: true)
            let machine = try await ground.makeMachine("vm")
            try await machine.attach(try await ground.store.diskSource(for: [layers[3]]))
            let killer: ProgressHandler = { [process = machine.process] _, _ in process.signal(SIGKILL) }
            func merge(_ channel: (any LiveBlockChannel)?, _ progress: @escaping ProgressHandler) async throws {
                if isFold {
                    try await ground.store.foldLayer(layers[2], into: layers[1], through: channel, progress: progress)
                } else {
                    try await ground.store.pullLayer(layers[2], downTo: layers[0], through: channel, progress: progress)
                }
            }
            await #expect(throws: BlockStoreFault.self) { try await merge(machine.channel, killer) }
            await machine.kill()
            try await expectContent(ground, of: layers[3])
            try await merge(nil) { _, _ in }
            try await expectContent(ground, of: layers[3])
            try await expectContent(ground, of: layers[2])
        }
    }

    @Test("goes on with a machine's job after the connection was lost", arguments: [true, false])
    func lostConnection(_ isFold: Bool) async throws {
        try await withGround { ground in
            let layers = try await makeChain(ground, top: true)
            try await ground.withTestMachine(writing: [layers[3]]) { machine in
                let lost = machine.client
                let cutter: ProgressHandler = { _, _ in lost.close() }
                func merge(_ progress: @escaping ProgressHandler) async throws {
                    let store = ground.store
                    if isFold {
                        try await store.foldLayer(
                            layers[2],
                            into: layers[1],
                            through: machine.channel,
                            progress: progress
                        )
                    } else {
                        try await store.pullLayer(
                            layers[2],
                            downTo: layers[0],
                            through: machine.channel,
                            progress: progress
                        )
                    }
                }
                await #expect(throws: BlockStoreFault.self) { try await merge(cutter) }
                try await machine.reconnect()
                try await merge { _, _ in }
                let open = try await machine.openLayers()
                #expect(open == [layers[0], layers[2], layers[3]])
                try await machine.expect(Fill(2, 30_000_000..<90_000_000), onDisk: 0)
            }
            try await expectContent(ground, of: layers[3])
        }
    }

    @Test("says that a merge was cancelled, and can do it afterwards", arguments: [true, false], [true, false])
    func cancelled(_ isFold: Bool, _ isLive: Bool) async throws {
        try await withGround { ground in
            let layers = try await makeChain(ground, top: true)
            func check(_ machine: TestMachine?) async throws {
                let (store, channel) = (ground.store, machine?.channel)
                let started = Eventual<Void>()
                let merging = Task {
                    if isFold {
                        try await store.foldLayer(layers[2], into: layers[1], through: channel) { _, _ in
                            started.settle(())
                        }
                    } else {
                        try await store.pullLayer(layers[2], downTo: layers[0], through: channel) { _, _ in
                            started.settle(())
                        }
                    }
                }
                await started.value()
                merging.cancel()
                do {
                    try await merging.value
                } catch let fault as BlockStoreFault {
                    #expect(fault.code == .cancelled)
                    try await machine?.write(Fill(9, 0..<512), toDisk: 0)
                    try await store.pullLayer(layers[2], downTo: layers[0], through: channel) { _, _ in }
                }
                if let machine {
                    let open = try await machine.openLayers()
                    #expect(open == [layers[0], layers[2], layers[3]])
                }
            }
            if isLive {
                try await ground.withTestMachine(writing: [layers[3]]) { try await check($0) }
            } else {
                try await check(nil)
            }
            try await expectContent(ground, of: layers[2])
        }
    }
}
