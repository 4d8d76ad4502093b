import Foundation

/// Instants as the wire format writes them: ISO 8601 with or without fraction, with `Z`, `+02:00` or `-0400`.
enum WireDate {
    /// Nil when the text is no instant.
    static func parse(_ text: String) -> Date? {
        var rest = Substring(text)
        guard let year = number(&rest, digits: 4), skip("-", &rest), let month = number(&rest, digits: 2),
            skip("-", &rest), let day = number(&rest, digits: 2), skip("T", &rest),
            let hour = number(&rest, digits: 2), skip(":", &rest), let minute = number(&rest, digits: 2),
            skip(":", &rest), let second = number(&rest, digits: 2)
        else { return nil }
        var fraction = 0.0
        if skip(".", &rest) {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            guard let value = Double("0.\(digits)") else { return nil }
            fraction = value
            rest = rest.dropFirst(digits.count)
        }
        guard let offset = offset(rest) else { return nil }
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        let parts = DateComponents(year: year, month: month, day: day, hour: hour, minute: minute, second: second)
        return calendar.date(from: parts)?.addingTimeInterval(fraction - Double(offset))
    }

    /// Seconds east of Greenwich.
    private static func offset(_ text: Substring) -> Int? {
        var rest = text
        if rest == "Z" { return 0 }
        let sign: Int
        if skip("+", &rest) {
            sign = 1
        } else if skip("-", &rest) {
            sign = -1
        } else {
            return nil
        }
        guard let hours = number(&rest, digits: 2) else { return nil }
        _ = skip(":", &rest)
        guard let minutes = number(&rest, digits: 2), rest.isEmpty else { return nil }
        return sign * (hours * 3_600 + minutes * 60)
    }

    private static func number(_ rest: inout Substring, digits: Int) -> Int? {
        let text = rest.prefix(digits)
        guard text.count == digits, text.allSatisfy({ $0.isASCII && $0.isNumber }), let value = Int(text) else {
            return nil
        }
        rest = rest.dropFirst(digits)
        return value
    }

    private static func skip(_ character: Character, _ rest: inout Substring) -> Bool {
        guard rest.first == character else { return false }
        rest = rest.dropFirst()
        return true
    }
}
