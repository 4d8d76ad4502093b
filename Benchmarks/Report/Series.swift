/// Measured values of one kind, in one unit.
struct Series: Sendable {
    enum Unit: String, Sendable {
        case milliseconds = "ms"
        case seconds = "s"
        case mebibytes = "MiB"
        case kibibytes = "KiB"
    }

    let unit: Unit
    private(set) var values: [Double] = []

    init(_ unit: Unit, _ values: [Double] = []) {
        self.unit = unit
        self.values = values
    }

    mutating func add(_ value: Double) {
        values.append(value)
    }

    mutating func add(_ duration: Duration) {
        values.append(duration / .milliseconds(1) / (unit == .seconds ? 1_000 : 1))
    }

    private var sorted: [Double] { values.sorted() }

    /// The middle value; of an even number, the mean of the middle two.
    var median: Double {
        let sorted = sorted
        guard !sorted.isEmpty else { return .nan }
        let middle = sorted.count / 2
        return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    }

    /// The smallest value that so many of all values do not exceed.
    func quantile(_ share: Double) -> Double {
        let sorted = sorted
        guard !sorted.isEmpty else { return .nan }
        return sorted[min(sorted.count - 1, Int((Double(sorted.count) * share).rounded(.up)) - 1)]
    }
}

extension Series: CustomStringConvertible {
    /// Such as `8.31 (7.9–12.4) ms, n 12`; a single value stands alone.
    var description: String {
        guard values.count > 1, let least = values.min(), let most = values.max() else {
            return "\(Self.round(median)) \(unit.rawValue)"
        }
        return "\(Self.round(median)) (\(Self.round(least))–\(Self.round(most))) \(unit.rawValue), n \(values.count)"
    }

    /// Three digits that matter.
    static func round(_ value: Double) -> String {
        guard value.isFinite else { return "–" }
        let digits = abs(value) >= 100 ? 0 : abs(value) >= 10 ? 1 : 2
        let factor = [1.0, 10, 100][digits]
        let scaled = Int((abs(value) * factor).rounded())
        let whole = "\(value < 0 ? "-" : "")\(scaled / Int(factor))"
        guard digits > 0 else { return whole }
        let rest = String(scaled % Int(factor))
        return "\(whole).\(String(repeating: "0", count: digits - rest.count))\(rest)"
    }
}
