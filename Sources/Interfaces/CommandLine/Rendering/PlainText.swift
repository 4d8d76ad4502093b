/// Text from elsewhere, made harmless for a terminal.
///
/// Names and messages come from the service, and names were chosen by people; a guest writes its console. None of them may
/// move the cursor, change the window's title or answer back.
enum PlainText {
    /// Control characters and line breaks become visible escapes.
    static func oneLine(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        return text.unicodeScalars.reduce(into: "") { result, scalar in
            if isControl(scalar) {
                result += scalar.escaped(asASCII: true)
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .surrogate: true
        // Marks that reorder what surrounds them can make one name look like another.
        case .format: ("\u{202A}"..."\u{202E}").contains(scalar) || ("\u{2066}"..."\u{2069}").contains(scalar)
        default: false
        }
    }
}

/// A filter for a guest's console on a terminal: text, line breaks, tabs and colours pass, all other control is dropped.
///
/// It keeps state, because an escape sequence may be cut by the end of a chunk.
struct ConsoleFilter {
    private enum State {
        case text
        case escape
        case sequence(String)
        /// Inside a string command such as a window title, until its end.
        case string(sawEscape: Bool)
    }

    private var state = State.text

    mutating func pass(_ chunk: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in chunk.unicodeScalars {
            step(scalar, into: &result)
        }
        return String(result)
    }

    private mutating func step(_ scalar: Unicode.Scalar, into result: inout String.UnicodeScalarView) {
        switch state {
        case .text:
            switch scalar {
            case "\u{1B}": state = .escape
            case "\n", "\t", "\r": result.append(scalar)
            default:
                if scalar.properties.generalCategory != .control { result.append(scalar) }
            }
        case .escape:
            switch scalar {
            case "[": state = .sequence("")
            case "]", "P", "X", "^", "_": state = .string(sawEscape: false)
            default: state = .text
            }
        case .sequence(let parameters):
            switch scalar {
            case "0"..."9", ";", ":":
                // No colour needs more; a guest must not make this grow for ever.
                guard parameters.utf8.count < 64 else { return }
                state = .sequence(parameters + String(Character(scalar)))
            case "m":
                result.append(contentsOf: "\u{1B}[\(parameters)m".unicodeScalars)
                state = .text
            case "\u{20}"..."\u{3F}": state = .sequence(parameters)
            default: state = .text
            }
        case .string(let sawEscape):
            if scalar == "\u{07}" || (sawEscape && scalar == "\\") {
                state = .text
            } else {
                state = .string(sawEscape: scalar == "\u{1B}")
            }
        }
    }
}
