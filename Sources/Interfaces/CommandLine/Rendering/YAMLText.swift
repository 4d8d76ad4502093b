/// Values as YAML 1.2 in block style: the part of it that JSON values need.
enum YAMLText {
    /// The document without a newline at the end.
    static func yaml(_ value: JSONValue) -> String {
        lines(value).joined(separator: "\n")
    }

    private static func lines(_ value: JSONValue) -> [String] {
        switch value {
        case .list(let elements) where !elements.isEmpty:
            elements.flatMap { element in
                let inner = lines(element)
                return inner.enumerated().map { ($0.offset == 0 ? "- " : "  ") + $0.element }
            }
        case .object(let members) where !members.isEmpty:
            JSONText.ordered(members).flatMap { key, value in
                isBlock(value)
                    ? ["\(plain(key)):"] + lines(value).map { "  " + $0 }
                    : ["\(plain(key)): \(flow(value))"]
            }
        default:
            [flow(value)]
        }
    }

    private static func isBlock(_ value: JSONValue) -> Bool {
        switch value {
        case .list(let elements): !elements.isEmpty
        case .object(let members): !members.isEmpty
        case .null, .bool, .integer, .number, .text: false
        }
    }

    /// A value that fits on the line of its key.
    private static func flow(_ value: JSONValue) -> String {
        switch value {
        case .text(let text): plain(text)
        case .list: "[]"
        case .object: "{}"
        case .null, .bool, .integer, .number: JSONText.scalar(value)
        }
    }

    /// Text without quotes if every reader of YAML takes it as the same text, else with.
    private static func plain(_ text: String) -> String {
        guard let first = text.unicodeScalars.first, isLetter(first) || first == "/" else {
            return JSONText.quoted(text)
        }
        let isSafe = text.unicodeScalars.allSatisfy {
            isLetter($0) || ("0"..."9").contains($0) || " -_./+@".unicodeScalars.contains($0)
        }
        // Older readers take these words, in any letter case, for truth values or nothing.
        let reserved = ["true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan", "inf"]
        guard isSafe, !text.hasSuffix(" "), !reserved.contains(text.lowercased()) else { return JSONText.quoted(text) }
        return text
    }

    private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar)
    }
}
