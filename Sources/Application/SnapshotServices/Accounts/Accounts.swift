package import Foundation
package import SnapshotDomain
package import SnapshotPorts

/// People: how they get in, what they may do where, and the keys of their programs.
///
/// They come with a name and a password, and stay signed in for a while. A session is a random token that the browser keeps; the catalog has only its digest. It ends by itself, by signing out,
/// or when its user is deleted, shut out or gets another password.
///
/// Changes authorise their caller as ``CloudService`` does, by the right that their documentation names, and are in the activity
/// log.
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
            guard let user = user?.0, isRight, !user.isDisabled else {
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
                    let user = try reader.findUser(session.user), !user.isDisabled
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
        let session = session(token, of: user.id)
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

    func session(_ token: String, of user: UserID) -> StoredSession {
        let now = world.time.now
        return StoredSession(
            digest: secrets.digest(of: token),
            user: user,
            createdAt: now,
            expiresAt: now.addingTimeInterval(TimeInterval(Self.lifetime.components.seconds))
        )
    }

    // MARK: What every change begins and ends with

    func read<Value: Sendable>(
        _ body: @escaping @Sendable (any CatalogReader) throws -> Value
    ) async throws(ServiceError) -> Value {
        do {
            return try await world.catalog.read(body)
        } catch {
            throw ServiceError(reporting: error)
        }
    }

    /// A change, with its line in the log.
    ///
    /// The body returns the subject beside its result: often only the transaction knows the name.
    func change<Value: Sendable>(
        _ event: String,
        in environment: EnvironmentID? = nil,
        _ call: CallContext,
        _ body: @escaping @Sendable (any CatalogWriter) throws -> (LogSubject, Value)
    ) async throws(ServiceError) -> Value {
        let now = world.time.now
        do {
            return try await world.catalog.write { writer in
                let (subject, value) = try body(writer)
                try writer.append(
                    ActivityEntry(
                        environment: environment,
                        actor: call.principal.actor,
                        event: event,
                        subjectKind: subject.kind,
                        subjectID: subject.id,
                        subjectName: subject.name,
                        job: nil,
                        status: .succeeded,
                        message: subject.message,
                        createdAt: now
                    )
                )
                return value
            }
        } catch {
            throw ServiceError(reporting: error)
        }
    }

    /// What the log says was changed.
    struct LogSubject {
        var kind: String
        var id: String
        var name: String
        var message: String?

        static func user(_ user: User, _ message: String? = nil) -> LogSubject {
            LogSubject(kind: "users", id: user.id.description, name: user.name, message: message)
        }
    }

    /// Fits no password, and takes as long to find that out: of the same form and cost as a real one.
    private static let nobodysVerifier = "scrypt$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
}
