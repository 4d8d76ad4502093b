import HTTPCommon
import Hummingbird
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// **ext** `/status`: what the service runs on, and how full it is.
enum StatusEndpoints {
    static let all: [Endpoint] = [
        .get("/status") { call in
            try .json(DataPayload(StatusPayload(try await call.cloud.status(call.caller))))
        }
    ]
}

struct StatusPayload: Encodable, Sendable {
    let version: String
    let accelerator: AcceleratorPayload
    let pools: [PoolPayload]
    let runningTasks: Int
    let queuedTasks: Int
    let damagedSnapshots: Int
    let savedMemoryBytes: Int64

    struct AcceleratorPayload: Encodable, Sendable {
        let kind: String
        let reason: String
    }

    struct PoolPayload: Encodable, Sendable {
        let id: String
        let totalBytes: Int64?
        let freeBytes: Int64?
        /// The ledger: exclusive + shared + collectable = layers.
        let layerBytes: Int64
        let exclusiveBytes: Int64
        let sharedBytes: Int64
        let collectableBytes: Int64
        let trouble: String?
    }

    init(_ status: ServiceStatus) {
        version = status.version
        accelerator = AcceleratorPayload(kind: status.accelerator.kind.rawValue, reason: status.accelerator.reason)
        pools = status.pools.map { pool in
            let account = pool.account
            return PoolPayload(
                id: pool.pool.description,
                totalBytes: pool.capacity?.total.bytes,
                freeBytes: pool.capacity?.free.bytes,
                layerBytes: account.total.bytes,
                exclusiveBytes: (account.total - account.shared - account.collectable).bytes,
                sharedBytes: account.shared.bytes,
                collectableBytes: account.collectable.bytes,
                trouble: pool.trouble
            )
        }
        runningTasks = status.runningJobs
        queuedTasks = status.queuedJobs
        damagedSnapshots = status.damagedSnapshots
        savedMemoryBytes = status.savedMemory.bytes
    }
}
