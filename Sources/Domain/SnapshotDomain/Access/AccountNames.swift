/// The name that somebody signs in with: lower-case letters, digits, `.`, `_`, `-`, `@` and `+`, 1 to 64 characters.
///
/// So narrow that no two names look alike, and wide enough for an e-mail address.
package struct UserName: Hashable, Sendable, CustomStringConvertible {
    package let description: String

    /// Parses a name.
    ///
    /// - Throws: ``ServiceError`` with code `invalidInput`.
    package init(_ text: String) throws(ServiceError) {
        let isAllowed = text.unicodeScalars.allSatisfy { scalar in
            ("a"..."z").contains(scalar) || ("0"..."9").contains(scalar) || "._-@+".unicodeScalars.contains(scalar)
        }
        guard isAllowed, (1...64).contains(text.utf8.count) else {
            throw ServiceError(
                .invalidInput,
                "A user's name has 1 to 64 lower-case letters, digits, '.', '_', '-', '@' and '+'.",
                subject: .field("name")
            )
        }
        description = text
    }
}

/// A password that may be set: long rather than intricate.
///
/// Printing it shows nothing of it, so that it gets into no log.
package struct NewPassword: Sendable, CustomStringConvertible {
    package static let shortest = 12
    /// Hashing takes the same time for any length; this bounds the reading.
    private static let mostBytes = 1_024

    package let text: String

    /// Parses a password.
    ///
    /// - Throws: ``ServiceError`` with code `invalidInput`.
    package init(_ text: String) throws(ServiceError) {
        guard text.count >= Self.shortest else {
            throw ServiceError(
                .invalidInput,
                "The password has fewer than \(Self.shortest) characters; a few words in a row make a good one.",
                subject: .field("password")
            )
        }
        guard text.utf8.count <= Self.mostBytes else {
            throw ServiceError(
                .invalidInput,
                "The password takes more than \(Self.mostBytes) bytes; choose a shorter one.",
                subject: .field("password")
            )
        }
        self.text = text
    }

    package var description: String { "a password" }
}
