import Foundation

/// Values as JSON and YAML text.
///
/// Members come in one order: what identifies first, the rest by name, so that two outputs can be compared.
enum JSONText {
    /// Indented JSON without a newline at the end.
    static func json(_ value: JSONValue) -> String {
        json(value, indentation: "")
    }

    private static func json(_ value: JSONValue, indentation: String) -> String {
        let inner = indentation + "  "
        switch value {
        case .null, .bool, .integer, .number, .text:
            return scalar(value)
        case .list(let elements):
            guard !elements.isEmpty else { return "[]" }
            let lines = elements.map { inner + json($0, indentation: inner) }
            return "[\n\(lines.joined(separator: ",\n"))\n\(indentation)]"
        case .object(let members):
            guard !members.isEmpty else { return "{}" }
            let lines = ordered(members).map { "\(inner)\(quoted($0.key)): \(json($0.value, indentation: inner))" }
            return "{\n\(lines.joined(separator: ",\n"))\n\(indentation)}"
        }
    }

    static func scalar(_ value: JSONValue) -> String {
        switch value {
        case .bool(let value): value ? "true" : "false"
        case .integer(let value): String(value)
        case .number(let value): value.isFinite ? String(value) : "null"
        case .text(let text): quoted(text)
        case .null, .list, .object: "null"
        }
    }

    static func ordered(_ members: [String: JSONValue]) -> [(key: String, value: JSONValue)] {
        let first = ["id", "name", "state"]
        let leading = first.compactMap { key in members[key].map { (key: key, value: $0) } }
        return leading + members.filter { !first.contains($0.key) }.sorted { $0.key < $1.key }
    }

    /// A string of JSON.
    ///
    /// It is one of YAML, too.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}", "\u{FEFF}":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
