package import SnapshotDomain

/// A field of a request that is read generously: a number may come as a string, a flag as a number, and what is empty
/// (`null`, `""`, `{}`) counts as not given.
///
/// Clients in typed languages send such forms. What cannot be meant is an error that names the field.
@propertyWrapper
package struct Lenient<Value: LenientValue>: Decodable, Sendable {
    package var wrappedValue: Value?

    package init(wrappedValue: Value?) {
        self.wrappedValue = wrappedValue
    }

    package init(from decoder: any Decoder) throws {
        guard let scalar = try JSONScalar(from: decoder) else {
            wrappedValue = nil
            return
        }
        guard let value = Value(scalar) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "must be \(Value.expectation)")
            )
        }
        wrappedValue = value
    }
}

extension KeyedDecodingContainer {
    /// Lets the synthesised decoding of a payload take a missing field for one that is not given.
    package func decode<Value>(_ type: Lenient<Value>.Type, forKey key: Key) throws -> Lenient<Value> {
        try decodeIfPresent(type, forKey: key) ?? Lenient(wrappedValue: nil)
    }
}

/// A value that can be read from any JSON scalar that can mean it.
package protocol LenientValue: Sendable {
    /// What the field must be, to end the sentence "The field 'x' must be …".
    static var expectation: String { get }

    init?(_ scalar: JSONScalar)
}

/// A JSON value without parts.
package enum JSONScalar: Hashable, Sendable {
    case text(String)
    case integer(Int64)
    case real(Double)
    case truth(Bool)

    /// Nil for `null`, an empty string and an empty object.
    fileprivate init?(from decoder: any Decoder) throws {
        if let object = try? decoder.container(keyedBy: AnyKey.self) {
            guard object.allKeys.isEmpty else {
                throw DecodingError.dataCorrupted(
                    .init(codingPath: decoder.codingPath, debugDescription: "must be a single value, not an object")
                )
            }
            return nil
        }
        let container = try decoder.singleValueContainer()
        if container.decodeNil() { return nil }
        if let text = try? container.decode(String.self) {
            guard !text.isEmpty else { return nil }
            self = .text(text)
        } else if let truth = try? container.decode(Bool.self) {
            self = .truth(truth)
        } else if let integer = try? container.decode(Int64.self) {
            self = .integer(integer)
        } else {
            self = .real(try container.decode(Double.self))
        }
    }

    private struct AnyKey: CodingKey {
        let stringValue: String
        let intValue: Int?

        init?(stringValue: String) {
            self.stringValue = stringValue
            intValue = nil
        }

        init?(intValue: Int) {
            stringValue = "\(intValue)"
            self.intValue = intValue
        }
    }
}

extension String: LenientValue {
    package static var expectation: String { "a text" }

    package init?(_ scalar: JSONScalar) {
        switch scalar {
        case .text(let text): self = text
        case .integer(let integer): self = "\(integer)"
        case .real(let real): self = "\(real)"
        case .truth(let truth): self = "\(truth)"
        }
    }
}

extension Int: LenientValue {
    package static var expectation: String { "a whole number" }

    package init?(_ scalar: JSONScalar) {
        switch scalar {
        case .text(let text):
            guard let value = Int(text) else { return nil }
            self = value
        case .integer(let integer):
            self = Int(integer)
        case .real(let real):
            guard let value = Int(exactly: real) else { return nil }
            self = value
        case .truth:
            return nil
        }
    }
}

extension Bool: LenientValue {
    package static var expectation: String { "true or false" }

    package init?(_ scalar: JSONScalar) {
        switch scalar {
        case .truth(let truth):
            self = truth
        case .integer(let integer):
            guard let value = [0: false, 1: true][integer] else { return nil }
            self = value
        case .text(let text):
            switch text.lowercased() {
            case "true", "1": self = true
            case "false", "0": self = false
            default: return nil
            }
        case .real:
            return nil
        }
    }
}

extension Identifier: LenientValue {
    package static var expectation: String { "the id of a resource: a UUID" }

    package init?(_ scalar: JSONScalar) {
        guard case .text(let text) = scalar else { return nil }
        self.init(text)
    }
}
