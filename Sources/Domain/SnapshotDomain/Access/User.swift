package import Foundation

/// A person or program with credentials.
package struct User: Hashable, Sendable, Codable, Identifiable {
    package let id: UserID
    package var name: String
    /// Operators own every environment and the service itself.
    package var isOperator: Bool
    /// Cannot sign in, and no key of theirs opens anything; roles and keys are kept for another day.
    package var isDisabled: Bool
    package var createdAt: Date

    package init(id: UserID, name: String, isOperator: Bool, isDisabled: Bool = false, createdAt: Date) {
        self.id = id
        self.name = name
        self.isOperator = isOperator
        self.isDisabled = isDisabled
        self.createdAt = createdAt
    }
}

/// Who did something, and from where, as the activity log keeps it.
package struct Actor: Hashable, Sendable, Codable {
    /// Nil for the service itself.
    package var user: UserID?
    package var name: String
    /// The network address of the request, if there was one.
    package var address: String?

    package init(user: UserID?, name: String, address: String? = nil) {
        self.user = user
        self.name = name
        self.address = address
    }
}

/// What a member may do in an environment.
///
/// Stored; ordered by power.
package enum Role: String, Sendable, Codable, CaseIterable, Comparable {
    case viewer
    case editor
    case owner

    private var rank: Int {
        switch self {
        case .viewer: 0
        case .editor: 1
        case .owner: 2
        }
    }

    package static func < (left: Role, right: Role) -> Bool { left.rank < right.rank }
}

/// A right that a call needs.
///
package enum Permission: Hashable, Sendable, CaseIterable {
    /// Look at everything in the environment, its consoles included.
    case read
    /// Take snapshots, and make things from them that leave the present ones alone.
    case create
    /// Change or delete what exists; start and stop.
    case change
    /// Replace the content of a volume by an older one.
    case revert
    /// Members, keys, the environment itself.
    case administer

    /// The least role that has it.
    package var leastRole: Role {
        switch self {
        case .read: .viewer
        case .create, .change, .revert: .editor
        case .administer: .owner
        }
    }
}

/// An authenticated caller with the roles it has.
package struct Principal: Hashable, Sendable {
    package var user: User
    package var roles: [EnvironmentID: Role]
    package var address: String?

    package init(user: User, roles: [EnvironmentID: Role], address: String? = nil) {
        self.user = user
        self.roles = roles
        self.address = address
    }

    /// The service itself, for what it does by the clock.
    package static let service = Principal(
        user: User(
            id: UserID(UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))),
            name: "instanta",
            isOperator: true,
            createdAt: Date(timeIntervalSince1970: 0)
        ),
        roles: [:]
    )

    package var actor: Actor {
        Actor(user: user.id, name: user.name, address: address)
    }

    /// The caller's role there; nil for somebody with no business in it.
    package func role(in environment: EnvironmentID) -> Role? {
        user.isOperator ? .owner : roles[environment]
    }

    /// Whether the caller's role there has a right.
    package func may(_ permission: Permission, in environment: EnvironmentID) -> Bool {
        role(in: environment).map { $0 >= permission.leastRole } ?? false
    }
}
