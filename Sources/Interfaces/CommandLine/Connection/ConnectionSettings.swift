import Foundation

/// Where the service is and how to enter.
struct ConnectionSettings: Sendable {
    var url: URL
    /// Sent as `MC-Api-Key` and shown nowhere.
    var key: APIKey
    /// The service connection's code; nil when the service shall say which one it has.
    var service: String?
    /// Name or identity; nil when the caller may see only one anyway.
    var environment: String?
}

/// What the command line says about the connection.
///
/// Nil where it says nothing.
struct ConnectionChoice: Sendable, Hashable {
    var url: String?
    var profile: String?
    var credentials: String?
    var environment: String?
    var service: String?
}

/// A secret that does not print itself.
struct APIKey: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible {
    let value: String

    /// Refuses what cannot stand in a header: it would be cut, or would become a header of its own.
    init?(_ text: String) {
        let key = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard !key.isEmpty, key.unicodeScalars.allSatisfy({ ("!"..."~").contains($0) }) else { return nil }
        value = key
    }

    var description: String { "(secret)" }
    var debugDescription: String { "(secret)" }
}
