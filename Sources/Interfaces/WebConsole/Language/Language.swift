import Foundation

/// The languages of the console.
///
/// The raw value is the tag that browsers send and pages carry.
enum Language: String, Sendable, CaseIterable {
    case spanish = "es"
    case english = "en"
    case french = "fr"

    /// What its speakers call it.
    var ownName: String {
        switch self {
        case .spanish: "Español"
        case .english: "English"
        case .french: "Français"
        }
    }

    /// The first of ours that somebody asks for in `Accept-Language` (RFC 9110, section 12.5.4), else English.
    static func preferred(acceptLanguage header: String?) -> Language {
        let wishes = (header ?? "").split(separator: ",").compactMap { part -> (tag: Substring, weight: Double)? in
            let pieces = part.split(separator: ";").map { $0.trimmingPrefix(while: \.isWhitespace) }
            guard let tag = pieces.first?.split(separator: "-").first else { return nil }
            let weight = pieces.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) }
            return (tag, weight ?? 1)
        }
        // `max` would take the last of equals.
        let best = wishes.enumerated().sorted { ($1.element.weight, $0.offset) < ($0.element.weight, $1.offset) }
        return best.lazy
            .filter { $0.element.weight > 0 }
            .compactMap { Language(rawValue: $0.element.tag.trimmingCharacters(in: .whitespaces).lowercased()) }
            .first ?? .english
    }
}
