import Foundation
import HTTPCommon
import Hummingbird
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// `…/templates`.
enum TemplateEndpoints {
    static let all: [Endpoint] = [
        .get(environmentRoot + "/templates", list),
        .get(environmentRoot + "/templates/:id", show),
        .post(environmentRoot + "/templates", TemplateImport.importImage),
        .post(environmentRoot + "/templates", operation: "upload", TemplateImport.upload),
        .post(environmentRoot + "/templates/:id", operation: "update", update),
        .delete(environmentRoot + "/templates/:id", delete),
    ]

    @Sendable
    private static func list(_ call: Call) async throws -> Response {
        let environment = try await call.environment()
        let query = try ListQuery(call.query)
        var list = ListAnswer<TemplateView>(order: .byName) { order, page async throws(ServiceError) in
            try await call.cloud.listTemplates(
                TemplateFilter(visibleIn: environment.id),
                order: order,
                page: page,
                call.caller
            )
        }
        if query.search != nil || query.state != nil {
            list.refinement = { view in
                let names = query.search.map { view.template.name.description.matches($0) } ?? true
                let states = query.state.map { view.shownState.rawValue.lowercased() == $0.lowercased() } ?? true
                return names && states
            }
        }
        return try await list.response(query) { TemplatePayload($0, call.configuration) }
    }

    @Sendable
    private static func show(_ call: Call) async throws -> Response {
        let environment = try await call.environment()
        let view = try await call.cloud.template(try call.id("templates"), in: environment.id, call.caller)
        return try .json(DataPayload(TemplatePayload(view, call.configuration)))
    }

    struct SnapshotBody: Decodable {
        @Lenient var name: String?
        @Lenient var description: String?
        @Lenient var osTypeId: String?
        @Lenient var sshKeyEnabled: Bool?
        @Lenient var passwordEnabled: Bool?
        @Lenient var dynamicallyScalable: Bool?
        @Lenient var full: Bool?
    }

    /// `…/snapshots/:id?operation=createTemplate`.
    @Sendable
    static func createFromSnapshot(_ call: Call) async throws -> Response {
        let environment = try await call.environment()
        let body: SnapshotBody = try await call.body()
        let request = CreateTemplateRequest(
            source: .snapshot(try call.id("snapshots"), isFull: body.full ?? false),
            name: try Input.requiredName(body.name),
            description: body.description ?? "",
            options: TemplateOptions(
                osType: body.osTypeId ?? OSType.otherLinux.id,
                isSSHKeyEnabled: body.sshKeyEnabled ?? false,
                isPasswordEnabled: body.passwordEnabled ?? false,
                isDynamicallyScalable: body.dynamicallyScalable ?? false
            )
        )
        return try await call.answer(
            try await call.cloud.createTemplate(request, in: environment.id, call.caller).job
        )
    }

    struct UpdateBody: Decodable {
        @Lenient var name: String?
        /// Not lenient: an empty description is one.
        var description: String?
    }

    @Sendable
    private static func update(_ call: Call) async throws -> Response {
        let environment = try await call.environment()
        let body: UpdateBody = try await call.body()
        let view = try await call.cloud.updateTemplate(
            try call.id("templates"),
            name: try Input.name(body.name),
            description: body.description,
            in: environment.id,
            call.caller
        )
        return try call.answer(done: TemplatePayload(view, call.configuration))
    }

    @Sendable
    private static func delete(_ call: Call) async throws -> Response {
        let environment = try await call.environment()
        return try await call.answer(
            try await call.cloud.deleteTemplate(try call.id("templates"), in: environment.id, call.caller)
        )
    }
}
