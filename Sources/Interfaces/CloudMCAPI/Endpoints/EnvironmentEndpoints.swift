import Foundation
import HTTPCommon
import Hummingbird
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// `/environments`.
enum EnvironmentEndpoints {
    static let all: [Endpoint] = [
        .get("/environments", list),
        .get("/environments/:id", show),
        .post("/environments", create),
        .put("/environments/:id", update),
        .delete("/environments/:id", delete),
    ]

    struct EnvironmentBody: Decodable {
        struct Connection: Decodable {
            @Lenient var id: String?
        }

        @Lenient var name: String?
        @Lenient var description: String?
        var serviceConnection: Connection?
    }

    @Sendable
    private static func list(_ call: Call) async throws -> Response {
        let query = try ListQuery(call.query)
        let list = ListAnswer(order: .byName) { order, page async throws(ServiceError) in
            let all = try await call.cloud.listEnvironments(call.caller)
            return page.cut(all.sorted(by: order))
        }
        return try await list.response(query) { EnvironmentPayload($0, call) }
    }

    @Sendable
    private static func show(_ call: Call) async throws -> Response {
        let environment = try await call.cloud.environment(call.part("id"), call.caller)
        return try .json(DataPayload(EnvironmentPayload(environment, call)))
    }

    @Sendable
    private static func create(_ call: Call) async throws -> Response {
        let body: EnvironmentBody = try await call.body()
        if let connection = body.serviceConnection?.id, connection != call.configuration.connection {
            throw ServiceError(
                .invalidInput,
                "There is no service connection of that id; this service has one: \(call.configuration.connection).",
                subject: .field("serviceConnection.id")
            )
        }
        let environment = try await call.cloud.createEnvironment(
            name: try EnvironmentName(try Input.required(body.name, "name")),
            description: body.description ?? "",
            call.caller
        )
        return try call.answer(done: EnvironmentPayload(environment, call))
    }

    @Sendable
    private static func update(_ call: Call) async throws -> Response {
        let body: EnvironmentBody = try await call.body()
        let environment = try await call.cloud.environment(call.part("id"), call.caller)
        let name: EnvironmentName? = if let text = body.name { try EnvironmentName(text) } else { nil }
        let updated = try await call.cloud.updateEnvironment(
            environment.id,
            name: name,
            description: body.description,
            call.caller
        )
        return try call.answer(done: EnvironmentPayload(updated, call))
    }

    @Sendable
    private static func delete(_ call: Call) async throws -> Response {
        let environment = try await call.cloud.environment(call.part("id"), call.caller)
        return try await call.answer(try await call.cloud.deleteEnvironment(environment.id, call.caller))
    }
}

extension CloudMCConfiguration {
    /// The connection's id as it is shown.
    var connection: String { connectionID.uuidString.lowercased() }
}
