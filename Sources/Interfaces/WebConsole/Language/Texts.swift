import Foundation
import Mustache

/// What the console says in one language.
///
/// In Swift `texts("snapshots.title")`; in a page `{{t.snapshots.title}}`.
struct Texts: Sendable {
    let language: Language
    private let messages: Messages

    init(_ language: Language, _ messages: Messages = .all) {
        self.language = language
        self.messages = messages
    }

    /// A text, with values for its names in braces.
    ///
    /// A key that the catalogue does not have is shown itself.
    func callAsFunction(_ key: String, _ values: [String: String] = [:]) -> String {
        switch messages.entry(key, in: language) {
        case .plain(let text): Self.fill(text, values)
        case .counted(_, let other): Self.fill(other, values)
        case nil: "⟦\(key)⟧"
        }
    }

    /// A text that depends on a number, which is also its `{count}`.
    func count(_ key: String, _ count: Int, _ values: [String: String] = [:]) -> String {
        var values = values
        values["count"] = Formats(language).number(count)
        guard case .counted(let one, let other) = messages.entry(key, in: language) else { return self(key, values) }
        return Self.fill(isSingular(count) ? one : other, values)
    }

    /// By the rules of Unicode's CLDR: French speaks of nought in the singular.
    private func isSingular(_ count: Int) -> Bool {
        language == .french ? (0...1).contains(count) : count == 1
    }

    /// Values are put in once: what looks like a name in a value stays.
    private static func fill(_ text: String, _ values: [String: String]) -> String {
        guard text.contains("{") else { return text }
        var result = ""
        var rest = Substring(text)
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            result += rest[..<open]
            let name = String(rest[rest.index(after: open)..<close])
            result += values[name] ?? "{\(name)}"
            rest = rest[rest.index(after: close)...]
        }
        return result + rest
    }
}

/// A way into the catalogue for `{{t.some.key}}`, whose dots Mustache takes as steps.
struct TextPath: MustacheParent {
    let texts: Texts
    let prefix: String

    init(_ texts: Texts, prefix: String = "") {
        self.texts = texts
        self.prefix = prefix
    }

    func child(named name: String) -> Any? {
        let key = prefix.isEmpty ? name : "\(prefix).\(name)"
        return texts.has(key) ? texts(key) : TextPath(texts, prefix: key)
    }
}

extension Texts {
    func has(_ key: String) -> Bool {
        messages.entry(key, in: language) != nil
    }
}
