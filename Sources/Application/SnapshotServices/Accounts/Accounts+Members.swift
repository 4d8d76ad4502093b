package import SnapshotDomain
import SnapshotPorts

extension Accounts {
    /// Gives a user, by the name they sign in with, a role in an environment.
    ///
    /// Needs `administer`. An owner learns in this way whether somebody of a name exists, which is what the name is for.
    ///
    /// - Parameters:
    ///   - name: Who.
    ///   - role: What they become; somebody who is a member already gets the role, too.
    ///   - environment: Where.
    ///   - call: Who asks.
    /// - Returns: The member.
    /// - Throws: Code `notFound` when nobody is called so, `inUse` when the environment would lose its last owner.
    package func addMember(
        _ name: String,
        as role: Role,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> User {
        try await setRole(role, in: environment, call) { reader in
            guard let user = try reader.findUser(named: name) else {
                throw ServiceError(
                    .notFound,
                    "There is no user of that name; an operator of this service can make one.",
                    subject: .field("name")
                )
            }
            return user
        }
    }

    /// Gives a user another role in an environment, or a first one.
    ///
    /// Needs `administer`.
    ///
    /// - Throws: Code `inUse` when the environment would lose its last owner, unless an operator asks, who owns it anyway.
    package func setRole(
        _ role: Role,
        of user: UserID,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> User {
        try await setRole(role, in: environment, call) { try $0.user(user) }
    }

    /// Ends a membership, and deletes the member's keys that act in the environment.
    ///
    /// Needs `administer`. Who is no member already is no error.
    ///
    /// - Throws: Code `inUse` as for ``setRole(_:of:in:_:)``.
    package func removeMember(
        _ id: UserID,
        from environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) {
        try call.require(.administer, in: environment)
        try await change("members.remove", in: environment, call) { writer in
            let user = try writer.user(id)
            try writer.requireOtherOwner(than: user, of: environment, call)
            try writer.setRole(nil, of: id, in: environment)
            // Who comes back later does not come back with what a former program still knows.
            for key in try writer.keys(of: id) where key.environment == environment {
                try writer.deleteKey(digest: key.digest)
            }
            return (.user(user), ())
        }
    }

    private func setRole(
        _ role: Role,
        in environment: EnvironmentID,
        _ call: CallContext,
        find: @escaping @Sendable (any CatalogReader) throws -> User
    ) async throws(ServiceError) -> User {
        try call.require(.administer, in: environment)
        return try await change("members.set", in: environment, call) { writer in
            _ = try writer.environment(environment)
            let user = try find(writer)
            if role != .owner { try writer.requireOtherOwner(than: user, of: environment, call) }
            try writer.setRole(role, of: user.id, in: environment)
            return (.user(user, role.rawValue), user)
        }
    }
}

extension CatalogReader {
    /// An environment whose last owner goes could be given to nobody any more, except by an operator.
    fileprivate func requireOtherOwner(
        than user: User,
        of environment: EnvironmentID,
        _ call: CallContext
    ) throws {
        guard !call.principal.user.isOperator else { return }
        let owners = try members(of: environment).filter { $0.role == .owner && !$0.user.isDisabled }
        guard owners.contains(where: { $0.user.id == user.id }), owners.count == 1 else { return }
        throw ServiceError(
            .inUse,
            "'\(user.name)' is the last owner of this environment; make somebody else an owner first.",
            subject: .user(user.id)
        )
    }
}
