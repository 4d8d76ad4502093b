import Foundation
import SnapshotDomain
import SnapshotPorts
import Synchronization
import Testing

@testable import BlockStoreRBD
@testable import TestKit

/// Stops a store at every point at which its death would leave something different, opens it again, and repeats the call.
@Suite("An RBD block store that dies", .serialized)
struct CrashTests {
    private static let size = ByteCount.mebibytes(4)
    private static let fills = [Fill(1, 0..<1_000_000), Fill(2, 500_000..<600_000), Fill(3, 4_190_000..<4_194_304)]

    /// What is there before: A, B on it, C on that, and D, a clone on A.
    struct Layers: Sendable {
        var a, b, c, d: LayerID
        let new = LayerID.random()
    }

    struct Operation: Sendable, CustomStringConvertible {
        var description: String
        /// What is there afterwards, and what it stands on.
        var expected: @Sendable (Layers) -> [LayerID: LayerID?]
        var perform: @Sendable (any BlockStore, Layers) async throws -> Void
    }

    private static func before(_ layers: Layers) -> [LayerID: LayerID?] {
        [layers.a: nil, layers.b: layers.a, layers.c: layers.b, layers.d: layers.a]
    }

    static let operations: [Operation] = [
        Operation(description: "a larger layer on the last of a line") {
            var all = before($0)
            all[$0.new] = $0.c
            return all
        } perform: {
            try await $0.createLayer($1.new, on: $1.c, size: .mebibytes(6), through: nil)
        },
        Operation(description: "a larger clone") {
            var all = before($0)
            all[$0.new] = $0.b
            return all
        } perform: {
            try await $0.createLayer($1.new, on: $1.b, size: .mebibytes(6), through: nil)
        },
        Operation(description: "a blank layer") {
            var all = before($0)
            all[$0.new] = .some(nil)
            return all
        } perform: {
            try await $0.createLayer($1.new, size: size)
        },
        Operation(description: "deleting the last of a line") {
            [$0.a: nil, $0.b: $0.a, $0.d: $0.a]
        } perform: {
            try await $0.deleteLayer($1.c)
        },
        Operation(description: "deleting a whole line and what only a clone needed") {
            [$0.a: nil, $0.d: nil]
        } perform: {
            try await $0.pullLayer($1.d, downTo: nil, through: nil, progress: ignoreProgress)
            for layer in [$1.c, $1.b] { try await $0.deleteLayer(layer) }
        },
        Operation(description: "folding") {
            [$0.a: nil, $0.c: $0.a, $0.d: $0.a]
        } perform: {
            try await $0.foldLayer($1.c, into: $1.b, through: nil, progress: ignoreProgress)
        },
        Operation(description: "folding a clone into its base") {
            [$0.d: nil]
        } perform: {
            for layer in [$1.c, $1.b] { try await $0.deleteLayer(layer) }
            try await $0.foldLayer($1.d, into: $1.a, through: nil, progress: ignoreProgress)
        },
        Operation(description: "pulling a clone down to nothing") {
            [$0.a: nil, $0.b: $0.a, $0.c: $0.b, $0.d: nil]
        } perform: {
            try await $0.pullLayer($1.d, downTo: nil, through: nil, progress: ignoreProgress)
        },
        Operation(description: "growing and copying") {
            var all = before($0)
            all[$0.new] = .some(nil)
            return all
        } perform: {
            try await $0.growLayer($1.c, to: .mebibytes(5), through: nil)
            try await $0.copyLayer($1.b, to: $1.new, progress: ignoreProgress)
        },
        Operation(description: "deleting everything") { _ in
            [:]
        } perform: {
            for layer in [$1.d, $1.c, $1.b, $1.a] { try await $0.deleteLayer(layer) }
        },
    ]

    /// Throws at one point, once.
    final class Bomb: Sendable {
        struct Spent: Error {}
        private let state = Mutex<(target: CrashPoint?, isArmed: Bool, seen: Set<CrashPoint>)>((nil, false, []))

        func arm(_ target: CrashPoint?) { state.withLock { $0 = (target, true, []) } }
        func disarm() -> Set<CrashPoint> {
            state.withLock { state in
                state.isArmed = false
                return state.seen
            }
        }

        func reached(_ point: CrashPoint) throws {
            let isHit = state.withLock { state in
                guard state.isArmed else { return false }
                state.seen.insert(point)
                guard state.target == point else { return false }
                state.target = nil
                return true
            }
            if isHit { throw Spent() }
        }
    }

    @Test("can repeat what it did, from every point", arguments: operations)
    func everyPoint(_ operation: Operation) async throws {
        let points = try await run(operation, dyingAt: nil)
        try #require(!points.isEmpty)
        for point in points.sorted(by: { $0.rawValue < $1.rawValue }) { _ = try await run(operation, dyingAt: point) }
    }

    private func run(_ operation: Operation, dyingAt point: CrashPoint?) async throws -> Set<CrashPoint> {
        let bomb = Bomb()
        var seen: Set<CrashPoint> = []
        try await withGround(reached: { try bomb.reached($0) }) { ground in
            let chain = try await ground.makeChain(Self.fills.map { [$0] }, size: Self.size)
            let clone = try await ground.makeLayer(on: chain[0], size: Self.size)
            let layers = Layers(a: chain[0], b: chain[1], c: chain[2], d: clone)
            bomb.arm(point)
            do {
                try await operation.perform(ground.store, layers)
                #expect(point == nil, "\(operation) goes on after \(String(describing: point))")
            } catch {
                try #require(point != nil && error is BlockStoreFault, "\(operation): \(error)")
            }
            seen = bomb.disarm()
            if point != nil {
                try await ground.restart()
                let unknown = try await ground.store.inventory().unknown
                #expect(unknown == [], "after \(String(describing: point))")
                try await operation.perform(ground.store, layers)
            }
            let inventory = try await ground.store.inventory()
            let found = Dictionary(uniqueKeysWithValues: inventory.layers.map { ($0.id, $0.parent) })
            #expect(found == operation.expected(layers), "\(operation) after \(String(describing: point))")
            let ledger = inventory.layers.reduce(ByteCount.zero) { $0 + $1.allocated }
            let medium = try await ground.bytesOnDisk()
            #expect(ledger == medium, "\(operation) after \(String(describing: point))")
            for (place, layer) in [layers.a, layers.b, layers.c].enumerated() where found[layer] != nil {
                let larger = try #require(inventory.layers.first { $0.id == layer }).size
                let wanted = Array(Self.fills.prefix(place + 1))
                try await ground.expectContent(of: layer, wanted, size: larger, "\(operation)")
            }
            if found[clone] != nil {
                try await ground.expectContent(of: clone, [Self.fills[0]], size: Self.size, "\(operation)")
            }
        }
        return seen
    }
}

func ignoreProgress(_ done: ByteCount, _ total: ByteCount) {}
