import Foundation
import SnapshotDomain

/// A parameter of a command: what `listApis` and the documentation say of it, and what every value is checked against.
struct Parameter: Sendable {
    enum Kind: Hashable, Sendable {
        case text
        case integer
        case flag
        case date
        /// One of some words, in any letter case.
        case word([String])
        case id(Entity)
        case ids(Entity)
        /// A comma list.
        case list
        /// `name[0].key=…`
        case map

        /// The protocol's own name for the kind.
        var word: String {
            switch self {
            case .text, .word: "string"
            case .integer: "integer"
            case .flag: "boolean"
            case .date: "date"
            case .id: "uuid"
            case .ids, .list: "list"
            case .map: "map"
            }
        }
    }

    let name: String
    let kind: Kind
    let summary: String
    var isRequired = false
    /// The command acts in the environment of what it names, unless the caller says another.
    var decidesPlace = false

    init(_ name: String, _ kind: Kind, _ summary: String) {
        self.name = name
        self.kind = kind
        self.summary = summary
    }

    var required: Parameter {
        var copy = self
        copy.isRequired = true
        return copy
    }

    /// What the command is about.
    var placing: Parameter {
        var copy = self
        copy.decidesPlace = true
        return copy
    }
}

extension Parameter {
    // What many commands take.

    static let keyword = Parameter("keyword", .text, "A part of the name, in any letter case.")
    static let name = Parameter("name", .text, "The exact name.")
    static let page = Parameter("page", .integer, "Which page, from 1; needs pagesize.")
    static let pageSize = Parameter("pagesize", .integer, "Rows on a page, at most 500; -1 for all without page.")
    static let project = Parameter(
        "projectid",
        .text,
        "The environment, by its id or name; -1 for every one that the caller sees, in lists."
    )
    static let tags = Parameter("tags", .map, "Only what has one of these tags: tags[0].key=…&tags[0].value=….")
    static let zone = Parameter("zoneid", .id(.zone), "The zone; there is one.")

    static let paging = [page, pageSize]
}

/// What an id can identify.
enum Entity: Hashable, Sendable {
    case volume
    case snapshot
    case template
    case instance
    case instanceSnapshot
    case job
    case zone
    case computeOffering
    case diskOffering
    case osType
}
