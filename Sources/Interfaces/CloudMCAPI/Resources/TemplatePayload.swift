import Foundation
import SnapshotDomain
import SnapshotServices

/// A template on the wire.
///
/// Fields after `projectId` are **ext**.
struct TemplatePayload: Encodable, Sendable {
    let id: String
    let name: String
    let description: String
    let defaultUsername = ""
    /// In bytes.
    let size: Int64
    let availablePublicly: Bool
    let ready: Bool
    let dynamicallyScalable: Bool
    let extractable = false
    let resizable = true
    let sshKeyEnabled: Bool
    let passwordEnabled: Bool
    let created: String
    let zoneId: String
    let zoneName: String
    let availableInZones: [String]
    let osTypeId: String
    let osTypeName: String
    let osType: String
    let hypervisor = "KVM"
    let format = "QCOW2"
    let url = ""
    let projectId: String

    let state: String
    let sizeInGb: Int64
    let exclusiveBytes: Int64
    let sharedBytes: Int64
    let poolId: String
    /// Where it is, its own pool first.
    let pools: [String]
    let taskId: String?
    let queuePosition: Int?
    let progress: ProgressPayload?
    let error: ErrorPayload?

    init(_ view: TemplateView, _ configuration: CloudMCConfiguration) {
        let template = view.template
        id = template.id.description
        name = template.name.description
        description = template.description
        size = template.size.bytes
        availablePublicly = template.options.isPublic
        state = view.shownState.rawValue
        ready = state == "Ready"
        dynamicallyScalable = template.options.isDynamicallyScalable
        sshKeyEnabled = template.options.isSSHKeyEnabled
        passwordEnabled = template.options.isPasswordEnabled
        created = UTCStamp.iso8601(template.createdAt)
        zoneId = configuration.zoneID
        zoneName = configuration.zoneName
        availableInZones = [configuration.zoneID]
        osTypeId = template.options.osType
        osTypeName = OSType.all.first { $0.id == template.options.osType }?.name ?? template.options.osType
        osType = osTypeName
        projectId = template.environment.description
        sizeInGb = template.size.wholeGibibytes
        exclusiveBytes = view.space.exclusive.bytes
        sharedBytes = view.space.shared.bytes
        poolId = template.pool.description
        pools = view.pools.map(\.description)
        taskId = view.activity.job?.description
        queuePosition = view.activity.queuePosition
        progress = view.activity.progress.map(ProgressPayload.init)
        error = view.failure.map { ErrorPayload($0) }
    }
}
