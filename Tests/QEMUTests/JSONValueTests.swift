import Foundation
import SnapshotDomain
import SnapshotPorts
import Testing

@testable import QEMU

@Suite("JSON values and node names")
struct JSONValueTests {
    private let sample: JSONValue = [
        "null": nil, "yes": true, "no": false, "small": -1, "large": .integer(.max), "half": 0.5,
        "text": "quote \" backslash \\ line \n tab \t bell \u{7} ñ 漢 👍", "list": [1, "two", [:], []],
    ]

    @Test("its text reads back as the same value")
    func text() throws {
        #expect(try JSONValue(parsing: Data(sample.text.utf8)) == sample)
        #expect(!sample.text.contains("\n"))
    }

    @Test("encodes and decodes as itself")
    func coding() throws {
        #expect(try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(sample)) == sample)
    }

    @Test("keeps integers apart from truth values and from fractions")
    func kinds() throws {
        let value = try JSONValue(parsing: Data(#"{"one": 1, "true": true, "fraction": 1.5}"#.utf8))
        #expect(value == ["one": 1, "true": true, "fraction": 1.5])
        #expect(value["one"]?.bool == nil)
        #expect(value["true"]?.integer == nil)
        #expect(value["none"] == nil)
    }

    @Test("names of nodes fit QEMU's limit and read back")
    func nodeNames() throws {
        for _ in 0..<100 {
            let node = LayerNode(LayerID(UUID()))
            for name in [node.name, node.fileName] {
                #expect(name.utf8.count <= BlockChain.maximumNodeNameBytes)
                #expect(LayerNode.parse(name)?.layer == node.layer)
            }
            #expect(LayerNode.layer(named: node.name) == node.layer)
            #expect(LayerNode.layer(named: node.fileName) == nil)
            let image = ImageNode(node.layer)
            #expect(image.name.utf8.count <= BlockChain.maximumNodeNameBytes)
            #expect(ImageNode.parse(image.name) == image)
            #expect(LayerNode.parse(image.name) == nil)
            #expect(ImageNode.parse(node.name) == nil)
            // A file and the layer in it are one thing to a store.
            #expect(DiskHandle(node: node.name) == DiskHandle(node: node.fileName))
            #expect(DiskHandle(node: node.name)?.layer == node)
            #expect(DiskHandle(node: image.name)?.image == image)
        }
        for odd in [
            "", "l", "#block123", "lABC", "l" + String(repeating: "a", count: 25),
            "x" + String(repeating: "a", count: 26),
        ] {
            #expect(LayerNode.parse(odd) == nil)
            #expect(DiskHandle(node: odd) == nil)
        }
    }
}
