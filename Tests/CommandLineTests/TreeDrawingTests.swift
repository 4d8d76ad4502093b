import Foundation
import Testing

@testable import CommandLine

@Suite("trees")
struct TreeDrawingTests {
    private let reader = Reader(language: .english, timeZone: .gmt)

    private func node(_ id: String, on parent: String?, _ pins: [JSONValue], mebibytes: Int64, isHere: Bool = false)
        -> JSONValue
    {
        .object([
            "layerId": .text(id), "parentId": JSONValue(parent), "pins": .list(pins),
            "allocatedBytes": .integer(mebibytes << 20), "isHere": .bool(isHere),
        ])
    }

    private func pin(_ type: String, _ name: String) -> JSONValue {
        ["type": .text(type), "name": .text(name), "creationDate": "2026-11-22T14:30:01.000Z"]
    }

    @Test("branches indent, a plain history does not, and the place of writing is marked")
    func drawing() {
        let tree = TreeDrawing(
            [
                node("1", on: nil, [pin("templates", "golden")], mebibytes: 812),
                node("2", on: "1", [pin("snapshots", "before"), pin("snapshots", "again")], mebibytes: 12),
                node("3", on: "2", [pin("volumes", "ROOT-web01")], mebibytes: 3, isHere: true),
                node("4", on: "1", [pin("volumes", "ROOT-web02")], mebibytes: 1),
                node("5", on: "1", [], mebibytes: 2),
                node("6", on: "5", [pin("volumes", "a")], mebibytes: 0),
                node("7", on: "5", [pin("volumes", "b")], mebibytes: 0),
            ],
            reader: reader
        )
        #expect(
            tree.text(width: nil, usesColour: false) == """
                ● template golden                    2026-11-22 14:30:01  812 MiB
                ├─● snapshot before, snapshot again  2026-11-22 14:30:01   12 MiB
                │ ● volume ROOT-web01                                       3 MiB  ◀ written here
                ├─● volume ROOT-web02                                       1 MiB
                └─● (unnamed)                                               2 MiB
                  ├─● volume a                                                0 B
                  └─● volume b                                                0 B

                """
        )
    }

    @Test("a history of thousands of steps is drawn, and stays narrow")
    func depth() {
        let nodes = (0..<5_000).map { index in
            node("\(index)", on: index == 0 ? nil : "\(index - 1)", [pin("snapshots", "s\(index)")], mebibytes: 1)
        }
        let lines = TreeDrawing(nodes, reader: reader).text(width: 80, usesColour: false).split(separator: "\n")
        #expect(lines.count == 5_000)
        #expect(lines.allSatisfy { $0.hasPrefix("● ") })
    }

    @Test("nodes whose parent is not there, or that stand on each other, do no harm")
    func nonsense() {
        let nodes = [
            node("1", on: "gone", [], mebibytes: 1), node("2", on: "3", [], mebibytes: 1),
            node("3", on: "2", [], mebibytes: 1),
        ]
        #expect(TreeDrawing(nodes, reader: reader).text(width: 80, usesColour: false).contains("(unnamed)"))
    }
}
