import Foundation
import SnapshotDomain

/// Pools small enough to try them all.
enum SmallPools {
    /// What may hold a layer.
    private enum Hold: Character, CaseIterable {
        case nothing = "-"
        case snapshot = "s"
        case volume = "v"
    }

    /// Every forest of some layers with every placing of pins on them.
    ///
    /// Snapshots are anywhere, a volume only where nothing stands on the layer. What the layers hold is drawn at random.
    /// Identities ascend or descend from base to top, because the collector goes by them.
    static func forEach(
        layers count: Int,
        seed: UInt64,
        _ body: (_ pool: inout PoolModel, _ random: inout SeededGenerator, _ name: String) -> Void
    ) {
        var random = SeededGenerator(seed: seed)
        for parents in forests(count) {
            let isLeaf = (0..<count).map { !parents.contains($0) }
            for holds in placings(isLeaf) {
                for isAscending in [true, false] {
                    var pool = make(parents, holds, isAscending, &random)
                    body(&pool, &random, name(parents, holds, isAscending, seed))
                }
            }
        }
    }

    /// A pool of random shape.
    static func random(layers count: Int, using random: inout SeededGenerator) -> PoolModel {
        let parents = (0..<count).map { index in
            Int.random(in: 0...4, using: &random) == 0 ? nil : (0..<index).randomElement(using: &random)
        }
        let holds = (0..<count).map { index in
            let isLeaf = !parents.contains(index)
            let hold = Hold.allCases.randomElement(using: &random) ?? .nothing
            return hold == .volume && !isLeaf ? .nothing : hold
        }
        return make(parents, holds, Bool.random(using: &random), &random)
    }

    private static func name(_ parents: [Int?], _ holds: [Hold], _ isAscending: Bool, _ seed: UInt64) -> String {
        let parents = parents.map { $0.map(String.init) ?? "-" }.joined(separator: " ")
        let order = isAscending ? "ascending" : "descending"
        return "parents \(parents), holds \(String(holds.map(\.rawValue))), \(order), seed \(seed)"
    }

    /// For each layer the index of its parent, which comes before it.
    private static func forests(_ count: Int) -> [[Int?]] {
        (0..<count).reduce([[]]) { forests, index in
            forests.flatMap { forest in ([nil] + (0..<index).map { $0 }).map { forest + [$0] } }
        }
    }

    private static func placings(_ isLeaf: [Bool]) -> [[Hold]] {
        isLeaf.reduce([[]]) { placings, isLeaf in
            let holds: [Hold] = isLeaf ? Hold.allCases : [.nothing, .snapshot]
            return placings.flatMap { placing in holds.map { placing + [$0] } }
        }
    }

    private static func make(
        _ parents: [Int?],
        _ holds: [Hold],
        _ isAscending: Bool,
        _ random: inout SeededGenerator
    ) -> PoolModel {
        var pool = PoolModel()
        let ids = parents.indices.map { index in
            LayerID(number: UInt8(isAscending ? index : parents.count - index))
        }
        for (index, parent) in parents.enumerated() {
            var layer = PoolModel.StoredLayer(parent: parent.map { ids[$0] })
            for cluster in 0..<layer.size where Bool.random(using: &random) {
                layer.clusters[cluster] = 10 * (index + 1) + cluster
            }
            pool.layers[ids[index]] = layer
            switch holds[index] {
            case .nothing: break
            case .snapshot: pool.pins[.snapshot(Identifier(ids[index].uuid))] = ids[index]
            case .volume: pool.pins[.volume(Identifier(ids[index].uuid))] = ids[index]
            }
        }
        return pool
    }
}

extension Identifier {
    /// The identity that ends in a number.
    init(number: UInt8) {
        self.init(UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, number)))
    }
}

/// A random generator whose results can be had again.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    // SplitMix64.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
