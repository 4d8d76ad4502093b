import HTTPCommon
import Hummingbird
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// `…/volumes`.
enum VolumeEndpoints {
    static let all: [Endpoint] = [
        .get(environmentRoot + "/volumes", list),
        .get(environmentRoot + "/volumes/:id", show),
        .get(environmentRoot + "/volumes/:id/tree", tree),
        .post(environmentRoot + "/volumes", create),
        .delete(environmentRoot + "/volumes/:id", delete),
        .post(environmentRoot + "/volumes/:id", operation: "attachToInstance", attach),
        .post(environmentRoot + "/volumes/:id", operation: "detachFromInstance", detach),
        .post(environmentRoot + "/volumes/:id", operation: "resize", resize),
        .post(environmentRoot + "/volumes/:id", operation: "move", move),
        .post(environmentRoot + "/volumes/:id", operation: "createSnapshotFromVolume", createSnapshot),
        .post(environmentRoot + "/volumes/:id", operation: "undoRevert", undoRevert),
    ]

    @Sendable
    private static func list(_ call: Call) async throws -> Response {
        let environment = try await call.environment()
        let query = try ListQuery(call.query)
        var filter = VolumeFilter(environment: environment.id, text: query.search)
        filter.instance = try call.query.id("instance_id", "instanceId")
        if let word = call.query["type"] {
            guard let role = StateWords.role(word) else {
                throw ServiceError(.invalidInput, "The parameter 'type' must be os or data.", subject: .field("type"))
            }
            filter.role = role
        }
        let selection = query.state.map(StateSelection.volumes)
        filter.states = selection?.states
        let wanted = filter
        var list = ListAnswer<VolumeView>(order: .byName) { order, page async throws(ServiceError) in
            try await call.cloud.listVolumes(wanted, order: order, page: page, call.caller)
        }
        if let state = query.state?.lowercased(), selection?.isExact == false {
            list.refinement = { $0.shownState.rawValue.lowercased() == state }
        }
        return try await list.response(query) { VolumePayload($0, call.configuration) }
    }

    @Sendable
    private static func show(_ call: Call) async throws -> Response {
        let environment = try await call.environment()
        let view = try await call.cloud.volume(try call.id("volumes"), in: environment.id, call.caller)
        return try .json(DataPayload(VolumePayload(view, call.configuration)))
    }

    @Sendable
    private static func tree(_ call: Call) async throws -> Response {
        let environment = try await call.environment()
        let nodes = try await call.cloud.tree(of: try call.id("volumes"), in: environment.id, call.caller)
        return try .json(ListPayload(nodes.map { TreeNodePayload($0) }))
    }

    struct CreateBody: Decodable {
        @Lenient var name: String?
        @Lenient var diskOfferingId: String?
        @Lenient var sizeInGb: Int?
        @Lenient var instanceId: InstanceID?
        /// **ext**.
        @Lenient var poolId: String?
    }

    /// A blank volume.
    ///
    /// Unlike CloudMC's it needs no instance.
    @Sendable
    private static func create(_ call: Call) async throws -> Response {
        let environment = try await call.environment()
        let body: CreateBody = try await call.body()
        let asked = try Input.gibibytes(body.sizeInGb, "sizeInGb")
        let offering = try Input.required(body.diskOfferingId ?? asked.map { _ in "custom" }, "diskOfferingId")
        let request = CreateVolumeRequest(
            source: .blank(try await call.diskOfferings().size(of: offering, asked: asked, "sizeInGb")),
            name: try Input.requiredName(body.name),
            diskOffering: offering,
            instance: body.instanceId,
            pool: try Input.pool(body.poolId)
        )
        let submitted = try await call.cloud.createVolume(request, in: environment.id, call.caller)
        return try await call.answer(submitted.job)
    }

    @Sendable
    private static func delete(_ call: Call) async throws -> Response {
        let environment = try await call.environment()
        return try await call.answer(
            try await call.cloud.deleteVolume(try call.id("volumes"), in: environment.id, call.caller)
        )
    }

    // MARK: Operations

    struct AttachBody: Decodable {
        @Lenient var instanceId: InstanceID?
    }

    @Sendable
    private static func attach(_ call: Call) async throws -> Response {
        let environment = try await call.environment()
        let body: AttachBody = try await call.body()
        let submitted = try await call.cloud.attachVolume(
            try call.id("volumes"),
            to: try Input.required(body.instanceId, "instanceId"),
            in: environment.id,
            call.caller
        )
        return try await call.answer(submitted.job)
    }

    @Sendable
    private static func detach(_ call: Call) async throws -> Response {
        let environment = try await call.environment()
        let submitted = try await call.cloud.detachVolume(try call.id("volumes"), in: environment.id, call.caller)
        return try await call.answer(submitted.job)
    }

    struct ResizeBody: Decodable {
        @Lenient var sizeInGb: Int?
        @Lenient var diskOfferingId: String?
    }

    @Sendable
    private static func resize(_ call: Call) async throws -> Response {
        let environment = try await call.environment()
        let body: ResizeBody = try await call.body()
        var size = try Input.gibibytes(body.sizeInGb, "sizeInGb")
        if size == nil, let offering = body.diskOfferingId {
            size = try await call.diskOfferings().size(of: offering, asked: nil, "sizeInGb")
        }
        let submitted = try await call.cloud.resizeVolume(
            try call.id("volumes"),
            to: try Input.required(size, "sizeInGb"),
            in: environment.id,
            call.caller
        )
        return try await call.answer(submitted.job)
    }

    struct MoveBody: Decodable {
        @Lenient var poolId: String?
    }

    /// **ext**.
    @Sendable
    private static func move(_ call: Call) async throws -> Response {
        let environment = try await call.environment()
        let body: MoveBody = try await call.body()
        let submitted = try await call.cloud.moveVolume(
            try call.id("volumes"),
            to: try Input.required(try Input.pool(body.poolId), "poolId"),
            in: environment.id,
            call.caller
        )
        return try await call.answer(submitted.job)
    }

    struct SnapshotEnvelope: Decodable {
        var snapshot: SnapshotBody?
    }

    /// The body may hold the fields under `snapshot`, or be empty.
    @Sendable
    private static func createSnapshot(_ call: Call) async throws -> Response {
        let environment = try await call.environment()
        let body: SnapshotEnvelope = try await call.body()
        let request = try (body.snapshot ?? SnapshotBody()).request(.volume(try call.id("volumes")))
        let submitted = try await call.cloud.takeSnapshots(request, in: environment.id, call.caller)
        return try await call.answer(submitted.job)
    }

    struct UndoBody: Decodable {
        @Lenient var restartInstance: Bool?
    }

    @Sendable
    private static func undoRevert(_ call: Call) async throws -> Response {
        let environment = try await call.environment()
        let body: UndoBody = try await call.body()
        let submitted = try await call.cloud.revert(
            .undo(try call.id("volumes")),
            restarts: body.restartInstance ?? true,
            in: environment.id,
            call.caller
        )
        return try await call.answer(submitted.job)
    }
}
