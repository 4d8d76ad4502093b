import Foundation
import Platform
import SnapshotDomain
import SnapshotPorts

/// How the first user gets in: made once, kept in a file that only the service's user can read.
struct Credentials: Codable, Equatable {
    var url: String
    var user: String
    var password: String
    var mcApiKey: String
    var cloudstackApiKey: String
    var cloudstackSecretKey: String
    var service: String
    var environment: String
}

/// Makes the first user, their keys and the first environment: once.
///
/// Afterwards the user is one like others, who may change the password and delete the keys; the file then says what they
/// were. Whoever is locked out moves the file away and starts the service again: the user gets a new password and new keys.
///
/// New secrets are first written beside the file, then recorded, then put into its place: dying in between leaves secrets that
/// the next start takes up. Recorded first, they would be keys that nobody knows; put in place first, there would be no
/// telling later whether they were ever recorded.
struct FirstUser {
    let directory: DataDirectory
    let catalog: any Catalog
    let secrets: any Secrets
    let pool: BlockingPool

    private var pending: String { directory.credentials + ".new" }

    /// Returns the credentials as they are, made now or before, with the service's present address.
    func ensure(url: String, service: String, environment: String) async throws -> Credentials {
        var credentials: Credentials
        if let known = try await read(directory.credentials) {
            credentials = known
            // A new catalog beside an old file knows nobody yet.
            if try await catalog.read({ try $0.listUsers().isEmpty }) { try await record(known) }
        } else {
            credentials =
                try await read(pending) ?? fresh(url: url, service: service, environment: environment)
            try await write(credentials, to: pending)
            try await record(credentials)
        }
        credentials.url = url
        credentials.service = service
        try await write(credentials, to: directory.credentials)
        try await remove(pending)
        return credentials
    }

    /// Puts the address at which the service really listens into the file.
    func note(url: String) async throws {
        guard var credentials = try await read(directory.credentials), credentials.url != url else { return }
        credentials.url = url
        try await write(credentials, to: directory.credentials)
    }

    /// Whether the user still has the password of the file.
    func hasPassword(_ credentials: Credentials) async throws -> Bool {
        let verifier = try await catalog.read { reader in
            try reader.findUser(named: credentials.user).flatMap { try reader.passwordVerifier(of: $0.id) }
        }
        guard let verifier else { return false }
        return try await secrets.verify(credentials.password, against: verifier)
    }

    private func fresh(url: String, service: String, environment: String) -> Credentials {
        Credentials(
            url: url,
            user: "admin",
            password: String(secrets.makeKey().prefix(20)),
            mcApiKey: secrets.makeKey(),
            cloudstackApiKey: secrets.makeKey(),
            cloudstackSecretKey: secrets.makeKey(),
            service: service,
            environment: environment
        )
    }

    private func read(_ path: String) async throws -> Credentials? {
        try await pool.run {
            guard FileManager.default.fileExists(atPath: path) else { return nil }
            do {
                return try JSONDecoder().decode(Credentials.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
            } catch {
                throw SetupFault("\(path) is damaged; restore it, or move it away to get new keys for the first user.")
            }
        }
    }

    private func write(_ credentials: Credentials, to path: String) async throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let data = try encoder.encode(credentials) + Data("\n".utf8)
        try await pool.run {
            if (try? Data(contentsOf: URL(fileURLWithPath: path))) == data { return }
            try DurableFile.replace(path, with: data, mode: 0o600)
        }
    }

    private func remove(_ path: String) async throws {
        try await pool.run {
            guard FileManager.default.fileExists(atPath: path) else { return }
            try FileManager.default.removeItem(atPath: path)
        }
    }

    private func record(_ credentials: Credentials) async throws {
        let now = Date()
        let (restDigest, queryDigest) = (
            secrets.digest(of: credentials.mcApiKey), secrets.digest(of: credentials.cloudstackApiKey)
        )
        let isKnown = try await catalog.read { try $0.findKey(digest: restDigest) != nil }
        guard !isKnown else { return }
        let verifier = try await secrets.makeVerifier(for: credentials.password)
        let environmentName = try EnvironmentName(credentials.environment)
        try await catalog.write { writer in
            let environment: Environment
            if let known = try writer.findEnvironment(named: environmentName) {
                environment = known
            } else {
                environment = Environment(id: .random(), name: environmentName, description: "", createdAt: now)
                try writer.insert(environment)
            }
            let user: User
            if let known = try writer.findUser(named: credentials.user) {
                user = known
                try writer.setPasswordVerifier(verifier, of: known.id)
                try writer.deleteSessions(of: known.id)
                try writer.update(known.asOperator())
                for key in try writer.keys(of: known.id) { try writer.deleteKey(digest: key.digest) }
            } else {
                user = User(id: .random(), name: credentials.user, isOperator: true, createdAt: now)
                try writer.insert(user, passwordVerifier: verifier)
            }
            try writer.insert(
                StoredKey(
                    digest: restDigest,
                    kind: .rest,
                    user: user.id,
                    environment: nil,
                    secret: nil,
                    label: "credentials.json",
                    hint: String(credentials.mcApiKey.suffix(4)),
                    createdAt: now
                )
            )
            try writer.insert(
                StoredKey(
                    digest: queryDigest,
                    kind: .query,
                    user: user.id,
                    environment: environment.id,
                    secret: credentials.cloudstackSecretKey,
                    text: credentials.cloudstackApiKey,
                    label: "credentials.json",
                    hint: String(credentials.cloudstackApiKey.suffix(4)),
                    createdAt: now
                )
            )
            try writer.setRole(.owner, of: user.id, in: environment.id)
        }
    }
}

extension User {
    /// One who can get in and let others in: what the first user is, whatever became of them.
    fileprivate func asOperator() -> User {
        var user = self
        (user.isOperator, user.isDisabled) = (true, false)
        return user
    }
}
