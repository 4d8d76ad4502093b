import Foundation
import SnapshotDomain

/// Numbers, sizes and instants as one language writes them.
struct Formats: Sendable {
    let language: Language

    init(_ language: Language) {
        self.language = language
    }

    /// With a thin gap between thousands, as ISO 80000 has it, or the comma of English.
    func number(_ value: Int) -> String {
        let digits = String(value.magnitude)
        guard digits.count > (language == .spanish ? 4 : 3) else { return String(value) }
        let separator = language == .english ? "," : "\u{202F}"
        var grouped = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { grouped += separator }
            grouped.append(digit)
        }
        return (value < 0 ? "-" : "") + grouped
    }

    /// In binary units with at most one decimal: `12.5 MiB`, `12,5 MiB`, `12,5 Mio`.
    ///
    /// Never broken between two lines.
    func size(_ count: ByteCount) -> String {
        let plain = count.description.replacingOccurrences(of: " ", with: "\u{A0}")
        guard language != .english else { return plain }
        let local = plain.replacingOccurrences(of: ".", with: ",")
        guard language == .french else { return local }
        return local.hasSuffix("\u{A0}B") ? local.dropLast() + "o" : local.dropLast(2) + "io"
    }

    /// What stands beside a field for a size.
    var gibibyteUnit: String { language == .french ? "Gio" : "GiB" }
    var mebibyteUnit: String { language == .french ? "Mio" : "MiB" }

    /// A day and time in UTC, which a script of the page turns into the reader's own time.
    func instant(_ date: Date) -> String {
        var style = Date.FormatStyle(
            date: .abbreviated,
            time: .shortened,
            locale: Locale(identifier: language.rawValue)
        )
        style.timeZone = .gmt
        return date.formatted(style) + " UTC"
    }

    /// The same for machines, as `<time datetime>` takes it.
    func machineInstant(_ date: Date) -> String {
        UTCStamp.iso8601(date)
    }

    /// With two decimals, or four for less than ten cents, and with the code of the currency: `0.00 EUR`, `0.0001 EUR`.
    func money(_ amount: Double, _ currency: String) -> String {
        let places = amount > 0 && amount < 0.1 ? 4 : 2
        let scale = places == 4 ? 10_000 : 100
        let parts = Int((amount * Double(scale)).rounded())
        let decimals = String(parts % scale)
        let mark = language == .english ? "." : ","
        let padding = String(repeating: "0", count: places - decimals.count)
        return "\(number(parts / scale))\(mark)\(padding)\(decimals) \(currency)"
    }
}
