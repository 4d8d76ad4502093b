import Foundation
import HTTPCommon
import Hummingbird
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// `/activity_log`.
enum ActivityEndpoints {
    static let all: [Endpoint] = [
        .get("/activity_log", list),
        .get("/activity_log/codes", codes),
        .get("/activity_log/summary", summary),
    ]

    @Sendable
    private static func list(_ call: Call) async throws -> Response {
        let filter = try await filter(call)
        let names = try await EnvironmentNames(call)
        let list = ListAnswer(order: .newestFirst) { _, page async throws(ServiceError) in
            try await call.cloud.listActivity(filter, page: page, call.caller)
        }
        return try await list.response(try ListQuery(call.query)) { ActivityPayload($0, names, call.configuration) }
    }

    /// The newest entries, as many as asked for.
    @Sendable
    private static func summary(_ call: Call) async throws -> Response {
        let filter = try await filter(call)
        let names = try await EnvironmentNames(call)
        let limit = try call.query.integer("maxNumberOfItems") ?? 10
        let page = try await call.cloud.listActivity(filter, page: PageRequest(limit: limit), call.caller)
        return try .json(ListPayload(page.rows.map { ActivityPayload($0, names, call.configuration) }))
    }

    @Sendable
    private static func codes(_ call: Call) async throws -> Response {
        try .json(
            DataPayload([
                "SYSTEM": ActivityCodes.service,
                call.configuration.serviceCode: ActivityCodes.resources,
            ])
        )
    }

    private static func filter(_ call: Call) async throws -> ActivityFilter {
        var filter = ActivityFilter()
        if let reference = call.query["environmentId"] {
            filter.environment = try await call.cloud.environment(reference, call.caller).id
        }
        filter.user = try call.query.id("userId")
        if call.query["only_mine"] == "true" { filter.user = call.caller.principal.user.id }
        filter.event = call.query["eventCode"]
        if let word = call.query["status"] {
            guard let status = ActivityPayload.status(of: word) else {
                throw ServiceError(
                    .invalidInput,
                    "The parameter 'status' must be one of: PENDING, SUCCESS, FAILED, CANCELLED.",
                    subject: .field("status")
                )
            }
            filter.status = status
        }
        filter.from = try call.query.instant("start")
        filter.until = try call.query.instant("end")
        return filter
    }
}

/// The names of the environments that the caller can see.
struct EnvironmentNames: Sendable {
    private let names: [EnvironmentID: EnvironmentName]

    init(_ call: Call) async throws(ServiceError) {
        let environments = try await call.cloud.listEnvironments(call.caller)
        names = Dictionary(environments.map { ($0.id, $0.name) }) { first, _ in first }
    }

    subscript(id: EnvironmentID?) -> String? {
        id.flatMap { names[$0] }?.description
    }
}

/// One line of the activity log on the wire.
struct ActivityPayload: Encodable, Sendable {
    let id: String
    let correlationId: String?
    let parentId: String?
    let eventCode: String
    let category: String
    let status: String
    let created: String
    let updated: String
    let userId: String?
    let username: String
    let userFirstname = ""
    let userLastname = ""
    let userEmail = ""
    let userOrganizationId: String
    let userOrganizationName: String
    let organizationId: String
    let organizationName: String
    let environmentId: String?
    let environmentName: String?
    let serviceConnectionId: String
    let serviceConnectionName: String
    let serviceConnectionType = "CloudCA"
    let requesterIp: String?
    /// JSON in a string, as documented.
    let eventContext: String
    /// Why it failed: **ext**.
    let message: String?

    struct ContextPayload: Encodable {
        let id: String
        let type: String
        let name: String
        let taskId: String?
    }

    init(_ entry: ActivityEntry, _ names: EnvironmentNames, _ configuration: CloudMCConfiguration) {
        id = "\(entry.id)"
        correlationId = entry.job?.description
        parentId = nil
        eventCode = entry.event
        category = entry.event.hasPrefix("environments.") ? "SYSTEM" : configuration.serviceCode
        status = Self.word(entry.status)
        created = UTCStamp.iso8601(entry.createdAt)
        updated = created
        userId = entry.actor.user?.description
        username = entry.actor.name
        let organization = OrganizationReferencePayload(configuration.organization)
        (userOrganizationId, userOrganizationName) = (organization.id, organization.name)
        (organizationId, organizationName) = (organization.id, organization.name)
        environmentId = entry.environment?.description
        environmentName = names[entry.environment]
        serviceConnectionId = configuration.connection
        serviceConnectionName = configuration.serviceName
        requesterIp = entry.actor.address
        let context = ContextPayload(
            id: entry.subjectID,
            type: entry.subjectKind,
            name: entry.subjectName,
            taskId: entry.job?.description
        )
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        eventContext = (try? encoder.encode(context)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
        message = entry.message
    }

    static func word(_ status: ActivityEntry.Status) -> String {
        switch status {
        case .started: "PENDING"
        case .succeeded: "SUCCESS"
        case .failed: "FAILED"
        case .cancelled: "CANCELLED"
        }
    }

    static func status(of word: String) -> ActivityEntry.Status? {
        ActivityEntry.Status.allCases.first { Self.word($0) == word.uppercased() }
    }
}
