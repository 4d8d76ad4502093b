package import Foundation
package import SnapshotDomain
package import SnapshotPorts

/// A key as its owner sees it after it was made: everything but the key.
package struct KeyView: Sendable {
    package var id: KeyID
    package var kind: StoredKey.Kind
    package var user: User
    /// Where a query key acts.
    package var environment: Environment?
    package var label: String
    /// The last characters of the key.
    package var hint: String
    package var createdAt: Date
    /// To the hour.
    package var lastUsedAt: Date?
}

/// A key that was just made, this once with what opens.
package struct NewKey: Sendable {
    package var view: KeyView
    package var key: String
    /// The other half of a query key.
    package var secret: String?
}

extension Accounts {
    /// What a key is made for.
    package enum KeyPurpose: Hashable, Sendable {
        /// CloudMC's REST API, with all that its user may do.
        case rest
        /// CloudStack's query API, in one environment.
        case query(EnvironmentID)
    }

    /// More than anybody needs, and few enough to be listed.
    package static let mostKeys = 100

    /// The caller that a key of the REST face opens for, or nil.
    package func principal(restKey: String, address: String?) async throws(ServiceError) -> Principal? {
        try await keyRing.principal(restKey: restKey, address: address)
    }

    /// What a key of the query face says of its caller; nil for a key that opens nothing.
    ///
    /// The caller is who the key says only when the signature proves it: the face compares it, in constant time, and then calls
    /// ``noteUse(of:)``. An unknown key must cost it as much as a wrong signature, and be answered in the same words.
    package func caller(queryKey: String, address: String?) async throws(ServiceError) -> QueryCaller? {
        try await keyRing.caller(queryKey: queryKey, address: address)
    }

    /// Notes that a query key was used, once its signature was right.
    ///
    /// Writes at most once in an hour.
    package func noteUse(of caller: QueryCaller) async {
        await keyRing.noteUse(of: caller.key)
    }

    /// Somebody's keys, oldest first.
    ///
    /// For themselves and operators.
    package func listKeys(of id: UserID, _ call: CallContext) async throws(ServiceError) -> [KeyView] {
        try call.requireSelfOrOperator(id)
        return try await read { reader in
            let user = try reader.user(id)
            return try reader.keys(of: id).map { try KeyView($0, of: user, reader) }
        }
    }

    /// Makes a key for somebody.
    ///
    /// For themselves and operators.
    ///
    /// - Parameters:
    ///   - purpose: What it opens.
    ///   - id: Whose it is.
    ///   - label: What they call it.
    ///   - call: Who asks.
    /// - Returns: The key, this once.
    /// - Throws: Code `notFound` when its user has no business in the environment, `limitExceeded` after ``mostKeys``.
    package func createKey(
        for purpose: KeyPurpose,
        of id: UserID,
        label: ResourceName? = nil,
        _ call: CallContext
    ) async throws(ServiceError) -> NewKey {
        try call.requireSelfOrOperator(id)
        let text = secrets.makeKey()
        var stored = StoredKey(
            digest: secrets.digest(of: text),
            kind: .rest,
            user: id,
            environment: nil,
            secret: nil,
            label: label?.description ?? "",
            hint: String(text.suffix(4)),
            createdAt: world.time.now
        )
        if case .query(let environment) = purpose {
            stored.kind = .query
            stored.environment = environment
            stored.secret = secrets.makeKey()
            stored.text = text
        }
        return try await change("keys.create", in: stored.environment, call) { [stored] writer in
            let user = try writer.user(id)
            try writer.requireReader(user, of: stored.environment)
            guard try writer.keys(of: id).count < Self.mostKeys else {
                throw ServiceError(
                    .limitExceeded,
                    "'\(user.name)' has \(Self.mostKeys) keys already; delete one that is not used any more.",
                    subject: .user(id)
                )
            }
            try writer.insert(stored)
            let view = try KeyView(stored, of: user, writer)
            return (.key(view), NewKey(view: view, key: text, secret: stored.secret))
        }
    }

