import Crypto
import CryptoExtras
import Foundation
import Platform
import SnapshotPorts

/// Keys from the system's random source, SHA-256 digests, and passwords by scrypt.
struct SystemSecrets: Secrets {
    /// N = 2^15, r = 8, p = 1: 32 MiB and about a tenth of a second, as OWASP's cheat sheet has it for interactive use.
    private static let rounds = 1 << 15
    private static let blockSize = 8
    private static let parallelism = 1
    private static let length = 32

    /// One at a time: a flood of sign-ins must not take the machine's memory.
    private let pool = BlockingPool(name: "passwords", width: 1)

    func makeKey() -> String {
        Self.base64URL(SymmetricKey(size: .bits256).withUnsafeBytes { Data($0) })
    }

    func digest(of key: String) -> Data {
        Data(SHA256.hash(data: Data(key.utf8)))
    }

    func makeVerifier(for password: String) async throws -> String {
        let salt = SymmetricKey(size: .bits128).withUnsafeBytes { Data($0) }
        let hash = try await derive(password, salt)
        return ["scrypt", Self.base64URL(salt), Self.base64URL(hash)].joined(separator: "$")
    }

    func verify(_ password: String, against verifier: String) async throws -> Bool {
        let parts = verifier.split(separator: "$", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, parts[0] == "scrypt", let salt = Self.data(base64URL: parts[1]),
            let expected = Self.data(base64URL: parts[2])
        else { return false }
        let hash = try await derive(password, salt)
        // The comparison of keys takes the same time whatever differs.
        return SymmetricKey(data: hash) == SymmetricKey(data: expected)
    }

    private func derive(_ password: String, _ salt: Data) async throws -> Data {
        try await pool.run {
            try KDF.Scrypt.deriveKey(
                from: Data(password.utf8),
                salt: salt,
                outputByteCount: Self.length,
                rounds: Self.rounds,
                blockSize: Self.blockSize,
                parallelism: Self.parallelism
            ).withUnsafeBytes { Data($0) }
        }
    }

    private static func base64URL(_ data: Data) -> String {
        data.base64EncodedString()
            .replacingOccurrences(of: "+", with: "-")
            .replacingOccurrences(of: "/", with: "_")
            .replacingOccurrences(of: "=", with: "")
    }

    private static func data(base64URL text: String) -> Data? {
        let standard = text.replacingOccurrences(of: "-", with: "+").replacingOccurrences(of: "_", with: "/")
        return Data(base64Encoded: standard + String(repeating: "=", count: (4 - standard.count % 4) % 4))
    }
}
