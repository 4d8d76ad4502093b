package import Foundation

/// A named space of resources in one service connection.
package struct Environment: Hashable, Sendable, Codable, Identifiable {
    package let id: EnvironmentID
    package var name: EnvironmentName
    package var description: String
    package var createdAt: Date

    package init(id: EnvironmentID, name: EnvironmentName, description: String, createdAt: Date) {
        self.id = id
        self.name = name
        self.description = description
        self.createdAt = createdAt
    }
}

/// One place on this machine or beyond it that keeps layers.
package struct PoolID: Hashable, Sendable, Codable, CustomStringConvertible {
    package let description: String

    /// Reads a pool's name: it is a folder name too, so only lower-case letters, digits and `-`, 1 to 32 of them.
    package init?(_ text: String) {
        let isAllowed = text.unicodeScalars.allSatisfy { scalar in
            ("a"..."z").contains(scalar) || ("0"..."9").contains(scalar) || scalar == "-"
        }
        guard isAllowed, (1...32).contains(text.utf8.count) else { return nil }
        description = text
    }

    private init(known: String) {
        description = known
    }

    /// The pool that every data folder has.
    package static let local = PoolID(known: "local")

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let pool = Self(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a pool name")
        }
        self = pool
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
