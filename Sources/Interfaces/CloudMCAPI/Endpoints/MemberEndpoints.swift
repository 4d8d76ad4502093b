import HTTPCommon
import Hummingbird
import SnapshotDomain
import SnapshotServices

/// `/environments/:id/members`: who has business in an environment.
enum MemberEndpoints {
    static let all: [Endpoint] = [
        .get("/environments/:id/members", list),
        .post("/environments/:id/members", add),
        .put("/environments/:id/members/:user", change),
        .delete("/environments/:id/members/:user", remove),
    ]

    struct MemberBody: Decodable {
        struct Reference: Decodable {
            @Lenient var id: String?
            /// **ext**: an owner of an environment knows names; only operators see ids of those who are no members yet.
            @Lenient var userName: String?
        }

        var user: Reference?
        var role: Reference?
    }

    @Sendable
    private static func list(_ call: Call) async throws -> Response {
        let environment = try await call.cloud.environment(call.part("id"), call.caller)
        let members = try await call.cloud.members(of: environment.id, call.caller)
        return try .json(ListPayload(members.map { MemberPayload($0.user, $0.role, environment) }))
    }

    @Sendable
    private static func add(_ call: Call) async throws -> Response {
        let body: MemberBody = try await call.body()
        let (environment, role) = (try await environment(call), try role(body))
        let user: User
        if let name = body.user?.userName {
            user = try await call.accounts.addMember(name, as: role, in: environment.id, call.caller)
        } else {
            let text = try Input.required(body.user?.id, "user.id")
            guard let id = UserID(text) else {
                throw ServiceError(
                    .invalidInput,
                    "The field 'user.id' must be an id: a UUID.",
                    subject: .field("user.id")
                )
            }
            user = try await call.accounts.setRole(role, of: id, in: environment.id, call.caller)
        }
        return try call.answer(done: MemberPayload(user, role, environment))
    }

    @Sendable
    private static func change(_ call: Call) async throws -> Response {
        let body: MemberBody = try await call.body()
        let (environment, role) = (try await environment(call), try role(body))
        let id: UserID = try call.id("users", part: "user")
        let user = try await call.accounts.setRole(role, of: id, in: environment.id, call.caller)
        return try call.answer(done: MemberPayload(user, role, environment))
    }

    @Sendable
    private static func remove(_ call: Call) async throws -> Response {
        let environment = try await environment(call)
        try await call.accounts.removeMember(try call.id("users", part: "user"), from: environment.id, call.caller)
        return try call.answer(done: EmptyPayload())
    }

    private static func environment(_ call: Call) async throws(ServiceError) -> SnapshotDomain.Environment {
        try await call.cloud.environment(call.part("id"), call.caller)
    }

    private static func role(_ body: MemberBody) throws(ServiceError) -> Role {
        try Input.required(try Input.word(body.role?.id, "role.id"), "role.id")
    }
}
