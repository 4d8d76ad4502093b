import Foundation
import GRDB
import SnapshotDomain

// How the values of the domain are written into columns. What is written here is in files already: a change of form is a
// migration.

extension Identifier {
    /// The sixteen bytes of the UUID.
    var stored: UUID { uuid }
}

extension Date {
    /// Nanoseconds since 1970, which is exact for what a clock of this century says.
    ///
    /// Years before 1678 and after 2261 become the nearest instant that can be written.
    var stored: Int64 {
        let whole = timeIntervalSinceReferenceDate.rounded(.down)
        // Apart, because the sum has more digits than a Double.
        let fraction = ((timeIntervalSinceReferenceDate - whole) * 1e9).rounded()
        guard let seconds = Int64(exactly: whole) else { return whole < 0 ? .min : .max }
        let (sinceEpoch, overflowed) = seconds.addingReportingOverflow(Self.epochOffset)
        let (scaled, scaleOverflowed) = sinceEpoch.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, sumOverflowed) = scaled.addingReportingOverflow(Int64(fraction))
        if overflowed || scaleOverflowed || sumOverflowed { return seconds < 0 ? .min : .max }
        return sum
    }

    init(stored nanoseconds: Int64) {
        let (quotient, remainder) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        let seconds = remainder < 0 ? quotient - 1 : quotient
        let fraction = remainder < 0 ? remainder + 1_000_000_000 : remainder
        self.init(timeIntervalSinceReferenceDate: Double(seconds - Self.epochOffset) + Double(fraction) / 1e9)
    }

    private static let epochOffset = Int64(Date.timeIntervalBetween1970AndReferenceDate)
}

/// JSON for what is only ever read whole, with its keys in order.
func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
}

/// The form in which names are searched: letter case does not count, nor how an accent was typed.
func searchable(_ names: String?...) -> String {
    names.compactMap { $0?.precomposedStringWithCanonicalMapping.lowercased() }.joined(separator: "\n")
}

/// The same in SQL: `searchable(name)`.
let searchableName = DatabaseFunction("searchable", argumentCount: 1, pure: true) { values in
    searchable(values.first.flatMap { String.fromDatabaseValue($0) })
}
