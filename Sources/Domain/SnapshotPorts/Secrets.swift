package import Foundation

/// The few cryptographic acts that the services need, so that they need no library for them.
package protocol Secrets: Sendable {
    /// A new key or secret with at least 256 random bits, in letters, digits, `-` and `_`.
    func makeKey() -> String

    /// What is stored of a key, and looked up by: SHA-256.
    func digest(of key: String) -> Data

    /// The stored form of a password. Takes a good part of a second and some memory, on purpose, off the caller's thread.
    func makeVerifier(for password: String) async throws -> String

    /// Whether a password fits a stored form. Costs the same whether it does or not.
    func verify(_ password: String, against verifier: String) async throws -> Bool
}
