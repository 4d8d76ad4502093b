package import Foundation
package import SnapshotDomain
package import SnapshotPorts

/// People who come with a name and a password, and stay signed in for a while.
///
/// A session is a random token that the browser keeps; the catalog has only its digest. It ends by itself, by signing out,
/// or when its user is deleted or gets another password.
package struct Accounts: Sendable {
    /// A session that was just opened.
    package struct Opened: Sendable {
        /// For the browser, and for nobody else.
        package var token: String
        package var expiresAt: Date
    }

    /// Why somebody was not let in.
    package enum Refusal: Error, Hashable, Sendable {
        /// Wrong name or wrong password: which of them is not said.
        case unknown
        case tooManyAttempts(retryAfter: Duration)
        /// The catalog did not answer.
        case failed(ServiceError)
    }

    /// How long a session lasts.
    package static let lifetime = Duration.seconds(7 * 86_400)

    let world: World
    let secrets: any Secrets
    let throttle: SignInThrottle

    package init(world: World, secrets: any Secrets) {
        self.world = world
        self.secrets = secrets
        throttle = SignInThrottle(time: world.time)
    }

    /// Opens a session.
    ///
    /// Takes as long for a name that nobody has as for a wrong password.
    package func signIn(name: String, password: String, address: String?) async throws(Refusal) -> Opened {
        let attempt = SignInThrottle.Attempt(name: name, address: address)
        if let wait = throttle.wait(before: attempt) { throw .tooManyAttempts(retryAfter: wait) }
        do {
            let user = try await world.catalog.read { reader in
                try reader.findUser(named: name).map { ($0, try reader.passwordVerifier(of: $0.id)) }
            }
            let isRight = try await secrets.verify(password, against: user?.1 ?? Self.nobodysVerifier)
            guard let user = user?.0, isRight else {
                throttle.note(failureOf: attempt)
                throw Refusal.unknown
            }
            throttle.note(successOf: attempt)
            return try await open(for: user, from: address)
        } catch let refusal as Refusal {
            throw refusal
        } catch {
            throw .failed(ServiceError(reporting: error))
        }
    }

    /// The user of a session that has not ended, with the roles of this moment.
    package func principal(token: String, address: String?) async throws(ServiceError) -> Principal? {
        let digest = secrets.digest(of: token)
        let now = world.time.now
        do {
            return try await world.catalog.read { reader in
                guard let session = try reader.findSession(digest: digest), session.expiresAt > now,
                    let user = try reader.findUser(session.user)
                else { return nil }
                return Principal(user: user, roles: try reader.roles(of: user.id), address: address)
            }
        } catch {
            throw ServiceError(reporting: error)
        }
    }

    /// Ends a session; one that has ended already is no error.
    package func signOut(token: String) async throws(ServiceError) {
        let digest = secrets.digest(of: token)
        do {
            try await world.catalog.write { try $0.deleteSession(digest: digest) }
        } catch {
            throw ServiceError(reporting: error)
        }
    }

    /// What the forms of a session's pages carry, so that no other site's page can send them.
    ///
    /// Known to whoever knows the token, and to nobody else.
    package func formToken(of token: String) -> String {
        secrets.digest(of: "form:" + token).base64EncodedString()
    }

    private func open(for user: User, from address: String?) async throws -> Opened {
        let token = secrets.makeKey()
        let now = world.time.now
        let session = StoredSession(
            digest: secrets.digest(of: token),
            user: user.id,
            createdAt: now,
            expiresAt: now.addingTimeInterval(TimeInterval(Self.lifetime.components.seconds))
        )
        try await world.catalog.write { writer in
            try writer.deleteSessions(expiredAt: now)
            try writer.insert(session)
            try writer.append(
                ActivityEntry(
                    environment: nil,
                    actor: Actor(user: user.id, name: user.name, address: address),
                    event: "users.signIn",
                    subjectKind: "users",
                    subjectID: user.id.description,
                    subjectName: user.name,
                    job: nil,
                    status: .succeeded,
                    createdAt: now
                )
            )
        }
        return Opened(token: token, expiresAt: session.expiresAt)
    }

    /// Fits no password, and takes as long to find that out: of the same form and cost as a real one.
    private static let nobodysVerifier = "scrypt$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
}
