import Foundation

/// A value of a JSON document, kept whole.
///
/// Answers are kept as they came, so that `--format json` shows every field that the service sends, also those that this
/// client does not know. Commands read from them and take what they find: a missing field or a number written as text is
/// no reason to fail.
enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case text(String)
    case list([JSONValue])
    case object([String: JSONValue])

    /// The member of an object; `null` when there is none, or this is no object.
    subscript(key: String) -> JSONValue {
        guard case .object(let members) = self else { return .null }
        return members[key] ?? .null
    }

    var isNull: Bool { self == .null }

    /// Text, or a number as text.
    ///
    /// Empty text counts as absent: the wire format sends it for "none".
    var string: String? {
        switch self {
        case .text(let text): text.isEmpty ? nil : text
        case .integer(let number): String(number)
        case .number(let number): String(number)
        case .null, .bool, .list, .object: nil
        }
    }

    /// A whole number, also one that was written as text.
    var int64: Int64? {
        switch self {
        case .integer(let number): number
        case .number(let number): Int64(exactly: number.rounded())
        case .text(let text): Int64(text)
        case .null, .bool, .list, .object: nil
        }
    }

    /// A truth value, also one that was written as text.
    var bool: Bool? {
        switch self {
        case .bool(let value): value
        case .text("true"): true
        case .text("false"): false
        case .null, .integer, .number, .text, .list, .object: nil
        }
    }

    /// The elements of a list; nothing for anything else.
    var elements: [JSONValue] {
        guard case .list(let elements) = self else { return [] }
        return elements
    }

    var date: Date? {
        string.flatMap(WireDate.parse)
    }
}

extension JSONValue: Codable {
    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int64.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .text(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .list(value)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .text(let value): try container.encode(value)
        case .list(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    init(stringLiteral value: String) { self = .text(value) }
    init(booleanLiteral value: Bool) { self = .bool(value) }
    init(integerLiteral value: Int64) { self = .integer(value) }
    init(arrayLiteral elements: JSONValue...) { self = .list(elements) }
    init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(Dictionary(elements) { _, last in last })
    }

    /// An object of those members that are there: for request bodies, where an absent member means "as you like".
    static func object(present members: [String: JSONValue?]) -> JSONValue {
        .object(members.compactMapValues { $0 })
    }

    /// Null for nil.
    init(_ text: String?) {
        self = text.map(JSONValue.text) ?? .null
    }
}
