import Foundation

/// The form of an object on the wire: its fields, how each is made from a source, and what it means.
struct Shape<Source>: Sendable {
    let name: String
    let fields: [Field<Source>]

    init(_ name: String, _ fields: [Field<Source>]) {
        self.name = name
        self.fields = fields
    }

    func json(_ source: Source) -> JSON {
        var object: [String: JSON] = [:]
        for field in fields { object[field.name] = field.value(source) }
        return .object(object)
    }
}

/// A field of an object; left out where it has no value.
///
/// Its type is fixed by how it is declared: clients refuse a whole answer over a number that came as a string.
struct Field<Source>: Sendable {
    enum Kind: String, Sendable {
        case string
        case integer = "long"
        case boolean
        case date
        case list
        case map
    }

    let name: String
    let kind: Kind
    let summary: String
    let value: @Sendable (Source) -> JSON?

    static func text(_ name: String, _ summary: String, _ value: @escaping @Sendable (Source) -> String?) -> Field {
        Field(name: name, kind: .string, summary: summary) { value($0).map { .text($0) } }
    }

    static func integer(_ name: String, _ summary: String, _ value: @escaping @Sendable (Source) -> Int64?) -> Field {
        Field(name: name, kind: .integer, summary: summary) { value($0).map { .integer($0) } }
    }

    static func flag(_ name: String, _ summary: String, _ value: @escaping @Sendable (Source) -> Bool?) -> Field {
        Field(name: name, kind: .boolean, summary: summary) { value($0).map { .flag($0) } }
    }

    static func instant(_ name: String, _ summary: String, _ value: @escaping @Sendable (Source) -> Date?) -> Field {
        Field(name: name, kind: .date, summary: summary) { value($0).map { .text(WireDate.text($0)) } }
    }

    static func list(_ name: String, _ summary: String, _ value: @escaping @Sendable (Source) -> [JSON]?) -> Field {
        Field(name: name, kind: .list, summary: summary) { value($0).map { .list($0) } }
    }

    static func map(_ name: String, _ summary: String, _ value: @escaping @Sendable (Source) -> [String: JSON]?)
        -> Field
    {
        Field(name: name, kind: .map, summary: summary) { value($0).map { .object($0) } }
    }

    /// One that is the same in every object.
    static func always(_ name: String, _ summary: String, _ text: String) -> Field {
        Self.text(name, summary) { _ in text }
    }

    static func always(_ name: String, _ summary: String, _ flag: Bool) -> Field {
        Self.flag(name, summary) { _ in flag }
    }
}
