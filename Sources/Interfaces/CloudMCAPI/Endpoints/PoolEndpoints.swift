import HTTPCommon
import Hummingbird
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// **ext** `/pools`: where volumes, snapshots and templates lie.
enum PoolEndpoints {
    static let all: [Endpoint] = [
        .get("/pools", list),
        .get("/pools/:id", show),
        .post("/pools/:id", operation: "check", check),
    ]

    @Sendable
    private static func list(_ call: Call) async throws -> Response {
        let pools = try await call.cloud.listPools(call.caller)
        let list = ListAnswer(order: .byName) { _, page async throws(ServiceError) in page.cut(pools) }
        return try await list.response(try ListQuery(call.query)) { PoolPayload($0) }
    }

    @Sendable
    private static func show(_ call: Call) async throws -> Response {
        let name = try Input.required(call.part("id"), "id")
        guard let pool = try await call.cloud.listPools(call.caller).first(where: { $0.pool.description == name })
        else {
            throw ServiceError(.notFound, "There is no pool '\(name.prefix(64))'; the list is at pools.")
        }
        return try .json(DataPayload(PoolPayload(pool)))
    }

    /// Answers when it is done: it takes a second, and at most a few times twenty.
    @Sendable
    private static func check(_ call: Call) async throws -> Response {
        let name = try Input.required(call.part("id"), "id")
        guard let pool = PoolID(name) else {
            throw ServiceError(.notFound, "There is no pool '\(name.prefix(64))'; the list is at pools.")
        }
        return try .json(DataPayload(PoolCheckPayload(try await call.cloud.checkPool(pool, call.caller))))
    }
}

struct PoolPayload: Encodable, Sendable {
    let id: String
    let name: String
    /// `ready`, `starting`, `down` or `not_configured`.
    let state: String
    let since: String?
    let kind: String
    /// For operators.
    let place: String?
    let isDefault: Bool
    let totalBytes: Int64?
    let freeBytes: Int64?
    let reserveBytes: Int64
    let maxBytes: Int64?
    let layers: Int
    /// The ledger: exclusive + shared + collectable = layers.
    let layerBytes: Int64
    let exclusiveBytes: Int64
    let sharedBytes: Int64
    let collectableBytes: Int64
    /// Why it is down, or what it lacks, and what to do.
    let trouble: String?

    init(_ pool: PoolStatus) {
        let account = pool.account
        id = pool.pool.description
        name = id
        state = pool.state.rawValue
        since = pool.since.map(UTCStamp.iso8601)
        kind = pool.kind
        place = pool.place.isEmpty ? nil : pool.place
        isDefault = pool.isDefault
        totalBytes = pool.capacity?.total.bytes
        freeBytes = pool.capacity?.free.bytes
        reserveBytes = pool.reserve.bytes
        maxBytes = pool.limit?.bytes
        layers = pool.layerCount
        layerBytes = account.total.bytes
        exclusiveBytes = (account.total - account.shared - account.collectable).bytes
        sharedBytes = account.shared.bytes
        collectableBytes = account.collectable.bytes
        trouble = pool.trouble
    }
}

struct PoolCheckPayload: Encodable, Sendable {
    let id: String
    let good: Bool
    let bytes: Int64
    let steps: [StepPayload]

    struct StepPayload: Encodable, Sendable {
        /// `answer`, `create`, `write`, `read` or `delete`.
        let step: String
        let milliseconds: Double
        let slow: Bool
        let error: ErrorPayload?
    }

    init(_ check: PoolCheck) {
        id = check.pool.description
        good = check.isGood
        bytes = check.bytes.bytes
        steps = check.findings.map { finding in
            StepPayload(
                step: finding.step.rawValue,
                milliseconds: (finding.duration / .milliseconds(1) * 10).rounded() / 10,
                slow: finding.isSlow,
                error: finding.failure.map { ErrorPayload($0) }
            )
        }
    }
}
