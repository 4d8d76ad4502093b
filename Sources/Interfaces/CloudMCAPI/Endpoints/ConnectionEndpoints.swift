import HTTPCommon
import Hummingbird
import SnapshotDomain
import SnapshotServices

/// `/services/connections`: there is one.
enum ConnectionEndpoints {
    static let all: [Endpoint] = [
        .get("/services/connections", list),
        .get("/services/connections/:id", show),
        .get("/services/connections/:id/apiInfo", apiInfo),
    ]

    @Sendable
    private static func list(_ call: Call) async throws -> Response {
        try .json(ListPayload([ConnectionPayload(call.configuration)]))
    }

    @Sendable
    private static func show(_ call: Call) async throws -> Response {
        try requireOurs(call)
        return try .json(DataPayload(ConnectionPayload(call.configuration)))
    }

    /// Shows a caller its own keys for an environment, and nobody else's.
    @Sendable
    private static func apiInfo(_ call: Call) async throws -> Response {
        try requireOurs(call)
        guard let reference = call.query["environmentId"] else {
            throw ServiceError(
                .invalidInput,
                "The parameter 'environmentId' is missing.",
                subject: .field("environmentId")
            )
        }
        let environment = try await call.cloud.environment(reference, call.caller)
        let fields = try await call.configuration.apiFields(call.caller.principal, environment.id)
        return try .json(DataPayload(APIInfoPayload(fields)))
    }

    private static func requireOurs(_ call: Call) throws(ServiceError) {
        guard call.part("id").lowercased() == call.configuration.connection else {
            throw ServiceError(.notFound, "There is no such service connection; this service has one.")
        }
    }
}
