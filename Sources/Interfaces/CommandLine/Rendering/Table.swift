/// Rows under titles, made to fit a terminal.
struct Table: Sendable {
    struct Column: Sendable {
        var title: String
        var alignment = TextWidth.Alignment.leading
        var fit = Fit.shrinks
    }

    /// What happens to a column when the terminal is too narrow.
    enum Fit: Sendable, Hashable {
        /// Long texts end in an ellipsis.
        case shrinks
        /// It stays whole.
        case stays
        /// It is left out, those of the lowest rank first: an identity cut in the middle would be of no use.
        case yields(rank: Int)
    }

    struct Cell: Sendable, Hashable {
        var text: String
        var tone: Tone

        init(_ text: String?, _ tone: Tone = .plain) {
            self.text = text.map(PlainText.oneLine) ?? "-"
            self.tone = text == nil ? .faint : tone
        }
    }

    var columns: [Column]
    var rows: [[Cell]]

    /// The narrowest that a shrinking column gets.
    static let narrowest = 12
    private static let gap = 2

    /// The table as lines, each with a newline.
    ///
    /// The width is that of the terminal; nil when there is no limit.
    func text(width: Int?, usesColour: Bool) -> String {
        let widths = fitted(to: width)
        let shown = columns.indices.filter { widths[$0] > 0 }
        let header = line(shown, widths) { Cell(columns[$0].title, .faint) }(usesColour)
        return rows.reduce(into: header) { text, row in
            text += line(shown, widths) { $0 < row.count ? row[$0] : Cell("") }(usesColour)
        }
    }

    private func line(_ shown: [Int], _ widths: [Int], _ cell: @escaping (Int) -> Cell) -> (Bool) -> String {
        { usesColour in
            let parts = shown.map { index in
                let cell = cell(index)
                let short = TextWidth.shorten(cell.text, to: widths[index])
                // No spaces at the end of a line: they wrap on narrow terminals and disturb copies.
                let isLast = index == shown.last && columns[index].alignment == .leading
                let padded =
                    isLast ? short : TextWidth.pad(short, to: widths[index], alignment: columns[index].alignment)
                return cell.tone.paint(padded, usesColour: usesColour)
            }
            return parts.joined(separator: String(repeating: " ", count: Self.gap)) + "\n"
        }
    }

    /// The width of each column, 0 for one that is left out.
    private func fitted(to limit: Int?) -> [Int] {
        var widths = columns.indices.map { index in
            rows.reduce(max(1, TextWidth.of(columns[index].title))) { widest, row in
                max(widest, index < row.count ? TextWidth.of(row[index].text) : 0)
            }
        }
        guard let limit else { return widths }
        while total(widths) > limit {
            let floor =
                columns.indices.reduce(0) { sum, index in
                    let least = columns[index].fit == .shrinks ? min(widths[index], Self.narrowest) : widths[index]
                    return sum + (widths[index] > 0 ? least + Self.gap : 0)
                } - Self.gap
            if floor > limit, let least = leastImportant(widths) {
                widths[least] = 0
                continue
            }
            let widest = columns.indices
                .filter { columns[$0].fit == .shrinks && widths[$0] > Self.narrowest }
                .max { widths[$0] < widths[$1] }
            guard let widest else { break }
            widths[widest] -= 1
        }
        return widths
    }

    private func total(_ widths: [Int]) -> Int {
        let shown = widths.filter { $0 > 0 }
        return shown.reduce(0, +) + Self.gap * max(0, shown.count - 1)
    }

    private func leastImportant(_ widths: [Int]) -> Int? {
        columns.indices
            .compactMap { index -> (index: Int, rank: Int)? in
                guard case .yields(let rank) = columns[index].fit, widths[index] > 0 else { return nil }
                return (index, rank)
            }
            .min { $0.rank < $1.rank }?
            .index
    }
}

/// The facts of one thing, a line each.
struct Sheet: Sendable {
    struct Line: Sendable, Hashable {
        var title: String
        var cell: Table.Cell
    }

    var lines: [Line]

    /// The sheet as lines, each with a newline.
    ///
    /// Nothing is cut: what does not fit, the terminal wraps.
    func text(usesColour: Bool) -> String {
        let width = lines.map { TextWidth.of($0.title) }.max() ?? 0
        return lines.reduce(into: "") { text, line in
            let title = Tone.faint.paint(TextWidth.pad(line.title, to: width), usesColour: usesColour)
            text += "\(title)  \(line.cell.tone.paint(line.cell.text, usesColour: usesColour))\n"
        }
    }
}
