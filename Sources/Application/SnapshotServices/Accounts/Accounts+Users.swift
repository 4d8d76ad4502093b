package import SnapshotDomain
import SnapshotPorts

/// A user with the password that was made up for them.
package struct NewUser: Sendable {
    package var user: User
    /// Shown once: the catalog has only its verifier.
    package var password: String
}

/// A user and where they have business.
package struct UserView: Sendable {
    package var user: User
    /// By the environments' names.
    package var roles: [(environment: Environment, role: Role)]
}

extension Accounts {
    /// By name.
    ///
    /// For operators.
    package func listUsers(_ call: CallContext) async throws(ServiceError) -> [UserView] {
        try call.requireOperator()
        return try await read { reader in
            let environments = try reader.listEnvironments()
            return try reader.listUsers().map { try UserView($0, environments, reader) }
        }
    }

    /// For operators, and for themselves.
    package func user(_ id: UserID, _ call: CallContext) async throws(ServiceError) -> UserView {
        try call.requireSelfOrOperator(id)
        return try await read { try UserView(try $0.user(id), try $0.listEnvironments(), $0) }
    }

    /// Makes a user who has no business anywhere yet.
    ///
    /// For operators.
    ///
    /// - Parameters:
    ///   - name: What they sign in with.
    ///   - password: Nil for one that is made up.
    ///   - isOperator: Whether they own every environment and the service itself.
    ///   - call: Who asks.
    /// - Returns: The user with the password, this once.
    /// - Throws: Code `nameTaken` when somebody is called so.
    package func createUser(
        _ name: UserName,
        password: NewPassword? = nil,
        isOperator: Bool = false,
        _ call: CallContext
    ) async throws(ServiceError) -> NewUser {
        try call.requireOperator()
        let text = password?.text ?? makePassword()
        let verifier = try await makeVerifier(for: text)
        let user = User(id: .random(), name: name.description, isOperator: isOperator, createdAt: world.time.now)
        return try await change("users.create", call) { writer in
            guard user.name != Principal.service.user.name, try writer.findUser(named: user.name) == nil else {
                throw ServiceError(
                    .nameTaken,
                    "There is a user called '\(user.name)' already; choose another name.",
                    subject: .field("name")
                )
            }
            try writer.insert(user, passwordVerifier: verifier)
            return (.user(user), NewUser(user: user, password: text))
        }
    }

    /// Gives somebody another password, and signs them out everywhere.
    ///
    /// For operators.
    ///
    /// Returns the password, which is made up when none is given.
    package func setPassword(
        of id: UserID,
        to password: NewPassword? = nil,
        _ call: CallContext
    ) async throws(ServiceError) -> String {
        try call.requireOperator()
        let text = password?.text ?? makePassword()
        let verifier = try await makeVerifier(for: text)
        return try await change("users.setPassword", call) { writer in
            let user = try writer.user(id)
            try writer.setPasswordVerifier(verifier, of: id)
            try writer.deleteSessions(of: id)
            return (.user(user), text)
        }
    }

    /// Changes one's own password; every session ends, and a new one takes the place of the caller's.
    ///
    /// Counted with failed sign-ins, so that a session that was left open is no way to guess the password.
    ///
    /// - Parameters:
    ///   - current: The password as it is.
    ///   - new: What it becomes.
    ///   - call: Who asks.
    /// - Returns: The new session.
    /// - Throws: Code `notAllowed` when the present password is another one, `limitExceeded` after too many such attempts.
    package func changePassword(
        _ current: String,
        to new: NewPassword,
        _ call: CallContext
    ) async throws(ServiceError) -> Opened {
        let user = call.principal.user
        let attempt = SignInThrottle.Attempt(name: user.name, address: call.principal.address)
        if let wait = throttle.wait(before: attempt) {
            let seconds = wait.components.seconds + 1
            throw ServiceError(.limitExceeded, "Too many attempts; try again in \(seconds) s.")
        }
        guard try await isPassword(current, of: user.id) else {
            throttle.note(failureOf: attempt)
            throw ServiceError(.notAllowed, "This is not the present password.", subject: .field("current"))
        }
        throttle.note(successOf: attempt)
        let verifier = try await makeVerifier(for: new.text)
        let token = secrets.makeKey()
        let session = session(token, of: user.id)
        return try await change("users.changePassword", call) { writer in
            try writer.setPasswordVerifier(verifier, of: user.id)
            try writer.deleteSessions(of: user.id)
            try writer.insert(session)
            return (.user(user), Opened(token: token, expiresAt: session.expiresAt))
        }
    }

