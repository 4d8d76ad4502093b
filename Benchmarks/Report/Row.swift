/// One line of the result.
struct Row: Sendable {
    /// What a figure is held to.
    enum Verdict: String, Sendable {
        case met
        case missed = "MISSED"
        /// There is no budget: it explains another figure.
        case told = "–"
    }

    var what: String
    var ours: String
    var limit: String
    var result: String
    var budget: String
    var verdict: Verdict

    /// A figure without a budget.
    init(_ what: String, _ ours: String, beside limit: String = "–", result: String = "–") {
        self.what = what
        self.ours = ours
        self.limit = limit
        self.result = result
        budget = "–"
        verdict = .told
    }

    /// The ratio of two medians, held against a bound.
    init(_ what: String, _ ours: Series, against limit: Series, _ limitName: String, atMost bound: Double) {
        self.what = what
        self.ours = ours.description
        self.limit = "\(limitName): \(limit)"
        let ratio = ours.median / limit.median
        result = "\(Series.round(ratio))×"
        budget = "≤ \(bound)×"
        verdict = ratio <= bound ? .met : .missed
    }

    /// Two medians that should be equal.
    init(_ what: String, _ first: Series, _ second: Series, within share: Double) {
        self.what = what
        ours = second.description
        limit = first.description
        let ratio = second.median / first.median
        result = "\(Series.round(ratio))×"
        budget = "± \(Int(share * 100)) %"
        verdict = abs(ratio - 1) <= share ? .met : .missed
    }

    /// A value held against a bound in its own unit.
    init(_ what: String, _ ours: Series, value: Double? = nil, atMost bound: Double, beside limit: String = "–") {
        self.what = what
        self.ours = ours.description
        self.limit = limit
        let value = value ?? ours.median
        result = "\(Series.round(value)) \(ours.unit.rawValue)"
        budget = "≤ \(bound.rounded() == bound ? String(Int(bound)) : String(bound)) \(ours.unit.rawValue)"
        verdict = value <= bound ? .met : .missed
    }

    static let heads = ["what", "measured", "against", "result", "budget", ""]

    var cells: [String] { [what, ours, limit, result, budget, verdict.rawValue] }
}

/// The rows as a table that is at the same time Markdown.
struct ResultTable: CustomStringConvertible {
    var rows: [Row]

    var description: String {
        let lines = [Row.heads] + rows.map(\.cells)
        let widths = Row.heads.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        var text = lines.map { line in
            "| "
                + zip(line, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: " | ")
                + " |"
        }
        text.insert("|" + widths.map { String(repeating: "-", count: $0 + 2) }.joined(separator: "|") + "|", at: 1)
        return text.joined(separator: "\n")
    }
}
