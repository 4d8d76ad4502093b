import Foundation
import SnapshotDomain

/// Instants on the wire: `2030-01-31T13:45:00+0000`.
enum WireDate {
    static func text(_ instant: Date) -> String {
        UTCStamp.iso8601(instant).prefix(19) + "+0000"
    }

    /// Reads what clients send: seconds in UTC with `+0000`, `+00:00`, another offset, or `Z`; and days.
    static func instant(_ text: String) -> Date? {
        let styles = [
            Date.ISO8601FormatStyle(), Date.ISO8601FormatStyle(timeZoneSeparator: .colon),
            Date.ISO8601FormatStyle(timeZoneSeparator: .omitted),
        ]
        for style in styles {
            if let instant = try? style.parse(text) { return instant }
        }
        let sides = text.split(separator: " ")
        if sides.count == 2 { return instant("\(sides[0])T\(sides[1])Z") }
        return text.count == 10 ? instant("\(text)T00:00:00Z") : nil
    }
}
