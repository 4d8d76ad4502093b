import Foundation
import SnapshotDomain
import SnapshotServices

/// An environment on the wire.
///
/// There is no provisioning to wait for: its state is always `PROVISIONED`.
struct EnvironmentPayload: Encodable, Sendable {
    let id: String
    let name: String
    let description: String
    let metadata = EmptyPayload()
    let membership = "MANY_USERS"
    let creationDate: String
    let organization: OrganizationReferencePayload
    let allowExternalMembers = false
    let defaultRole: RolePayload
    let state = "PROVISIONED"
    let deleted = false
    let serviceConnection: ConnectionReferencePayload
    let users: [IdentityPayload] = []
    let roles: [RolePayload]
    /// **ext**: what the caller is in it.
    let role: String?

    init(_ environment: SnapshotDomain.Environment, _ call: Call) {
        id = environment.id.description
        name = environment.name.description
        description = environment.description
        creationDate = UTCStamp.iso8601(environment.createdAt)
        organization = OrganizationReferencePayload(call.configuration.organization)
        defaultRole = RolePayload(.viewer)
        serviceConnection = ConnectionReferencePayload(call.configuration)
        roles = Role.allCases.map { RolePayload($0) }
        role = call.caller.principal.role(in: environment.id)?.rawValue
    }
}

struct RolePayload: Encodable, Sendable {
    let id: String
    let name: String
    let isSystem = true
    let isDefault: Bool
    let deleted = false
    let isFixed = true
    let defaultScope = "ENV"

    init(_ role: Role) {
        id = role.rawValue
        name = role.rawValue.capitalized
        isDefault = role == .viewer
    }
}

struct OrganizationReferencePayload: Encodable, Sendable {
    let id: String
    let name: String
    let entryPoint: String

    init(_ organization: CloudMCConfiguration.Organization) {
        id = organization.id.uuidString.lowercased()
        name = organization.name
        entryPoint = organization.entryPoint
    }
}

struct ConnectionReferencePayload: Encodable, Sendable {
    let id: String
    let name: String
    let serviceCode: String
    let type = "CloudCA"

    init(_ configuration: CloudMCConfiguration) {
        id = configuration.connection
        name = configuration.serviceName
        serviceCode = configuration.serviceCode
    }
}

struct MemberPayload: Encodable, Sendable {
    let id: String
    let creationDate: String
    let state = "PROVISIONED"
    let role: RolePayload
    let user: UserPayload
    let metadata = MembershipPayload()
    let environment: IdentityPayload
    let scopeQualifier = "ENV"

    struct UserPayload: Encodable, Sendable {
        let id: String
        let firstName = ""
        let lastName = ""
        let userName: String
        let email = ""
    }

    struct MembershipPayload: Encodable, Sendable {
        let membership = "MANY_USERS"
    }

    init(_ user: User, _ role: Role, _ environment: SnapshotDomain.Environment) {
        id = user.id.description
        creationDate = UTCStamp.iso8601(user.createdAt)
        self.role = RolePayload(role)
        self.user = UserPayload(id: user.id.description, userName: user.name)
        self.environment = IdentityPayload(id: environment.id.description)
    }
}
