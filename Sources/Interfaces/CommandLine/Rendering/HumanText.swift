import Foundation
import SnapshotDomain

/// Quantities as people read them.
enum HumanText {
    /// Such as `12.5 MiB`.
    static func size(_ bytes: Int64) -> String {
        ByteCount(bytes).description
    }

    /// Such as `2026-11-22 14:30:01`, in the time zone of the reader.
    static func instant(_ date: Date, in zone: TimeZone) -> String {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = zone
        let parts = calendar.dateComponents([.year, .month, .day, .hour, .minute, .second], from: date)
        let day = [pad(parts.year, 4), pad(parts.month, 2), pad(parts.day, 2)].joined(separator: "-")
        let time = [pad(parts.hour, 2), pad(parts.minute, 2), pad(parts.second, 2)].joined(separator: ":")
        return "\(day) \(time)"
    }

    /// Such as `1 h 5 min`, `2 min 3 s`, `4.2 s`, `12 ms`: two digits or two units of what matters.
    static func duration(seconds: Double) -> String {
        switch seconds {
        case ..<0.9995: return "\(Int((max(0, seconds) * 1_000).rounded())) ms"
        case ..<9.95: return "\(fixed(seconds)) s"
        case ..<59.5: return "\(Int(seconds.rounded())) s"
        case ..<3_600:
            let whole = Int(seconds.rounded())
            return whole % 60 == 0 ? "\(whole / 60) min" : "\(whole / 60) min \(whole % 60) s"
        default:
            let minutes = Int((seconds / 60).rounded())
            return minutes % 60 == 0 ? "\(minutes / 60) h" : "\(minutes / 60) h \(minutes % 60) min"
        }
    }

    private static func fixed(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }

    private static func pad(_ value: Int?, _ width: Int) -> String {
        let digits = String(value ?? 0)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
