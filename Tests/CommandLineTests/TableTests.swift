import Foundation
import Testing

@testable import CommandLine

@Suite("tables")
struct TableTests {
    private let table = Table(
        columns: [
            .init(title: "Name"), .init(title: "Size", alignment: .trailing, fit: .stays),
            .init(title: "ID", fit: .yields(rank: 0)),
        ],
        rows: [
            [.init("web01_ROOT-web01_20261122143001"), .init("5 GiB"), .init("0d9c5a6e-0000-4000-8000-000000000001")],
            [.init("b"), .init("812.5 MiB"), .init("0d9c5a6e-0000-4000-8000-000000000002")],
        ]
    )

    @Test("columns line up, and lines have no spaces at their end")
    func plain() {
        #expect(
            table.text(width: nil, usesColour: false) == """
                Name                                  Size  ID
                web01_ROOT-web01_20261122143001      5 GiB  0d9c5a6e-0000-4000-8000-000000000001
                b                                812.5 MiB  0d9c5a6e-0000-4000-8000-000000000002

                """
        )
    }

    @Test("a narrow terminal costs a name its end before it costs the identity", arguments: [70, 66, 65])
    func shrinking(_ width: Int) {
        let text = table.text(width: width, usesColour: false)
        #expect(text.contains("0d9c5a6e-0000-4000-8000-000000000001"))
        #expect(text.contains("…"))
        #expect(text.split(separator: "\n").allSatisfy { TextWidth.of(String($0)) <= width })
    }

    @Test("an identity is shown whole or not at all", arguments: 20...100)
    func identities(_ width: Int) {
        let lines = table.text(width: width, usesColour: false).split(separator: "\n").map(String.init)
        #expect(lines.allSatisfy { TextWidth.of($0) <= max(width, Table.narrowest + 11) })
        #expect(
            lines.dropFirst().allSatisfy {
                $0.hasSuffix("000000000001") || $0.hasSuffix("000000000002") || !$0.contains("0d9c")
            }
        )
    }

    @Test("colour changes nothing but colour")
    func colour() {
        let table = Table(columns: [.init(title: "State")], rows: [[.init("Error", .bad)]])
        let coloured = table.text(width: 80, usesColour: true)
        #expect(coloured == "\u{1B}[2mState\u{1B}[0m\n\u{1B}[31mError\u{1B}[0m\n")
        #expect(table.text(width: 80, usesColour: false) == "State\nError\n")
    }

    @Test("a missing fact is a dash, wide letters take two columns, control characters are visible")
    func cells() {
        let table = Table(
            columns: [.init(title: "A"), .init(title: "B")],
            rows: [[.init("日本"), .init(nil)], [.init("x\u{1B}[31m"), .init("y")]]
        )
        #expect(
            table.text(width: nil, usesColour: false) == """
                A            B
                日本         -
                x\\u{1B}[31m  y

                """
        )
    }

    @Test("a sheet puts facts under each other and leaves out what is not there")
    func sheet() {
        let reader = Reader(language: .english, timeZone: .gmt)
        let volume: JSONValue = ["name": "ROOT-web01", "state": "Snapshotting", "type": "os", "sizeInGb": 5]
        let text = Sheet(volume, fields: Layout.of(.volume).sheet, reader: reader).text(usesColour: false)
        #expect(
            text == """
                Name   ROOT-web01
                State  Snapshot in progress
                Type   OS
                Size   5 GiB

                """
        )
    }

    @Test("every kind of resource has a layout that survives an empty resource", arguments: ResourceKind.allCases)
    func layouts(_ kind: ResourceKind) {
        let reader = Reader(language: .spanish, timeZone: .gmt)
        let layout = Layout.of(kind)
        #expect(
            Table([.object([:])], fields: layout.list, reader: reader).text(width: 80, usesColour: false).contains("-")
        )
        #expect(Sheet(["id": "1"], fields: layout.sheet, reader: reader).lines.contains { $0.cell.text == "1" })
    }
}
