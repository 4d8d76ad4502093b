/// A language that people are spoken to in.
enum Language: String, Sendable, CaseIterable {
    case english = "en"
    case spanish = "es"
    case french = "fr"

    /// The language of the first variable that is set, in the order that the C library asks them; English for all others.
    init(variables: [String: String]) {
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].lazy
            .compactMap { variables[$0] }
            .first { !$0.isEmpty }
        let code = locale?.prefix { $0 != "_" && $0 != "." && $0 != "@" && $0 != "-" }.lowercased()
        self = code.flatMap(Self.init(rawValue:)) ?? .english
    }
}
