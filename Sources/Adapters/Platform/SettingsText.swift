/// Settings as people write them: the part of TOML 1.0 that flat settings need.
///
/// Tables by `[name]`, arrays of tables by `[[name]]`, and `key = value` with strings, whole numbers, decimal numbers and truth values; comments by `#`. Every
/// text that is read means the same in TOML; what TOML has beyond it (dates, arrays of values, inline tables, dotted keys, texts over
/// several lines) is refused by its line, never read as something else.
package struct SettingsText: Sendable {
    package enum Value: Hashable, Sendable {
        case text(String)
        case integer(Int)
        case decimal(Double)
        case flag(Bool)
    }

    package struct Setting: Hashable, Sendable {
        /// With its table: `prices.currency`.
        package var key: String
        package var value: Value
        /// From 1.
        package var line: Int
        /// Which table of an array it is in, from 0; nil for a setting of a single table or of none.
        package var element: Int?
    }

    /// One table of an array, which may have no settings.
    package struct Element: Hashable, Sendable {
        package var table: String
        /// From 0 in each array.
        package var number: Int
        /// Of its `[[name]]`.
        package var line: Int
    }

    /// Why a text is not read.
    package struct Fault: Error, Hashable, Sendable, CustomStringConvertible {
        package var line: Int
        package var reason: String

        package init(line: Int, reason: String) {
            self.line = line
            self.reason = reason
        }

        package var description: String { "line \(line): \(reason)" }
    }

    /// In the order of the text; no key is there twice.
    package private(set) var settings: [Setting] = []

    /// The tables of all arrays, in the order of the text.
    package private(set) var elements: [Element] = []

    /// Reads a whole text or nothing.
    package init(_ text: String) throws(Fault) {
        var table = ""
        var element: Int?
        var tables: Set<String> = []
        // A carriage return and a line feed are one character.
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            var scanner = Scanner(line, number: index + 1)
            scanner.skipBlanks()
            guard !scanner.isAtEnd else { continue }
            if scanner.takeTogether("[[") {
                table = try scanner.name("a table")
                guard scanner.takeTogether("]]") else { throw scanner.fault("the table's name must end with ']]'") }
                guard !tables.contains(table) else {
                    throw scanner.fault("[\(table)] is a single table; '[[' begins one of several")
                }
                let number = elements.count { $0.table == table }
                elements.append(Element(table: table, number: number, line: index + 1))
                element = number
            } else if scanner.take("[") {
                table = try scanner.name("a table")
                guard scanner.take("]") else { throw scanner.fault("the table's name must end with ']'") }
                guard !elements.contains(where: { $0.table == table }) else {
                    throw scanner.fault("[[\(table)]] is one of several tables; write '[[' for each")
                }
                guard tables.insert(table).inserted else { throw scanner.fault("[\(table)] is there twice") }
                element = nil
            } else {
                let name = try scanner.name("a setting")
                guard scanner.take("=") else { throw scanner.fault("'\(name)' needs '=' and a value") }
                let key = table.isEmpty ? name : "\(table).\(name)"
                guard !settings.contains(where: { $0.key == key && $0.element == element }) else {
                    throw scanner.fault("'\(name)' is set twice")
                }
                settings.append(
                    Setting(key: key, value: try scanner.value(of: name), line: index + 1, element: element)
                )
            }
            scanner.skipBlanks()
            guard scanner.isAtEnd else { throw scanner.fault("there is something after the end of the value") }
        }
    }
}

extension SettingsText {
    /// Reads one line from left to right.
    private struct Scanner {
        private var rest: Substring
        private let number: Int

        init(_ line: Substring, number: Int) {
            rest = line
            self.number = number
        }

        func fault(_ reason: String) -> Fault { Fault(line: number, reason: reason) }

        /// Nothing but a comment is left.
        var isAtEnd: Bool { rest.first == nil || rest.first == "#" }

        mutating func skipBlanks() {
            rest = rest.drop { $0 == " " || $0 == "\t" }
        }

        mutating func take(_ character: Character) -> Bool {
            skipBlanks()
            guard rest.first == character else { return false }
            rest.removeFirst()
            return true
        }

        /// Characters without blanks between them.
        mutating func takeTogether(_ text: String) -> Bool {
            skipBlanks()
            guard rest.hasPrefix(text) else { return false }
            rest.removeFirst(text.count)
            return true
        }

        mutating func name(_ what: String) throws(Fault) -> String {
            skipBlanks()
            let name = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") }
            guard !name.isEmpty else { throw fault("\(what) has a name of letters, digits, '_' and '-'") }
            rest = rest[name.endIndex...]
            return String(name)
        }

        mutating func value(of name: String) throws(Fault) -> Value {
            skipBlanks()
            if take("\"") { return .text(try quoted(name)) }
            if take("'") { return .text(try literal(name)) }
            let word = String(rest.prefix { !" \t#".contains($0) })
            rest = rest.dropFirst(word.count)
            switch word {
            case "true": return .flag(true)
            case "false": return .flag(false)
            default: break
            }
            if let number = Self.number(word) { return number }
            throw fault("'\(name)' needs a text in quotes, a number, true or false")
        }

        /// A text without escapes.
        private mutating func literal(_ name: String) throws(Fault) -> String {
            guard let end = rest.firstIndex(of: "'") else { throw fault("the text of '\(name)' has no end") }
            defer { rest = rest[rest.index(after: end)...] }
            return String(rest[..<end])
        }

        private mutating func quoted(_ name: String) throws(Fault) -> String {
            var text = ""
            while let character = rest.popFirst() {
                switch character {
                case "\"":
                    return text
                case "\\":
                    guard let escape = rest.popFirst() else { break }
                    switch escape {
                    case "\"", "\\": text.append(escape)
                    case "n": text.append("\n")
                    case "t": text.append("\t")
                    case "u": text.unicodeScalars.append(try scalar(name))
                    default: throw fault("'\\\(escape)' in '\(name)' means nothing; a backslash is written '\\\\'")
                    }
                default:
                    text.append(character)
                }
            }
            throw fault("the text of '\(name)' has no end")
        }

        private mutating func scalar(_ name: String) throws(Fault) -> Unicode.Scalar {
            let digits = rest.prefix(4)
            rest = rest.dropFirst(4)
            guard digits.count == 4, digits.allSatisfy(\.isHexDigit), let code = UInt32(digits, radix: 16),
                let scalar = Unicode.Scalar(code)
            else { throw fault("'\\u' in '\(name)' needs the four hexadecimal digits of a character") }
            return scalar
        }

        /// TOML's decimal forms: digits with single underscores between them, and no superfluous nought before them.
        private static func number(_ word: String) -> Value? {
            let digits = "(?:0|[1-9](?:_?[0-9])*)"
            guard let integer = try? Regex("[+-]?\(digits)"),
                let decimal = try? Regex("[+-]?\(digits)(?:\\.[0-9](?:_?[0-9])*)?(?:[eE][+-]?[0-9]+)?")
            else { return nil }
            let plain = word.filter { $0 != "_" }
            if word.wholeMatch(of: integer) != nil { return Int(plain).map(Value.integer) }
            if word.wholeMatch(of: decimal) != nil { return Double(plain).map(Value.decimal) }
            return nil
        }
    }
}
