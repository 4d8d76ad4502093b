import Foundation
import SnapshotDomain
import SnapshotPorts

/// Does random things to a block store and to arrays of bytes, and sees that both come to the same.
///
/// It plays the part of the engine: volumes, snapshots and clones pin layers, and after each deletion the domain's own
/// collector decides what is folded, pulled and unlinked. Half of the time a machine writes some of the volumes
/// meanwhile. Checked are the bytes of every pinned layer, the digests of those at rest, the shape of the tree, and that
/// the ledger has as many bytes as the medium.
package final class BlockStoreModel {
    /// Small, so that a thousand operations are quick, and of many clusters all the same.
    static let diskSize = ByteCount.mebibytes(1)
    static let policy = CollectionPolicy(softDepth: 5, smallestLiveFold: .kibibytes(96))

    let ground: any BlockStoreGround
    let seed: UInt64
    var random: SeededGenerator
    var layers: [LayerID: Layer] = [:]
    /// What a reader of each layer should see.
    var contents: [LayerID: DiskModel] = [:]
    var digests: [LayerID: ContentDigest] = [:]
    var volumes: [VolumeID: LayerID] = [:]
    var snapshots: [SnapshotID: LayerID] = [:]
    /// The machine that runs now, with the volumes that it writes, by disk.
    var machine: (any ContractMachine)?
    var attached: [VolumeID] = []
    private var operationsDone = 0
    private var current = "nothing"

    /// - Parameters:
    ///   - ground: Where to play.
    ///   - seed: The same seed makes the same game.
    package init(ground: any BlockStoreGround, seed: UInt64) {
        self.ground = ground
        self.seed = seed
        random = SeededGenerator(seed: seed)
    }

    /// Plays a number of operations, and checks everything now and then and at the end.
    ///
    /// - Parameter operations: How many.
    /// - Throws: ``BlockStoreContract/Broken`` with the seed and what was done last.
    package func play(operations: Int) async throws {
        do {
            while operationsDone < operations {
                let count = min(25, operations - operationsDone)
                if Bool.random(using: &random), volumes.count >= 2 {
                    try await playWithMachine(count)
                } else {
                    try await play(count)
                }
                current = "checking"
                try await checkEverything()
                if chance(10) { try await ground.restart() }
            }
            // At last nothing is pinned, and nothing may be left.
            current = "cleaning up"
            volumes = [:]
            snapshots = [:]
            try await collect()
            try await checkEverything()
            try require(layers.isEmpty, "\(layers.count) layers are left over")
        } catch {
            throw BlockStoreContract.Broken(
                description: "seed \(seed), operation \(operationsDone) (\(current)): \(error)"
            )
        }
    }

    private func playWithMachine(_ count: Int) async throws {
        attached = Array(volumes.keys.sorted().shuffled(using: &random).prefix(2))
        let active = attached.compactMap { volumes[$0] }
        current = "starting a machine"
        try await ground.withMachine(writing: active) { machine in
            self.machine = machine
            defer { self.machine = nil }
            try await self.play(count)
            self.current = "checking a running machine"
            try await self.checkEverything()
        }
        attached = []
    }

    private func play(_ count: Int) async throws {
        for _ in 0..<count {
            try await playOne()
            operationsDone += 1
        }
    }

    private func playOne() async throws {
        let volume = volumes.keys.sorted().randomElement(using: &random)
        let snapshot = snapshots.keys.sorted().randomElement(using: &random)
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<38: try await on(volume, "writing", write)
        case 38..<60: try await on(volume, "taking a snapshot", takeSnapshot)
        case 60..<66: try await on(snapshot, "cloning", clone)
        case 66..<72: try await on(volume, "reverting", revert)
        case 72..<86: try await on(snapshot, "deleting a snapshot", deleteSnapshot)
        case 86..<90: try await on(volume, "deleting a volume", deleteVolume)
        case 90..<93: try await on(snapshot, "copying", copy)
        case 93..<96: try await on(volume, "growing", grow)
        default: try await on(snapshot, "hashing", checkDigest)
        }
    }

    /// Does something to what there is; makes a volume when there is nothing.
    private func on<Subject>(_ subject: Subject?, _ what: String, _ body: (Subject) async throws -> Void) async throws {
        current = what
        if let subject { return try await body(subject) }
        guard volumes.count < 6 else { return }
        current = "making a volume"
        try await makeVolume()
    }

    func chance(_ percent: Int) -> Bool {
        Int.random(in: 0..<100, using: &random) < percent
    }

    func isAttached(_ volume: VolumeID) -> Bool {
        machine != nil && attached.contains(volume)
    }

    // MARK: Checking

    /// Compares the store with the arrays.
    private func checkEverything() async throws {
        let inventory = try await ground.store.inventory()
        let stored = Dictionary(inventory.layers.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        try require(inventory.unknown.isEmpty, "the pool has unknown things: \(inventory.unknown)")
        try require(Set(stored.keys) == Set(layers.keys), "the pool has other layers than the model")
        for layer in layers.values {
            let found = stored[layer.id]
            try require(found?.parent == layer.parent, "\(layer.id) stands on \(String(describing: found?.parent))")
            try require(found?.size == layer.size, "\(layer.id) has \(String(describing: found?.size))")
        }
        for layer in Set(volumes.values).union(snapshots.values) where !isWrittenLive(layer) {
            try await checkContent(layer)
        }
        for snapshot in snapshots.keys.sorted().prefix(2) { try await checkDigest(snapshot) }
        // A machine may write between two looks at the medium; a rested pool stands still.
        guard machine == nil else { return }
        let ledger = SpaceAccount(tree(inventory)).total
        let medium = try await ground.bytesOnDisk()
        try require(ledger == medium, "the ledger has \(ledger) and the medium \(medium)")
    }

    func isWrittenLive(_ layer: LayerID) -> Bool {
        machine != nil && attached.contains { volumes[$0] == layer }
    }

    func checkContent(_ layer: LayerID) async throws {
        guard let wanted = contents[layer] else { return }
        try await ground.expectContent(of: layer, wanted, "the layer \(layer)")
    }

    func checkDigest(_ snapshot: SnapshotID) async throws {
        guard let layer = snapshots[snapshot] else { return }
        let digest = try await ground.store.digest(of: layer, progress: ignore)
        try require(digests[layer, default: digest] == digest, "the digest of \(layer) has changed")
        digests[layer] = digest
    }

    /// The tree as the catalog would have it, with the sizes just measured.
    func tree(_ inventory: PoolInventory) -> LayerTree {
        for stored in inventory.layers { layers[stored.id]?.allocated = stored.allocated }
        let pins = volumes.map { ($0.value, Pin.volume($0.key)) } + snapshots.map { ($0.value, Pin.snapshot($0.key)) }
        return LayerTree(layers: layers.values, pins: pins)
    }
}
