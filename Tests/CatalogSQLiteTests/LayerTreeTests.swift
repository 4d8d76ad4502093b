import Foundation
import SnapshotDomain
import SnapshotPorts
import Testing

@testable import CatalogSQLite

@Suite("Catalog: layer trees")
struct LayerTreeTests {
    @Test("a layer is read back in every phase", arguments: Layer.Phase.allCases)
    func layer(_ phase: Layer.Phase) async throws {
        try await withCatalog { catalog in
            var layer = Sample.layer()
            layer.phase = phase
            try await catalog.write { [layer] in try $0.insert(layer) }
            let inserted = try await catalog.read { [layer] in try $0.findLayer(layer.id) }
            #expect(inserted == layer)
            let base = Sample.layer()
            layer.parent = base.id
            layer.size = .gibibytes(11)
            layer.allocated = .zero
            try await catalog.write { [layer] in
                try $0.insert(base)
                try $0.update(layer)
            }
            let updated = try await catalog.read { [layer] in try $0.findLayer(layer.id) }
            #expect(updated == layer)
        }
    }

    @Test("random forests with random pins are what was written, whole or around any layer")
    func forests() async throws {
        for seed in UInt64(1)...5 {
            var random = SeededGenerator(seed: seed)
            let forest = try Forest(using: &random)
            try await withCatalog { catalog in
                try await catalog.write { [forest] in try forest.insert(with: $0) }
                for pool in forest.pools {
                    let tree = try await catalog.read { try $0.layerTree(of: pool) }
                    forest.expect(tree, holds: forest.layers.filter { $0.pool == pool }, "seed \(seed)")
                }
                for layer in forest.layers {
                    let tree = try await catalog.read { try $0.layerTree(around: layer.id) }
                    forest.expect(tree, holds: forest.connected(with: layer), "seed \(seed), around \(layer.id)")
                    let chain = try await catalog.read { try $0.layerChain(of: layer.id) }
                    #expect(chain == tree.chain(of: layer.id), "seed \(seed), of \(layer.id)")
                }
                let nothing = try await catalog.read { try $0.layerTree(around: .random()) }
                #expect(nothing.layers.values.isEmpty)
                let nowhere = try await catalog.read { try $0.layerChain(of: .random()) }
                #expect(nowhere.isEmpty)
            }
        }
    }

    @Test("a chain as deep as chains may become comes whole from any of its layers")
    func deepChain() async throws {
        try await withCatalog { catalog in
            var layers = [Sample.layer()]
            for _ in 1..<1_000 { layers.append(Sample.layer(on: layers[layers.count - 1].id)) }
            try await catalog.write { [layers] writer in
                for layer in layers { try writer.insert(layer) }
            }
            for index in [0, 500, 999] {
                let tree = try await catalog.read { [layers] in try $0.layerTree(around: layers[index].id) }
                #expect(tree.layers.count == 1_000)
                #expect(tree.depth(of: layers[999].id) == 1_000)
                let chain = try await catalog.read { [layers] in try $0.layerChain(of: layers[index].id) }
                #expect(chain == layers[...index].reversed().map(\.id))
            }
        }
    }
}

/// Trees of layers in two pools, with volumes, snapshots and templates on some of them.
private struct Forest {
    let pools: [PoolID]
    var layers: [Layer] = []
    var pins: [LayerID: Set<Pin>] = [:]
    private let environment: Environment
    private var volumes: [Volume] = []
    private var snapshots: [Snapshot] = []
    private var templates: [Template] = []

    init(using random: inout SeededGenerator) throws {
        environment = try Sample.environment()
        pools = [.local, try #require(PoolID("other"))]
        for index in 0..<40 {
            let parent = Bool.random(using: &random) ? layers.randomElement(using: &random) : nil
            let pool = parent?.pool ?? pools[Int.random(in: 0...1, using: &random)]
            let layer = Sample.layer(on: parent?.id, pool: pool)
            layers.append(layer)
            for ordinal in 0..<Int.random(in: 0...2, using: &random) {
                try pin(layer, named: "\(index)-\(ordinal)", kind: Int.random(in: 0...2, using: &random))
            }
        }
    }

    private mutating func pin(_ layer: Layer, named name: String, kind: Int) throws {
        let isWritten = pins[layer.id]?.contains(where: \.isVolume) == true
        switch kind {
        case 0 where !isWritten:
            var volume = try Sample.volume(name, in: environment.id, on: layer.id)
            volume.pool = layer.pool
            volumes.append(volume)
            pins[layer.id, default: []].insert(.volume(volume.id))
        case 1:
            var template = try Sample.template(name, in: environment.id, on: layer.id)
            template.pool = layer.pool
            templates.append(template)
            pins[layer.id, default: []].insert(.template(template.id))
        default:
            var snapshot = try Sample.snapshot(name, in: environment.id, on: layer.id)
            snapshot.pool = layer.pool
            snapshots.append(snapshot)
            pins[layer.id, default: []].insert(.snapshot(snapshot.id))
        }
    }

    func insert(with writer: any CatalogWriter) throws {
        try writer.insert(environment)
        for layer in layers { try writer.insert(layer) }
        for volume in volumes { try writer.insert(volume) }
        for snapshot in snapshots { try writer.insert(snapshot) }
        for template in templates { try writer.insert(template) }
    }

    /// All layers with the same base.
    func connected(with layer: Layer) -> [Layer] {
        let base = base(of: layer)
        return layers.filter { self.base(of: $0) == base }
    }

    private func base(of layer: Layer) -> LayerID {
        var found = layer
        while let parent = layers.first(where: { $0.id == found.parent }) { found = parent }
        return found.id
    }

    func expect(_ tree: LayerTree, holds wanted: [Layer], _ comment: Comment) {
        let ids = wanted.map(\.id)
        #expect(tree.layers.values == wanted.sorted { $0.id < $1.id }, comment)
        for id in ids { #expect(tree.pins[id] == pins[id], comment) }
    }
}
