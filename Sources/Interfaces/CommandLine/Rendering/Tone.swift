/// What a word means at a glance.
///
/// Colour only repeats what the word says.
enum Tone: Sendable, Hashable {
    case plain
    case good
    case working
    case bad
    case faint

    /// The text in the tone's colour.
    func paint(_ text: String, usesColour: Bool) -> String {
        guard usesColour, let code else { return text }
        return "\u{1B}[\(code)m\(text)\u{1B}[0m"
    }

    private var code: String? {
        switch self {
        case .plain: nil
        case .good: "32"
        case .working: "33"
        case .bad: "31"
        case .faint: "2"
        }
    }
}
