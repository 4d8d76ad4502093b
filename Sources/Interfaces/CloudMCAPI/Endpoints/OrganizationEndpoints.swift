import Foundation
import HTTPCommon
import Hummingbird
import SnapshotDomain
import SnapshotServices

/// `/organizations` and `/quotas`: one organization without quotas.
enum OrganizationEndpoints {
    static let all: [Endpoint] = [
        .get("/organizations", list),
        .get("/organizations/:id", show),
        .get("/quotas") { _ in try .json(ListPayload<EmptyPayload>([])) },
    ]

    @Sendable
    private static func list(_ call: Call) async throws -> Response {
        try .json(ListPayload([try await payload(call)]))
    }

    @Sendable
    private static func show(_ call: Call) async throws -> Response {
        let payload = try await payload(call)
        guard call.part("id").lowercased() == payload.id else {
            throw ServiceError(.notFound, "There is no such organization; this service has one.")
        }
        return try .json(DataPayload(payload))
    }

    private static func payload(_ call: Call) async throws -> OrganizationPayload {
        OrganizationPayload(
            call.configuration.organization,
            environments: try await call.cloud.listEnvironments(call.caller),
            user: call.caller.principal.user
        )
    }
}

/// The organization as a caller sees it: with itself as the only user.
struct OrganizationPayload: Encodable, Sendable {
    let id: String
    let name: String
    let entryPoint: String
    let users: [IdentityPayload]
    let environments: [IdentityPayload]
    let roles: [RolePayload]

    init(
        _ organization: CloudMCConfiguration.Organization,
        environments: [SnapshotDomain.Environment],
        user: User
    ) {
        id = organization.id.uuidString.lowercased()
        name = organization.name
        entryPoint = organization.entryPoint
        users = [IdentityPayload(id: user.id.description)]
        self.environments = environments.map { IdentityPayload(id: $0.id.description) }
        roles = Role.allCases.map { RolePayload($0) }
    }
}
