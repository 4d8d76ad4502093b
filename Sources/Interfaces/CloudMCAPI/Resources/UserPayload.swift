import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// **ext**: a user on the wire.
struct UserPayload: Encodable, Sendable {
    let id: String
    let userName: String
    /// The same: what has a name is found by it.
    let name: String
    let isOperator: Bool
    let isDisabled: Bool
    let creationDate: String
    let environments: [PlacePayload]
    /// In the answer that made it, and never again.
    let password: String?

    struct PlacePayload: Encodable, Sendable {
        let id: String
        let name: String
        let role: String
    }

    init(_ view: UserView, password: String? = nil) {
        id = view.user.id.description
        userName = view.user.name
        name = view.user.name
        isOperator = view.user.isOperator
        isDisabled = view.user.isDisabled
        creationDate = UTCStamp.iso8601(view.user.createdAt)
        environments = view.roles.map { environment, role in
            PlacePayload(id: environment.id.description, name: environment.name.description, role: role.rawValue)
        }
        self.password = password
    }
}

/// **ext**: a key on the wire.
struct KeyPayload: Encodable, Sendable {
    let id: String
    /// `rest` or `query`.
    let kind: String
    let label: String
    /// The end of the key.
    let hint: String
    let userName: String
    /// Where a query key acts.
    let environmentId: String?
    let environmentName: String?
    let creationDate: String
    let lastUsed: String?
    /// In the answer that made it, and never again; a query key's other half, too.
    let key: String?
    let secret: String?

    init(_ view: KeyView, key: String? = nil, secret: String? = nil) {
        id = view.id.description
        kind = view.kind.rawValue
        label = view.label
        hint = view.hint
        userName = view.user.name
        environmentId = view.environment?.id.description
        environmentName = view.environment?.name.description
        creationDate = UTCStamp.iso8601(view.createdAt)
        lastUsed = view.lastUsedAt.map { UTCStamp.iso8601($0) }
        self.key = key
        self.secret = secret
    }
}
