/// The history around a volume, drawn as a tree.
///
///     ● template golden              2026-11-22 14:00:01  812 MiB
///     ├─● snapshot before-upgrade    2026-11-22 14:30:01   12 MiB
///     │ ● volume ROOT-web01                                 3 MiB  ◀ written here
///     └─● volume ROOT-web02                                 1 MiB
///
/// Each line is one step of the history, and stands on the one above it in its column: a long history stays narrow, and only
/// branches indent. A step without a name is one that several read, or whose space is about to be collected.
struct TreeDrawing {
    private struct Node {
        var id: String
        var parent: String?
        var label: String
        var createdAt: String
        var bytes: String
        var isHere: Bool
    }

    private struct Line {
        var drawing: String
        var node: Node
    }

    private static let marker = "  ◀ written here"
    private static let narrowest = 24

    private var nodes: [Node]

    /// Takes the nodes as the service sends them.
    init(_ values: [JSONValue], reader: Reader) {
        nodes = values.map { value in
            let pins = value["pins"].elements
            let names = pins.compactMap(DeletionSummary.dependent).map(PlainText.oneLine)
            // When a volume was made says nothing about what is written in its place now.
            let instants = pins.lazy.filter { $0["type"].string != "volumes" }.compactMap {
                reader.instant($0["creationDate"])
            }
            return Node(
                id: value["layerId"].string ?? "",
                parent: value["parentId"].string,
                label: names.isEmpty ? "(unnamed)" : names.joined(separator: ", "),
                createdAt: instants.first ?? "",
                bytes: reader.size(value["allocatedBytes"]) ?? "",
                isHere: value["isHere"].bool ?? false
            )
        }
    }

    /// The drawing as lines, each with a newline.
    func text(width: Int?, usesColour: Bool) -> String {
        let lines = lines()
        let dates = lines.map { TextWidth.of($0.node.createdAt) }.max() ?? 0
        let sizes = lines.map { TextWidth.of($0.node.bytes) }.max() ?? 0
        let natural = lines.map { TextWidth.of($0.drawing) }.max() ?? 0
        let rest = dates + sizes + 4 + TextWidth.of(Self.marker)
        let room = width.map { max(Self.narrowest, min(natural, $0 - rest)) } ?? natural
        return lines.reduce(into: "") { text, line in
            let drawing = TextWidth.pad(TextWidth.shorten(line.drawing, to: room), to: room)
            let date = Tone.faint.paint(TextWidth.pad(line.node.createdAt, to: dates), usesColour: usesColour)
            let size = TextWidth.pad(line.node.bytes, to: sizes, alignment: .trailing)
            let here = line.node.isHere ? Tone.good.paint(Self.marker, usesColour: usesColour) : ""
            text += "\(drawing)  \(date)  \(size)\(here)\n"
        }
    }

    private func lines() -> [Line] {
        let known = Set(nodes.map(\.id))
        let children = Dictionary(grouping: nodes) { node in
            node.parent.flatMap { known.contains($0) ? $0 : nil } ?? ""
        }
        var lines = [Line]()
        // Depth first, without recursion: histories may be long. The next one to draw is the last.
        var open = (children[""] ?? []).reversed().map { (node: $0, lead: "", rest: "") }
        while let (node, lead, rest) = open.popLast() {
            lines.append(Line(drawing: "\(lead)● \(node.label)", node: node))
            let branches = node.id.isEmpty ? [] : children[node.id] ?? []
            if branches.count == 1 {
                open.append((branches[0], rest, rest))
            } else {
                for (index, branch) in branches.enumerated().reversed() {
                    let isLast = index == branches.count - 1
                    open.append((branch, rest + (isLast ? "└─" : "├─"), rest + (isLast ? "  " : "│ ")))
                }
            }
        }
        return lines
    }
}
