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

    init(_ status: ServiceStatus) {
        version = status.version
        accelerator = AcceleratorPayload(kind: status.accelerator.kind.rawValue, reason: status.accelerator.reason)
        pools = status.pools.map { PoolPayload($0) }
        runningTasks = status.runningJobs
        queuedTasks = status.queuedJobs
        damagedSnapshots = status.damagedSnapshots
        savedMemoryBytes = status.savedMemory.bytes
    }
}