    /// Shuts somebody out, keys and open sessions included, or lets them in again.
    ///
    /// For operators.
    ///
    /// - Throws: Code `inUse` for the last operator who can get in.
    package func setDisabled(_ isDisabled: Bool, _ id: UserID, _ call: CallContext) async throws(ServiceError) -> User {
        try call.requireOperator()
        return try await change(isDisabled ? "users.disable" : "users.enable", call) { writer in
            var user = try writer.user(id)
            if isDisabled { try writer.requireOtherOperator(than: user) }
            user.isDisabled = isDisabled
            try writer.update(user)
            if isDisabled { try writer.deleteSessions(of: id) }
            return (.user(user), user)
        }
    }

    /// Makes somebody an operator, or takes that back.
    ///
    /// For operators.
    ///
    /// - Throws: Code `inUse` for the last operator who can get in.
    package func setOperator(_ isOperator: Bool, _ id: UserID, _ call: CallContext) async throws(ServiceError) -> User {
        try call.requireOperator()
        return try await change(isOperator ? "users.promote" : "users.demote", call) { writer in
            var user = try writer.user(id)
            if !isOperator { try writer.requireOtherOperator(than: user) }
            user.isOperator = isOperator
            try writer.update(user)
            return (.user(user), user)
        }
    }

    /// Forgets somebody with their roles, keys and sessions; what they made stays, and the log keeps the name.
    ///
    /// For operators.
    ///
    /// - Throws: Code `inUse` for the last operator who can get in.
    package func deleteUser(_ id: UserID, _ call: CallContext) async throws(ServiceError) {
        try call.requireOperator()
        try await change("users.delete", call) { writer in
            let user = try writer.user(id)
            try writer.requireOtherOperator(than: user)
            try writer.deleteUser(id)
            return (.user(user), ())
        }
    }

    private func makePassword() -> String {
        // 120 bits are plenty, and can be typed.
        String(secrets.makeKey().prefix(20))
    }

    private func makeVerifier(for password: String) async throws(ServiceError) -> String {
        do {
            return try await secrets.makeVerifier(for: password)
        } catch {
            throw ServiceError(reporting: error)
        }
    }

    private func isPassword(_ password: String, of user: UserID) async throws(ServiceError) -> Bool {
        guard let verifier = try await read({ try $0.passwordVerifier(of: user) }) else { return false }
        do {
            return try await secrets.verify(password, against: verifier)
        } catch {
            throw ServiceError(reporting: error)
        }
    }
}

extension UserView {
    fileprivate init(_ user: User, _ environments: [Environment], _ reader: any CatalogReader) throws {
        let roles = try reader.roles(of: user.id)
        self.user = user
        self.roles = environments.compactMap { environment in roles[environment.id].map { (environment, $0) } }
    }
}

extension CatalogReader {
    func user(_ id: UserID) throws -> User {
        guard let user = try findUser(id) else {
            throw ServiceError(
                .notFound,
                "There is no such user; list the users to see who there is.",
                subject: .user(id)
            )
        }
        return user
    }

    /// Somebody must remain who can let others in.
    fileprivate func requireOtherOperator(than user: User) throws {
        guard user.isOperator, !user.isDisabled else { return }
        guard try listUsers().contains(where: { $0.id != user.id && $0.isOperator && !$0.isDisabled }) else {
            throw ServiceError(
                .inUse,
                "'\(user.name)' is the last operator who can sign in; make somebody else an operator first.",
                subject: .user(user.id)
            )
        }
    }
}
