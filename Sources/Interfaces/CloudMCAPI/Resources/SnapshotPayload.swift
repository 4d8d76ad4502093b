import Foundation
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// A snapshot on the wire.
///
/// Fields after `volumeType` are **ext**.
struct SnapshotPayload: Encodable, Sendable {
    let id: String
    let name: String
    let state: String
    let intervalType: String
    let volumeId: String
    /// The volume's name.
    let volume: String
    let volumeType: String

    let description: String
    let creationDate: String
    let instanceId: String?
    let instanceName: String?
    let zoneId: String
    let sizeInGb: Int64
    let virtualSize: Int64
    let physicalSize: Int64
    let exclusiveBytes: Int64
    let sharedBytes: Int64
    let poolId: String
    let rapid: Bool
    let groupId: String?
    let consistency: String
    let consistencyRequested: String
    let freezeMilliseconds: Int?
    let agentAnswer: String?
    /// What the memory that was saved with its group takes; nil without one.
    let memoryBytes: Int64?
    let memoryDigest: String?
    let digest: String?
    let verifiedAt: String?
    /// When a verification found its content damaged; `error` says what is wrong.
    let damagedAt: String?
    let undoOfVolumeId: String?
    let expiresAt: String?
    let parentId: String?
    let dependents: [PinPayload]
    let taskId: String?
    let queuePosition: Int?
    let progress: ProgressPayload?
    let error: ErrorPayload?

    init(_ view: SnapshotView, zoneID: String) {
        let snapshot = view.snapshot
        id = snapshot.id.description
        name = snapshot.name.description
        state = view.shownState.rawValue
        volumeId = snapshot.source.volume.description
        volume = snapshot.source.volumeName.description
        volumeType = StateWords.word(snapshot.source.role)
        description = snapshot.description
        creationDate = UTCStamp.iso8601(snapshot.createdAt)
        instanceId = snapshot.source.instance?.description
        instanceName = snapshot.source.instanceName?.description
        zoneId = zoneID
        sizeInGb = snapshot.size.wholeGibibytes
        virtualSize = snapshot.size.bytes
        physicalSize = (view.space.exclusive + view.space.shared).bytes
        exclusiveBytes = view.space.exclusive.bytes
        sharedBytes = view.space.shared.bytes
        poolId = snapshot.pool.description
        rapid = true
        groupId = snapshot.group?.description
        consistency = snapshot.consistency.achieved.rawValue
        consistencyRequested = snapshot.consistency.requested.rawValue
        freezeMilliseconds = snapshot.consistency.freezeMilliseconds
        agentAnswer = snapshot.consistency.agentAnswer
        memoryBytes = (view.memory?.size).map(\.bytes)
        memoryDigest = (view.memory?.digest).map(\.description)
        digest = snapshot.verification?.digest.description
        verifiedAt = (snapshot.verification?.verifiedAt).map(UTCStamp.iso8601)
        damagedAt = (snapshot.damage?.foundAt).map(UTCStamp.iso8601)
        switch snapshot.origin {
        case .manual:
            intervalType = "MANUAL"
            (undoOfVolumeId, expiresAt) = (nil, nil)
        case .undo(let volume, let instant):
            intervalType = "UNDO"
            (undoOfVolumeId, expiresAt) = (volume.description, UTCStamp.iso8601(instant))
        }
        parentId = view.parent?.description
        dependents = view.dependents.map { PinPayload($0) }
        taskId = view.activity.job?.description
        queuePosition = view.activity.queuePosition
        progress = view.activity.progress.map(ProgressPayload.init)
        error = view.failure.map { ErrorPayload($0) }
    }
}

/// The snapshots of an instance's volumes, taken at one instant.
struct SnapshotGroupPayload: Encodable, Sendable {
    let groupId: String?
    let snapshots: [SnapshotPayload]
}

/// What a verification found.
struct VerificationPayload: Encodable, Sendable {
    let id: String
    let digest: String?
    let verifiedAt: String?

    init(_ view: SnapshotView) {
        id = view.snapshot.id.description
        digest = view.snapshot.verification?.digest.description
        verifiedAt = (view.snapshot.verification?.verifiedAt).map(UTCStamp.iso8601)
    }
}

/// **ext**: what deleting a set of snapshots will do.
struct DeletionPlanPayload: Encodable, Sendable {
    let snapshots: [IdentityPayload]
    let freedBytesAtLeast: Int64
    let freedBytesAtMost: Int64
    /// What merging will copy at most.
    let copiedBytes: Int64
    /// Layers that nobody reads any more, that become one with another, and that have to stay for the time being.
    let unlinkedLayers: Int
    let mergedLayers: Int
    let keptLayers: Int
    /// What reads through the snapshots.
    ///
    /// Nothing happens to it.
    let dependents: [PinPayload]

    init(_ view: DeletionPlanView) {
        snapshots = view.snapshots.map { IdentityPayload(id: $0.id.description) }
        freedBytesAtLeast = view.plan.freedAtLeast.bytes
        freedBytesAtMost = view.plan.freedAtMost.bytes
        copiedBytes = view.plan.copied.bytes
        unlinkedLayers = view.plan.unlinked.count
        mergedLayers = view.plan.merges.count
        keptLayers = view.plan.kept.count
        dependents = view.dependents.map { PinPayload($0) }
    }
}
