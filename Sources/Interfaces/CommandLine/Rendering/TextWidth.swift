/// How much room text takes on a terminal.
enum TextWidth {
    /// The columns that a text takes: two for wide characters, none for marks that join the one before.
    static func of(_ text: String) -> Int {
        text.utf8.allSatisfy { $0 < 0x80 } ? text.utf8.count : text.reduce(0) { $0 + columns(of: $1) }
    }

    /// The text with spaces up to a width; text that is longer stays as it is.
    static func pad(_ text: String, to width: Int, alignment: Alignment = .leading) -> String {
        let space = String(repeating: " ", count: max(0, width - of(text)))
        return switch alignment {
        case .leading: text + space
        case .trailing: space + text
        }
    }

    /// The text cut to a width, with an ellipsis where something is missing.
    static func shorten(_ text: String, to width: Int) -> String {
        guard of(text) > width else { return text }
        guard width > 0 else { return "" }
        var result = ""
        var used = 0
        for character in text {
            let columns = columns(of: character)
            guard used + columns <= width - 1 else { break }
            result.append(character)
            used += columns
        }
        return result + "…"
    }

    enum Alignment: Sendable {
        case leading
        case trailing
    }

    private static func columns(of character: Character) -> Int {
        guard let first = character.unicodeScalars.first else { return 0 }
        switch first.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return 0
        default: break
        }
        return isWide(first) || first.properties.isEmojiPresentation ? 2 : 1
    }

    /// The blocks of East Asian Width `W` and `F` that have letters in them.
    private static func isWide(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF,
            0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x20000...0x3FFFD:
            true
        default:
            false
        }
    }
}
