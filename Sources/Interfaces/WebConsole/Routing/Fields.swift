import Foundation

/// What a form or a query says: names with any number of values, in the order they came.
struct Fields: Sendable {
    private let values: [(name: String, value: String)]

    init(_ values: [(name: String, value: String)]) {
        self.values = values
    }

    /// Reads `application/x-www-form-urlencoded`; what is not valid UTF-8 is replaced.
    init(urlEncoded text: some StringProtocol) {
        values = text.split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (Self.decode(parts[0]), parts.count > 1 ? Self.decode(parts[1]) : "")
        }
    }

    static let none = Fields(urlEncoded: "")

    /// The first value, without white space around it; nil when it is missing or empty.
    subscript(name: String) -> String? {
        guard let value = exact(name)?.trimmingCharacters(in: .whitespacesAndNewlines) else { return nil }
        return value.isEmpty ? nil : value
    }

    /// The first value as it came.
    func exact(_ name: String) -> String? {
        values.first { $0.name == name }?.value
    }

    func all(_ name: String) -> [String] {
        values.filter { $0.name == name && !$0.value.isEmpty }.map(\.value)
    }

    /// Whether a box was ticked.
    func isOn(_ name: String) -> Bool {
        self[name] != nil
    }

    private static func decode(_ text: some StringProtocol) -> String {
        var bytes: [UInt8] = []
        var rest = Substring(text)
        while let character = rest.utf8.first {
            let escaped = rest.utf8.dropFirst().prefix(2)
            if character == UInt8(ascii: "%"), escaped.count == 2,
                let byte = UInt8(String(Substring(escaped)), radix: 16)
            {
                bytes.append(byte)
                rest = Substring(rest.utf8.dropFirst(3))
            } else {
                bytes.append(character == UInt8(ascii: "+") ? UInt8(ascii: " ") : character)
                rest = Substring(rest.utf8.dropFirst())
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension String {
    /// The text as a value in a query or a form.
    var urlEncoded: String {
        utf8.map { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                String(Unicode.Scalar(byte))
            default:
                "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }.joined()
    }
}
