import Foundation

/// The one catalogue of what the console says, in every language.
///
/// A file of messages has blocks, with one line for each language or, where the text depends on a number, two:
///
/// ```
/// [snapshots.selected]
/// es.one: {count} seleccionada
/// es.other: {count} seleccionadas
/// ```
///
/// Names in braces stand for values. `scripts/check-messages` finds what is missing, unused or of another shape in another
/// language, so that nothing has to be said here about broken catalogues.
struct Messages: Sendable {
    enum Entry: Hashable, Sendable {
        case plain(String)
        case counted(one: String, other: String)
    }

    private let entries: [Language: [String: Entry]]

    static let all = Messages(ConsoleFile.all(in: "messages").map(\.text))

    init(_ files: [String]) {
        var entries: [Language: [String: Entry]] = [:]
        for file in files {
            var key = ""
            for line in file.split(separator: "\n") where !line.hasPrefix("#") {
                if line.hasPrefix("[") {
                    key = String(line.dropFirst().prefix { $0 != "]" })
                } else if let colon = line.firstIndex(of: ":") {
                    Self.add(line[..<colon], line[line.index(after: colon)...], to: &entries, at: key)
                }
            }
        }
        self.entries = entries
    }

    private static func add(
        _ place: Substring,
        _ text: Substring,
        to entries: inout [Language: [String: Entry]],
        at key: String
    ) {
        let parts = place.split(separator: ".")
        guard let tag = parts.first, let language = Language(rawValue: String(tag)) else { return }
        let text = text.trimmingCharacters(in: .whitespaces)
        switch (parts.dropFirst().first, entries[language]?[key]) {
        case (nil, _): entries[language, default: [:]][key] = .plain(text)
        case ("one", .counted(_, let other)): entries[language, default: [:]][key] = .counted(one: text, other: other)
        case ("one", _): entries[language, default: [:]][key] = .counted(one: text, other: text)
        case (_, .counted(let one, _)): entries[language, default: [:]][key] = .counted(one: one, other: text)
        default: entries[language, default: [:]][key] = .counted(one: text, other: text)
        }
    }

    func entry(_ key: String, in language: Language) -> Entry? {
        entries[language]?[key]
    }

    func keys(in language: Language) -> Set<String> {
        Set(entries[language, default: [:]].keys)
    }
}
