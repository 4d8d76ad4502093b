import HTTPCommon
import Hummingbird
import Logging
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// `…/snapshots`.
enum SnapshotEndpoints {
    static let all: [Endpoint] = [
        .get(environmentRoot + "/snapshots", list),
        .get(environmentRoot + "/snapshots/:id", show),
        .get(environmentRoot + "/snapshots/deletionPlan", planDeletions),
        .get(environmentRoot + "/snapshots/:id/deletionPlan", planDeletion),
        .get(environmentRoot + "/snapshots/:id/export", export),
        .post(environmentRoot + "/snapshots", create),
        .post(environmentRoot + "/snapshots", operation: "create", create),
        .delete(environmentRoot + "/snapshots/:id", delete),
        .post(environmentRoot + "/snapshots/:id", operation: "revert", revert),
        .post(environmentRoot + "/snapshots/:id", operation: "createVolume", createVolume),
        .post(environmentRoot + "/snapshots/:id", operation: "createTemplate", TemplateEndpoints.createFromSnapshot),
        .post(environmentRoot + "/snapshots/:id", operation: "createInstance", InstanceCreation.createFromSnapshot),
        .post(environmentRoot + "/snapshots/:id", operation: "update", update),
        .post(environmentRoot + "/snapshots/:id", operation: "verify", verify),
    ]

    @Sendable
    private static func list(_ call: Call) async throws -> Response {
        let environment = try await call.environment()
        let query = try ListQuery(call.query)
        var filter = SnapshotFilter(environment: environment.id, text: query.search)
        filter.volume = try call.query.id("volume_id", "volumeId")
        filter.instance = try call.query.id("instance_id", "instanceId")
        filter.group = try call.query.id("group_id", "groupId")
        filter.states = query.state.map { StateSelection.snapshots($0).states }
        let wanted = filter
        var list = ListAnswer<SnapshotView>(order: .newestFirst) { order, page async throws(ServiceError) in
            try await call.cloud.listSnapshots(wanted, order: order, page: page, call.caller)
        }
        if let word = call.query["type"] {
            guard let role = StateWords.role(word) else {
                throw ServiceError(.invalidInput, "The parameter 'type' must be os or data.", subject: .field("type"))
            }
            list.refinement = { $0.snapshot.source.role == role }
        }
        return try await list.response(query) { SnapshotPayload($0, zoneID: call.configuration.zoneID) }
    }

    @Sendable
    private static func show(_ call: Call) async throws -> Response {
        let environment = try await call.environment()
        let view = try await call.cloud.snapshot(try call.id("snapshots"), in: environment.id, call.caller)
        return try .json(DataPayload(SnapshotPayload(view, zoneID: call.configuration.zoneID)))
    }

    @Sendable
    private static func create(_ call: Call) async throws -> Response {
        let environment = try await call.environment()
        let body: SnapshotBody = try await call.body()
        let request = try body.request(.volume(try Input.required(body.volumeId, "volumeId")))
        let submitted = try await call.cloud.takeSnapshots(request, in: environment.id, call.caller)
        return try await call.answer(submitted.job)
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
        let view = try await call.cloud.updateSnapshot(
            try call.id("snapshots"),
            name: try Input.name(body.name),
            description: body.description,
            in: environment.id,
            call.caller
        )
        return try call.answer(done: SnapshotPayload(view, zoneID: call.configuration.zoneID))
    }

    // MARK: Deleting

    @Sendable
    private static func delete(_ call: Call) async throws -> Response {
        let environment = try await call.environment()
        return try await call.answer(
            try await call.cloud.deleteSnapshot(try call.id("snapshots"), in: environment.id, call.caller)
        )
    }

    @Sendable
    private static func planDeletion(_ call: Call) async throws -> Response {
        try await plan([try call.id("snapshots")], call)
    }

    /// Of several together, which can free more than one after the other would.
    @Sendable
    private static func planDeletions(_ call: Call) async throws -> Response {
        let texts = (call.query["ids"] ?? "").split(separator: ",")
        let ids = texts.compactMap { SnapshotID(String($0)) }
        guard !ids.isEmpty, ids.count == texts.count, ids.count <= PageRequest.largest else {
            throw ServiceError(
                .invalidInput,
                "The parameter 'ids' must hold 1 to \(PageRequest.largest) ids with commas between them.",
                subject: .field("ids")
            )
        }
        return try await plan(ids, call)
    }

    private static func plan(_ ids: [SnapshotID], _ call: Call) async throws -> Response {
        let environment = try await call.environment()
        let plan = try await call.cloud.planDeletion(of: ids, in: environment.id, call.caller)
        return try .json(DataPayload(DeletionPlanPayload(plan)))
    }

    // MARK: Using

    struct RevertBody: Decodable {
        @Lenient var restartInstance: Bool?
    }

    @Sendable
    private static func revert(_ call: Call) async throws -> Response {
        let environment = try await call.environment()
        let body: RevertBody = try await call.body()
        let submitted = try await call.cloud.revert(
            .snapshot(try call.id("snapshots")),
            restarts: body.restartInstance ?? true,
            in: environment.id,
            call.caller
        )
        return try await call.answer(submitted.job)
    }

    struct VolumeBody: Decodable {
        @Lenient var name: String?
        @Lenient var environment: String?
        @Lenient var full: Bool?
        @Lenient var instanceId: InstanceID?
        @Lenient var poolId: String?
    }

    @Sendable
    private static func createVolume(_ call: Call) async throws -> Response {
        let home = try await call.environment()
        let body: VolumeBody = try await call.body()
        let target = try await call.environment(named: body.environment)
        let request = CreateVolumeRequest(
            source: .snapshot(try call.id("snapshots"), isFull: body.full ?? false),
            name: try Input.requiredName(body.name),
            environment: target?.id,
            instance: body.instanceId,
            pool: try Input.pool(body.poolId)
        )
        let submitted = try await call.cloud.createVolume(request, in: home.id, call.caller)
        let volume = submitted.resource.volume
        return try await call.answer(submitted.job) { () async throws(ServiceError) in
            try await call.results.volume(volume.id, in: volume.environment)
        }
    }

    @Sendable
    private static func verify(_ call: Call) async throws -> Response {
        let environment = try await call.environment()
        let submitted = try await call.cloud.verifySnapshot(try call.id("snapshots"), in: environment.id, call.caller)
        return try await call.answer(submitted.job)
    }

    @Sendable
    private static func export(_ call: Call) async throws -> Response {
        let environment = try await call.environment()
        let id: SnapshotID = try call.id("snapshots")
        let format: ImageFormat = try Input.word(call.query["format"], "format") ?? .qcow2
        let view = try await call.cloud.snapshot(id, in: environment.id, call.caller)
        let image = try await call.cloud.export(id, as: format, in: environment.id, call.caller)
        return .download(image, fileName: "\(view.snapshot.name).\(format.rawValue)", logger: call.context.logger)
    }
}
