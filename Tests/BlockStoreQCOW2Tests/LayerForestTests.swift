import SnapshotDomain
import TestKit
import Testing

@testable import BlockStoreQCOW2

@Suite("Who stands on whom")
struct LayerForestTests {
    @Test("is what plain dictionaries say, after any changes")
    func model() {
        var random = SeededGenerator(seed: 4)
        let layers = (0..<12).map { _ in LayerID.random() }
        var forest = LayerForest()
        var parents: [LayerID: LayerID] = [:]
        for _ in 0..<5_000 {
            let layer = layers.randomElement(using: &random)
            let parent = Int.random(in: 0..<3, using: &random) == 0 ? nil : layers.randomElement(using: &random)
            guard let layer else { continue }
            forest.put(layer, on: parent)
            parents[layer] = parent
            for layer in layers {
                let children = Set(parents.filter { $0.value == layer }.keys)
                guard forest.parent(of: layer) == parents[layer], forest.children(of: layer) == children else {
                    Issue.record("\(layer) stands on something else")
                    return
                }
            }
        }
    }
}
