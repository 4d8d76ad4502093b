import Foundation
import SnapshotDomain

/// The parameters of one request as they were sent: those of the query and those of a form.
///
/// Names are compared without regard to letter case, but kept as sent: signatures are made over them.
struct SentParameters: Sendable {
    struct Item: Hashable, Sendable {
        let name: String
        let value: String
    }

    let items: [Item]
    private let values: [String: String]

    /// Reads `application/x-www-form-urlencoded` generously: brackets may be escaped or not, a `+` is a space, and what is
    /// not valid UTF-8 is replaced.
    init(query: String, form: String = "") {
        self.init(items: Self.items(query) + Self.items(form))
    }

    init(items: [Item]) {
        self.items = items
        values = Dictionary(items.map { ($0.name.lowercased(), $0.value) }) { first, _ in first }
    }

    subscript(name: String) -> String? {
        values[name.lowercased()]
    }

    /// The names under which more than one value was sent.
    ///
    /// Which of them would count could be disputed, so nothing is done with such a request.
    var ambiguous: [String] {
        Dictionary(grouping: items) { $0.name.lowercased() }.filter { $1.count > 1 }.keys.sorted()
    }

    private static func items(_ text: String) -> [Item] {
        text.split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return Item(name: decode(parts[0]), value: parts.count > 1 ? decode(parts[1]) : "")
        }
    }

    private static func decode(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8
        while let byte = rest.first {
            let escaped = rest.dropFirst().prefix(2)
            if byte == UInt8(ascii: "%"), escaped.count == 2, let high = hex(escaped.first), let low = hex(escaped.last)
            {
                bytes.append(high << 4 | low)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
                rest = rest.dropFirst()
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func hex(_ byte: UInt8?) -> UInt8? {
        switch byte {
        case .some(let byte) where (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte): byte - UInt8(ascii: "0")
        case .some(let byte) where (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte): byte - UInt8(ascii: "a") + 10
        case .some(let byte) where (UInt8(ascii: "A")...UInt8(ascii: "F")).contains(byte): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

extension SentParameters {
    /// A list of maps, such as `tags[0].key=…&tags[0].value=…`: the entries in the order of their indexes.
    func entries(_ name: String) -> [[String: String]] {
        var entries: [Int: [String: String]] = [:]
        let prefix = name.lowercased() + "["
        for item in items where item.name.lowercased().hasPrefix(prefix) {
            let rest = item.name.dropFirst(prefix.count)
            guard let end = rest.firstIndex(of: "]"), let index = Int(rest[..<end]) else { continue }
            let field = rest[rest.index(after: end)...]
            guard field.first == "." else { continue }
            entries[index, default: [:]][String(field.dropFirst())] = item.value
        }
        return entries.sorted { $0.key < $1.key }.map(\.value)
    }
}
