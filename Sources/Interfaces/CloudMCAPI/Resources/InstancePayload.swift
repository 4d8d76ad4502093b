import Foundation
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// An instance on the wire.
///
/// Fields after `publicIps` are **ext**. Documented fields of things that this service does not have (networks,
/// affinity groups, keys) are empty.
struct InstancePayload: Encodable, Sendable {
    let id: String
    let name: String
    let affinityGroupIds: [String] = []
    let computeOfferingId: String
    let computeOfferingName: String
    let cpuCount: Int
    let hostname: String
    let imageId: String?
    let imageName: String?
    let templateId: String?
    let templateName: String?
    let ipAddress: String
    let isPasswordEnabled = false
    let macAddress: String
    let memoryInMB: Int64
    let networkId: String
    let networkName: String
    let state: String
    let username = ""
    let vpcId = ""
    let vpcName = ""
    let zoneId: String
    let zoneName: String
    let userData = ""
    let nics: [NicPayload]
    let publicIps: [String] = []

    let creationDate: String
    let volumes: [AttachedVolumePayload]
    /// What the owner wants it to do, whatever it does.
    let wantedState: String
    /// Why the state is `Unknown`.
    let stateReason: String?
    /// Only where one instance is shown: whether the guest's agent answers, and where its SSH can be reached on loopback.
    let isAgentAnswering: Bool?
    let ipAddresses: [String]?
    let sshPort: Int?
    let taskId: String?
    let queuePosition: Int?
    let progress: ProgressPayload?
    let error: ErrorPayload?

    struct NicPayload: Encodable, Sendable {
        let id: String
        let isDefault: Bool
        let networkId: String
    }

    struct AttachedVolumePayload: Encodable, Sendable {
        let id: String
        let name: String
        let type: String
        let sizeInGb: Int64
        let slot: Int?
    }

    init(_ view: InstanceView, _ configuration: CloudMCConfiguration) {
        let instance = view.instance
        id = instance.id.description
        name = instance.name.description
        computeOfferingId = instance.computeOffering
        computeOfferingName = view.offeringName ?? instance.computeOffering
        cpuCount = instance.cpuCount
        hostname = view.guest?.hostname ?? instance.name.description
        imageId = instance.template?.description
        imageName = view.templateName?.description
        templateId = imageId
        templateName = imageName
        ipAddress = view.guest?.addresses.first ?? ""
        macAddress = instance.macAddress
        memoryInMB = instance.memory.bytes >> 20
        networkId = instance.network.rawValue
        networkName = instance.network.wireName
        state = view.shownState.rawValue
        zoneId = configuration.zoneID
        zoneName = configuration.zoneName
        nics =
            instance.network == .isolated
            ? [] : [NicPayload(id: instance.macAddress, isDefault: true, networkId: instance.network.rawValue)]
        creationDate = UTCStamp.iso8601(instance.createdAt)
        volumes = view.volumes.map { volume in
            AttachedVolumePayload(
                id: volume.id.description,
                name: volume.name.description,
                type: StateWords.word(volume.role),
                sizeInGb: volume.size.wholeGibibytes,
                slot: volume.attachment?.slot
            )
        }
        switch instance.power {
        case .running: wantedState = "Running"
        case .stopped: wantedState = "Stopped"
        }
        switch view.status {
        case .running, .stopped: stateReason = nil
        case .paused(let reason): stateReason = reason
        case .unresponsive: stateReason = "The machine's program runs and does not answer."
        }
        isAgentAnswering = view.guest?.isAgentAnswering
        ipAddresses = view.guest?.addresses
        sshPort = view.guest?.sshPort
        taskId = view.activity.job?.description
        queuePosition = view.activity.queuePosition
        progress = view.activity.progress.map(ProgressPayload.init)
        error = view.failure.map { ErrorPayload($0) }
    }
}

extension NetworkMode {
    var wireName: String {
        switch self {
        case .isolated: "Isolated"
        case .user: "User-mode network"
        }
    }
}

/// Several instances of one deployment.
struct InstancesPayload: Encodable, Sendable {
    let instances: [InstancePayload]
}
