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

/// Makes the first user, their keys and the first environment.
///
/// The file comes first and the rows second: dying in between leaves a file whose secrets the next start puts into the
/// catalog. The other way round would leave keys that nobody knows.
struct FirstUser {
    let directory: DataDirectory
    let catalog: any Catalog
    let secrets: any Secrets
    let pool: BlockingPool

    /// Returns the credentials as they are, made now or before, with the service's present address.
    func ensure(url: String, service: String, environment: String) async throws -> Credentials {
        var credentials = try await read() ?? fresh(url: url, service: service, environment: environment)
        credentials.url = url
        credentials.service = service
        try await write(credentials)
        try await record(credentials)
        return credentials
    }

    /// Puts the address at which the service really listens into the file.
    func note(url: String) async throws {
        guard var credentials = try await read(), credentials.url != url else { return }
        credentials.url = url
        try await write(credentials)
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

    private func read() async throws -> Credentials? {
        let path = directory.credentials
        return try await pool.run {
            guard FileManager.default.fileExists(atPath: path) else { return nil }
            do {
                return try JSONDecoder().decode(Credentials.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
            } catch {
                throw SetupFault("\(path) is damaged; restore it, or move it away to get new keys for the first user.")
            }
        }
    }

    private func write(_ credentials: Credentials) async throws {
        let path = directory.credentials
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let data = try encoder.encode(credentials) + Data("\n".utf8)
        try await pool.run {
            if (try? Data(contentsOf: URL(fileURLWithPath: path))) == data { return }
            try DurableFile.replace(path, with: data, mode: 0o600)
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
                for key in try writer.keys(of: known.id) { try writer.deleteKey(digest: key.digest) }
            } else {
                user = User(id: .random(), name: credentials.user, isOperator: true, createdAt: now)
                try writer.insert(user, passwordVerifier: verifier)
            }
            try writer.insert(
                StoredKey(digest: restDigest, kind: .rest, user: user.id, environment: nil, secret: nil, createdAt: now)
            )
            try writer.insert(
                StoredKey(
                    digest: queryDigest,
                    kind: .query,
                    user: user.id,
                    environment: environment.id,
                    secret: credentials.cloudstackSecretKey,
                    createdAt: now
                )
            )
            try writer.setRole(.owner, of: user.id, in: environment.id)
        }
    }
}