    /// The newest pair of somebody's query keys in an environment, made when there is none.
    ///
    /// For themselves and operators. A pair of which only the digest is stored counts as none.
    ///
    /// - Throws: What ``createKey(for:of:label:_:)`` throws.
    package func queryKey(
        in environment: EnvironmentID,
        of id: UserID,
        label: ResourceName,
        _ call: CallContext
    ) async throws(ServiceError) -> NewKey {
        if let known = try await knownQueryKey(in: environment, of: id, call) { return known }
        return try await createKey(for: .query(environment), of: id, label: label, call)
    }

    /// The newest pair of somebody's query keys, in one environment or in any; nil when none can be told.
    ///
    /// For themselves and operators.
    package func knownQueryKey(
        in environment: EnvironmentID?,
        of id: UserID,
        _ call: CallContext
    ) async throws(ServiceError) -> NewKey? {
        try call.requireSelfOrOperator(id)
        return try await read { reader in
            let user = try reader.user(id)
            let known = try reader.keys(of: id).last { key in
                key.kind == .query && key.text != nil && (environment == nil || key.environment == environment)
            }
            return try known.flatMap { key in
                try key.text.map { NewKey(view: try KeyView(key, of: user, reader), key: $0, secret: key.secret) }
            }
        }
    }

    /// Deletes one of somebody's keys; what uses it is shut out at once.
    ///
    /// For themselves and operators.
    ///
    /// - Throws: Code `notFound` when they have no such key.
    package func deleteKey(_ key: KeyID, of id: UserID, _ call: CallContext) async throws(ServiceError) {
        try call.requireSelfOrOperator(id)
        let environment = try await read { try $0.key(key, of: id).environment }
        try await change("keys.delete", in: environment, call) { writer in
            let stored = try writer.key(key, of: id)
            try writer.deleteKey(digest: stored.digest)
            return (.key(try KeyView(stored, of: try writer.user(id), writer)), ())
        }
    }

    private var keyRing: KeyRing { KeyRing(world: world, secrets: secrets) }
}

extension StoredKey {
    /// The first half of the digest: it tells keys apart, and says nothing of the key.
    var id: KeyID {
        var bytes: uuid_t = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        withUnsafeMutableBytes(of: &bytes) { $0.copyBytes(from: digest.prefix($0.count)) }
        return KeyID(UUID(uuid: bytes))
    }
}

extension KeyView {
    fileprivate init(_ key: StoredKey, of user: User, _ reader: any CatalogReader) throws {
        id = key.id
        kind = key.kind
        self.user = user
        environment = try key.environment.flatMap { try reader.findEnvironment($0) }
        label = key.label
        hint = key.hint
        createdAt = key.createdAt
        lastUsedAt = key.lastUsedAt
    }
}

extension CatalogReader {
    fileprivate func key(_ id: KeyID, of user: UserID) throws -> StoredKey {
        guard let key = try keys(of: user).first(where: { $0.id == id }) else {
            throw ServiceError(.notFound, "There is no such key among those of this user.", subject: .key(id))
        }
        return key
    }

    fileprivate func requireReader(_ user: User, of environment: EnvironmentID?) throws {
        guard let environment else { return }
        let principal = Principal(user: user, roles: try roles(of: user.id))
        guard principal.may(.read, in: environment), try findEnvironment(environment) != nil else {
            throw ServiceError(
                .notFound,
                "'\(user.name)' is no member of that environment; make them one first.",
                subject: .environment(environment)
            )
        }
    }
}

extension Accounts.LogSubject {
    fileprivate static func key(_ key: KeyView) -> Self {
        let name = key.label.isEmpty ? key.user.name : "\(key.user.name): \(key.label)"
        return Self(kind: "keys", id: key.id.description, name: name)
    }
}
