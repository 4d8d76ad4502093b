import Foundation
import HTTPCommon
import HTTPTypes
import Hummingbird
import Logging
import SnapshotDomain
import SnapshotServices

/// One authenticated request with all that its handler needs.
struct Call: Sendable {
    let cloud: any CloudService
    let accounts: Accounts
    let configuration: CloudMCConfiguration
    let request: Request
    let context: AuthenticatedContext
    /// Who calls, for the service.
    let caller: CallContext
    let query: Query

    init(
        cloud: any CloudService,
        accounts: Accounts,
        configuration: CloudMCConfiguration,
        request: Request,
        context: AuthenticatedContext
    ) {
        self.cloud = cloud
        self.accounts = accounts
        self.configuration = configuration
        self.request = request
        self.context = context
        caller = CallContext(
            principal: context.principal,
            requestID: context.requestID,
            idempotencyKey: request.headers[.idempotencyKey]
        )
        query = Query(request)
    }

    /// A part of the path, by its name in the pattern.
    ///
    /// Empty if the pattern has none of that name.
    func part(_ name: String) -> String {
        context.parameters.get(name) ?? ""
    }

    /// The environment of the path, which needs a service of ours before it.
    func environment() async throws(ServiceError) -> SnapshotDomain.Environment {
        let service = part("service")
        guard service == configuration.serviceCode else {
            throw ServiceError(
                .notFound,
                "There is no service '\(service.prefix(64))'; this one is '\(configuration.serviceCode)'."
            )
        }
        return try await cloud.environment(part("environment"), caller)
    }

    /// The environment that a body names by identity or name; nil when it names none.
    func environment(named reference: String?) async throws(ServiceError) -> SnapshotDomain.Environment? {
        guard let reference else { return nil }
        return try await cloud.environment(reference, caller)
    }

    /// An identity in the path.
    ///
    /// What cannot be one is not found.
    func id<Subject>(_ kind: String, part name: String = "id") throws(ServiceError) -> Identifier<Subject> {
        let text = String(part(name).prefix(64))
        guard let id = Identifier<Subject>(text) else {
            throw ServiceError(
                .notFound,
                "There is nothing of that id among the \(kind).",
                subject: ServiceError.Subject(kind: kind, id: text)
            )
        }
        return id
    }

    func body<Payload: Decodable>(_ type: Payload.Type = Payload.self) async throws -> Payload {
        try await request.decodeJSON(type)
    }
}
