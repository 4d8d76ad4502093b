/// One line that says how far something is.
struct ProgressLine: Sendable, Hashable {
    var label: String
    /// Nil when the amount of work is not known.
    var doneBytes: Int64?
    /// Nil, or zero, when only what is done is known.
    var totalBytes: Int64?
    var bytesPerSecond: Int64?
    var remainingSeconds: Int?
    /// Jobs before it; nil when it runs.
    var queuePosition: Int?
    var elapsedSeconds: Double

    init(label: String, elapsedSeconds: Double) {
        self.label = label
        self.elapsedSeconds = elapsedSeconds
    }

    /// The line, never longer than the width.
    ///
    /// What matters least is left out first.
    func text(width: Int) -> String {
        let room = max(0, width - 1)
        guard let done = doneBytes, let total = totalBytes, total > 0 else {
            let tail = queuePosition.map { $0 > 0 ? "waiting behind \($0)" : "waiting" }
            let parts = [label, tail] + openFacts + [HumanText.duration(seconds: elapsedSeconds)]
            return TextWidth.shorten(parts.compactMap(\.self).joined(separator: "  "), to: room)
        }
        let fraction = min(1, max(0, Double(done) / Double(total)))
        var facts = ["\(Int(fraction * 100)) %", "\(HumanText.size(done)) of \(HumanText.size(total))"]
        if let rate = bytesPerSecond, rate > 0 { facts.append("\(HumanText.size(rate))/s") }
        if let left = remainingSeconds { facts.append("\(HumanText.duration(seconds: Double(left))) left") }
        while facts.count > 1, TextWidth.of(label) + Self.leastBar + facts.joined(separator: "  ").count + 6 > room {
            facts.removeLast()
        }
        let tail = facts.joined(separator: "  ")
        let barRoom = min(Self.widestBar, room - TextWidth.of(label) - tail.count - 6)
        guard barRoom >= Self.leastBar else {
            return TextWidth.shorten("\(label)  \(tail)", to: room)
        }
        return "\(label)  [\(Self.bar(fraction, width: barRoom))]  \(tail)"
    }

    /// What came and how fast, when nobody knows of how much.
    private var openFacts: [String?] {
        guard let done = doneBytes, done > 0, totalBytes == 0, queuePosition == nil else { return [] }
        return [HumanText.size(done), bytesPerSecond.flatMap { $0 > 0 ? "\(HumanText.size($0))/s" : nil }]
    }

    private static let leastBar = 8
    private static let widestBar = 32

    private static func bar(_ fraction: Double, width: Int) -> String {
        let filled = Int((fraction * Double(width)).rounded(.down))
        return String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled)
    }
}

/// Shows a progress line on a terminal, over itself, and takes it away again.
///
/// What takes less than a moment is not worth a flicker: the first line comes after that. Without a terminal nothing is
/// shown.
struct ProgressDisplay: Sendable {
    static let moment = 0.25

    let surroundings: Surroundings
    private var isShown = false

    init(_ surroundings: Surroundings) {
        self.surroundings = surroundings
    }

    mutating func show(_ line: ProgressLine) {
        guard surroundings.terminal.isError, line.elapsedSeconds >= Self.moment else { return }
        surroundings.tell("\r\(line.text(width: surroundings.terminal.errorWidth))\u{1B}[K")
        isShown = true
    }

    mutating func clear() {
        guard isShown else { return }
        surroundings.tell("\r\u{1B}[K")
        isShown = false
    }
}
