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

    @Test(
        "reads what Foundation reads, and the same",
        arguments: [
            #"  {"a" : [ 1 , -2.5 , "x" ] , "b":{} }  "#, #""\u0041\u00e9\ud83d\udc4d \/ \b\f""#,
            "18446744073709551615", "-0", "[]",
            "9223372036854775807", "\"é漢👍\"", "1e5",
        ]
    )
    func reading(_ text: String) throws {
        let known = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
        let value = try JSONValue(parsing: Data(text.utf8))
        // A number with an exponent is no integer for us.
        #expect(value == known || value == .double(Double(known.integer ?? 0)))
    }

    @Test(
        "refuses what is no JSON, whatever it is",
        arguments: [
            "", " ", "{", "[", "[1,]", "{\"a\"}", "{\"a\":}", "{a:1}", "01", "1.", ".5", "-", "1e", "+1", "tru", "nul",
            "\"", "\"\\x\"",
            "\"\\u12\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"", "\"\t\"", "1 2", "[1 2]", "1e999", "]",
            "NaN",
            String(repeating: "[", count: 100_000),
        ]
    )
    func refusing(_ text: String) {
        #expect(throws: JSONParser.Failure.self) { try JSONValue(parsing: Data(text.utf8)) }
    }

    @Test("never crashes, wherever a text is cut or changed")
    func damaged() throws {
        let whole = Data(sample.text.utf8)
        for end in whole.indices {
            #expect(throws: JSONParser.Failure.self) { try JSONValue(parsing: whole[..<end]) }
            for byte in [0x00, 0x22, 0x5C, 0x7B, 0xFF] as [UInt8] {
                var changed = whole
                changed[end] = byte
                _ = try? JSONValue(parsing: changed)
            }
        }
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
