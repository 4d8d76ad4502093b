import HTTPCommon
import HTTPTypes
import Hummingbird
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// `…/instances`, except their creation.
enum InstanceEndpoints {
    static let all: [Endpoint] = [
        .get(environmentRoot + "/instances", list),
        .get(environmentRoot + "/instances/:id", show),
        .post(environmentRoot + "/instances", InstanceCreation.create),
        .put(environmentRoot + "/instances/:id", update),
        .delete(environmentRoot + "/instances/:id", delete),
        .post(environmentRoot + "/instances/:id", operation: "start", start),
        .post(environmentRoot + "/instances/:id", operation: "stop", stop),
        .post(environmentRoot + "/instances/:id", operation: "reboot", reboot),
        .post(environmentRoot + "/instances/:id", operation: "recover", recover),
        .post(environmentRoot + "/instances/:id", operation: "purge", purge),
        .post(environmentRoot + "/instances/:id", operation: "createSnapshots", createSnapshots),
        .post(environmentRoot + "/instances/:id", operation: "revert", revert),
        .get(environmentRoot + "/instances/:id/console", console),
        .get(environmentRoot + "/instances/:id/screenshot", screenshot),
    ]

    @Sendable
    private static func list(_ call: Call) async throws -> Response {
        let environment = try await call.environment()
        let query = try ListQuery(call.query)
        var filter = InstanceFilter(environment: environment.id, text: query.search)
        // What was destroyed is listed for those who ask for it.
        if let state = query.state, state.lowercased() == ShownInstanceState.destroyed.rawValue.lowercased() {
            filter.states = [.destroyed]
        }
        let wanted = filter
        var list = ListAnswer<InstanceView>(order: .byName) { order, page async throws(ServiceError) in
            try await call.cloud.listInstances(wanted, order: order, page: page, call.caller)
        }
        if let state = query.state {
            list.refinement = { $0.shownState.rawValue.lowercased() == state.lowercased() }
        }
        return try await list.response(query) { InstancePayload($0, call.configuration) }
    }

    @Sendable
    private static func show(_ call: Call) async throws -> Response {
        let environment = try await call.environment()
        let view = try await call.cloud.instance(try call.id("instances"), in: environment.id, call.caller)
        return try .json(DataPayload(InstancePayload(view, call.configuration)))
    }

    struct UpdateBody: Decodable {
        @Lenient var name: String?
    }

    @Sendable
    private static func update(_ call: Call) async throws -> Response {
        let environment = try await call.environment()
        let body: UpdateBody = try await call.body()
        let view = try await call.cloud.renameInstance(
            try call.id("instances"),
            to: try Input.requiredName(body.name),
            in: environment.id,
            call.caller
        )
        return try call.answer(done: InstancePayload(view, call.configuration))
    }

    struct DeleteBody: Decodable {
        @Lenient var deleteSnapshots: Bool?
        /// Else it can be recovered for a while.
        @Lenient var purgeImmediately: Bool?
        var volumeIdsToDelete: [VolumeID]?
    }

    @Sendable
    private static func delete(_ call: Call) async throws -> Response {
        let environment = try await call.environment()
        let body: DeleteBody = try await call.body()
        let (id, volumes): (InstanceID, Set<VolumeID>) = (
            try call.id("instances"), Set(body.volumeIdsToDelete ?? [])
        )
        let deletesSnapshots = body.deleteSnapshots ?? false
        // What has lost its snapshots is not meant to come back.
        guard body.purgeImmediately ?? false || deletesSnapshots else {
            return try await call.answer(
                try await call.cloud.destroyInstance(id, with: volumes, in: environment.id, call.caller)
            )
        }
        let request = DeleteInstanceRequest(deletesSnapshots: deletesSnapshots, volumesToDelete: volumes)
        return try await call.answer(
            try await call.cloud.deleteInstance(id, request, in: environment.id, call.caller)
        )
    }

