package import Foundation

/// The name a person gives a resource.
///
/// It is shown, compared and stored, and never becomes a path or a query.
///
/// 1 to 255 characters without control characters, line separators, `/` or `\`, and without white space at either end.
package struct ResourceName: Hashable, Sendable, Codable, CustomStringConvertible {
    package static let longest = 255
    /// Bytes of UTF-8: one character can have any number of accents.
    private static let mostBytes = 4 * longest

    package let description: String

    /// Parses a name.
    ///
    /// - Throws: ``ServiceError`` with code `invalidInput` that says which rule the text breaks.
    package init(_ text: String, field: String = "name") throws(ServiceError) {
        func refuse(_ reason: String) -> ServiceError {
            ServiceError(.invalidInput, "The \(field) \(reason).", subject: .field(field))
        }
        guard !text.isEmpty else { throw refuse("is empty; give it at least one character") }
        guard text.count <= Self.longest else {
            throw refuse("has \(text.count) characters; at most \(Self.longest) are allowed")
        }
        guard text.utf8.count <= Self.mostBytes else {
            throw refuse("takes \(text.utf8.count) bytes; at most \(Self.mostBytes) are allowed")
        }
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
                throw refuse("contains a control or invisible character; use letters, digits and punctuation")
            default:
                break
            }
            guard scalar != "/", scalar != "\\" else {
                throw refuse("contains '\(scalar)'; slashes are not allowed in names")
            }
        }
        guard text.first?.isWhitespace == false, text.last?.isWhitespace == false else {
            throw refuse("begins or ends with white space; remove it")
        }
        description = text
    }

    package init(from decoder: any Decoder) throws {
        try self.init(try decoder.singleValueContainer().decode(String.self))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    /// The name with a suffix, shortened in the middle if it would become too long.
    package func appending(_ suffix: String) throws(ServiceError) -> ResourceName {
        try Self.joining(description, suffix)
    }

    /// As much of a text as leaves room for its tail, and the tail.
    fileprivate static func joining(_ head: String, _ tail: String) throws(ServiceError) -> ResourceName {
        var (characters, bytes) = (longest - tail.count, mostBytes - tail.utf8.count)
        let shortened = head.prefix { character in
            characters -= 1
            bytes -= character.utf8.count
            return characters >= 0 && bytes >= 0
        }
        return try ResourceName(shortened + tail)
    }
}

/// The name of an environment as it stands in URLs: lower-case letters, digits, `-` and `_`, 1 to 63 characters.
package struct EnvironmentName: Hashable, Sendable, Codable, CustomStringConvertible {
    package let description: String

    /// Parses a name.
    ///
    /// - Throws: ``ServiceError`` with code `invalidInput`.
    package init(_ text: String) throws(ServiceError) {
        let isAllowed = text.unicodeScalars.allSatisfy { scalar in
            ("a"..."z").contains(scalar) || ("0"..."9").contains(scalar) || scalar == "-" || scalar == "_"
        }
        guard isAllowed, (1...63).contains(text.utf8.count) else {
            throw ServiceError(
                .invalidInput,
                "An environment name has 1 to 63 lower-case letters, digits, '-' and '_'.",
                subject: .field("name")
            )
        }
        description = text
    }

    package init(from decoder: any Decoder) throws {
        try self.init(try decoder.singleValueContainer().decode(String.self))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

/// The name that an unnamed snapshot gets.
package enum GeneratedName {
    /// `<instance>_<volume>_<yyyyMMddHHmmss>` in UTC, with `detached` where there is no instance.
    ///
    /// Several snapshots in one second, or a name already taken, are told apart by `ordinal`: `…_2`, `…_3`.
    package static func snapshot(
        instance: ResourceName?,
        volume: ResourceName,
        at instant: Date,
        ordinal: Int = 1
    ) throws(ServiceError) -> ResourceName {
        let stamp = UTCStamp.compact(instant)
        let tail = ordinal == 1 ? "_\(stamp)" : "_\(stamp)_\(ordinal)"
        let head = "\(instance?.description ?? "detached")_\(volume)"
        return try .joining(head, tail)
    }
}

/// Instants as text, always in UTC and in the proleptic Gregorian calendar, whatever the machine's locale.
package enum UTCStamp {
    /// `yyyyMMddHHmmss`.
    package static func compact(_ instant: Date) -> String {
        let parts = components(instant)
        return [
            pad(parts.year, 4), pad(parts.month, 2), pad(parts.day, 2),
            pad(parts.hour, 2), pad(parts.minute, 2), pad(parts.second, 2),
        ].joined()
    }

    /// ISO 8601 with milliseconds: `2026-11-22T14:30:01.250Z`.
    package static func iso8601(_ instant: Date) -> String {
        let parts = components(instant)
        let date = "\(pad(parts.year, 4))-\(pad(parts.month, 2))-\(pad(parts.day, 2))"
        let time = "\(pad(parts.hour, 2)):\(pad(parts.minute, 2)):\(pad(parts.second, 2))"
        return "\(date)T\(time).\(pad(parts.millisecond, 3))Z"
    }

    private static func components(
        _ instant: Date
    ) -> (year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int, millisecond: Int) {
        // A Date is a binary fraction: one that was made from whole milliseconds can be a little less than they were.
        let (sinceEpoch, sinceReference) = (instant.timeIntervalSince1970, instant.timeIntervalSinceReferenceDate)
        let slack = 4 * max(sinceEpoch.magnitude.ulp, sinceReference.magnitude.ulp)
        let milliseconds = Int(((sinceEpoch + slack) * 1_000).rounded(.down))
        let millisecond = (milliseconds % 1_000 + 1_000) % 1_000
        let seconds = (milliseconds - millisecond) / 1_000
        let days = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
        let second = seconds - days * 86_400
        // Days since 0000-03-01, so that the leap day is the last of its year.
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthIndex = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthIndex + 2) / 5 + 1
        let month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, day, second / 3_600, second / 60 % 60, second % 60, millisecond)
    }

    private static func pad(_ value: Int, _ width: Int) -> String {
        let digits = String(value.magnitude)
        return (value < 0 ? "-" : "") + String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
