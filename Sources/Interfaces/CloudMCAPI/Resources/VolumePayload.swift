import Foundation
import SnapshotDomain
import SnapshotServices

/// A volume on the wire.
///
/// Fields after `templateId` are **ext**.
struct VolumePayload: Encodable, Sendable {
    let id: String
    let name: String
    let type: String
    let creationDate: String
    let instanceId: String?
    let instanceName: String?
    let instanceState: String?
    let zoneId: String
    let zoneName: String
    let diskOfferingId: String?
    let diskOfferingName: String?
    let state: String
    let sizeInGb: Int64
    let iops: Int
    let templateId: String?

    let virtualSize: Int64
    let exclusiveBytes: Int64
    let sharedBytes: Int64
    let poolId: String
    let slot: Int?
    /// The layers that a read may pass through.
    let chainDepth: Int
    /// What the pool lacks to shorten a chain that is too long.
    let chainMissingBytes: Int64?
    /// What `undoRevert` would bring back, and until when.
    let undoSnapshotId: String?
    let undoExpiresAt: String?
    let taskId: String?
    let queuePosition: Int?
    let progress: ProgressPayload?
    let error: ErrorPayload?

    init(_ view: VolumeView, _ configuration: CloudMCConfiguration) {
        let volume = view.volume
        id = volume.id.description
        name = volume.name.description
        type = StateWords.word(volume.role)
        creationDate = UTCStamp.iso8601(volume.createdAt)
        instanceId = view.instance?.id.description
        instanceName = view.instance?.name.description
        instanceState = view.instance.map { _ in view.isInstanceRunning ? "Running" : "Stopped" }
        zoneId = configuration.zoneID
        zoneName = configuration.zoneName
        diskOfferingId = volume.diskOffering
        diskOfferingName = view.offeringName
        state = view.shownState.rawValue
        sizeInGb = volume.size.wholeGibibytes
        // No limit is set on a volume's rate.
        iops = 0
        templateId = volume.template?.description
        virtualSize = volume.size.bytes
        exclusiveBytes = view.space.exclusive.bytes
        sharedBytes = view.space.shared.bytes
        poolId = volume.pool.description
        slot = volume.attachment?.slot
        chainDepth = view.chain.layers
        chainMissingBytes = view.chain.missingRoom?.bytes
        undoSnapshotId = view.undo?.id.description
        if case .undo(_, let expiresAt) = view.undo?.origin {
            undoExpiresAt = UTCStamp.iso8601(expiresAt)
        } else {
            undoExpiresAt = nil
        }
        taskId = view.activity.job?.description
        queuePosition = view.activity.queuePosition
        progress = view.activity.progress.map(ProgressPayload.init)
        error = view.failure.map { ErrorPayload($0) }
    }
}

/// **ext**: one step of a volume's history.
struct TreeNodePayload: Encodable, Sendable {
    let layerId: String
    let parentId: String?
    /// The volumes, snapshots and templates that are at this step.
    let pins: [PinPayload]
    let allocatedBytes: Int64
    /// The volume that was asked about writes here.
    let isHere: Bool

    init(_ node: TreeNode) {
        layerId = node.layer.description
        parentId = node.parent?.description
        pins = node.pins.map { PinPayload($0) }
        allocatedBytes = node.allocated.bytes
        isHere = node.isHere
    }
}