    @Sendable
    private static func recover(_ call: Call) async throws -> Response {
        let environment = try await call.environment()
        let view = try await call.cloud.recoverInstance(try call.id("instances"), in: environment.id, call.caller)
        return try call.answer(done: InstancePayload(view, call.configuration))
    }

    @Sendable
    private static func purge(_ call: Call) async throws -> Response {
        let environment = try await call.environment()
        return try await call.answer(
            try await call.cloud.deleteInstance(
                try call.id("instances"),
                DeleteInstanceRequest(onlyDestroyed: true),
                in: environment.id,
                call.caller
            )
        )
    }

    // MARK: Operations

    @Sendable
    private static func start(_ call: Call) async throws -> Response {
        let environment = try await call.environment()
        let submitted = try await call.cloud.startInstance(try call.id("instances"), in: environment.id, call.caller)
        return try await call.answer(submitted.job)
    }

    struct StopBody: Decodable {
        @Lenient var forceStop: Bool?
    }

    @Sendable
    private static func stop(_ call: Call) async throws -> Response {
        let environment = try await call.environment()
        let body: StopBody = try await call.body()
        let submitted = try await call.cloud.stopInstance(
            try call.id("instances"),
            isForced: body.forceStop ?? false,
            in: environment.id,
            call.caller
        )
        return try await call.answer(submitted.job)
    }

    @Sendable
    private static func reboot(_ call: Call) async throws -> Response {
        let environment = try await call.environment()
        let submitted = try await call.cloud.rebootInstance(try call.id("instances"), in: environment.id, call.caller)
        return try await call.answer(submitted.job)
    }

    @Sendable
    private static func createSnapshots(_ call: Call) async throws -> Response {
        let environment = try await call.environment()
        let body: SnapshotBody = try await call.body()
        let request = try body.request(.instance(try call.id("instances")))
        let submitted = try await call.cloud.takeSnapshots(request, in: environment.id, call.caller)
        return try await call.answer(submitted.job)
    }

    struct RevertBody: Decodable {
        @Lenient var groupId: SnapshotGroupID?
        @Lenient var restartInstance: Bool?
        /// **ext**: whether the instance goes on from the group's memory, where there is one.
        @Lenient var resume: Bool?
    }

    @Sendable
    private static func revert(_ call: Call) async throws -> Response {
        let environment = try await call.environment()
        let id: InstanceID = try call.id("instances")
        let body: RevertBody = try await call.body()
        let submitted = try await call.cloud.revert(
            .group(try Input.required(body.groupId, "groupId"), of: id),
            restarts: body.restartInstance ?? true,
            memory: body.resume ?? true ? .resume : .ignore,
            in: environment.id,
            call.caller
        )
        return try await call.answer(submitted.job) { () async throws(ServiceError) in
            try await call.results.instance(id, in: environment.id)
        }
    }

    // MARK: What it shows

    /// The console's text from a byte offset on; `X-Next-Offset` says where to go on.
    @Sendable
    private static func console(_ call: Call) async throws -> Response {
        let environment = try await call.environment()
        let text = try await call.cloud.console(
            of: try call.id("instances"),
            from: Int64(max(0, try call.query.integer("offset") ?? 0)),
            atMost: min(max(1, try call.query.integer("limit") ?? 64 << 10), 1 << 20),
            in: environment.id,
            call.caller
        )
        return .text(text.text, headers: [.nextOffset: "\(text.nextOffset)"])
    }

    @Sendable
    private static func screenshot(_ call: Call) async throws -> Response {
        let environment = try await call.environment()
        let png = try await call.cloud.screenshot(of: try call.id("instances"), in: environment.id, call.caller)
        return .data(png, type: "image/png")
    }
}

extension HTTPField.Name {
    static let nextOffset = known("X-Next-Offset")
}

extension String {
    /// Whether it contains a text, in any letter case.
    func matches(_ search: String) -> Bool {
        lowercased().contains(search.lowercased())
    }
}
