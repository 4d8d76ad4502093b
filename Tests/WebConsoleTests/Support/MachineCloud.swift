import Foundation
import SnapshotPorts
import Synchronization
import TestKit

@testable import SnapshotDomain
@testable import SnapshotServices

/// Instances in several states, with volumes, snapshots and templates; it remembers what it was asked to do.
final class MachineCloud: StubCloud {
    enum Act: Hashable, Sendable {
        case start(InstanceID)
        case stop(InstanceID, isForced: Bool)
        case reboot(InstanceID)
        case rename(InstanceID, to: String)
        case delete(InstanceID, snapshots: Bool, volumes: Set<VolumeID>)
        case destroy(InstanceID, volumes: Set<VolumeID>)
        case recover(InstanceID)
        case revert(RevertTarget, restarts: Bool)
        case deploy(Deployment)
    }

    struct Deployment: Hashable, Sendable {
        var source: DeploymentSource
        var name: String
        var count = 1
        var offering = "tiny"
        var cpuCount: Int?
        var memory: ByteCount?
        var network = NetworkMode.user
        var root: ByteCount?
        var data: ByteCount?
        var starts = true
        var environment = Sample.production.id
    }

    static let running: InstanceID = Sample.id(10)
    static let stopped: InstanceID = Sample.id(11)
    static let failed: InstanceID = Sample.id(12)
    static let group: SnapshotGroupID = Sample.id(60)
    static let lone: SnapshotID = Sample.id(32)

    let environments = Sample.environments
    private let isEmpty: Bool
    private let acts = Mutex<[Act]>([])

    /// - Parameter isEmpty: There is nothing but the environments.
    init(isEmpty: Bool = false) {
        self.isEmpty = isEmpty
    }

    var changes: [Act] { acts.withLock(\.self) }

    private func note(_ act: Act) { acts.withLock { $0.append(act) } }

    func principal(restKey: String, address: String?) async throws(ServiceError) -> Principal? { nil }

    // MARK: What there is

    private static let instances: [InstanceView] = {
        var running = Sample.instance(10)
        running.guest = GuestFacts(
            isAgentAnswering: true,
            addresses: ["10.0.2.15"],
            hostname: "web-host",
            sshPort: 40_022
        )
        running.volumes = volumes.map(\.volume)
        var stopped = Sample.instance(11, status: .stopped)
        stopped.instance.network = .isolated
        stopped.instance.template = nil
        stopped.templateName = nil
        var failed = Sample.instance(12, state: .failed(reason: "No room."), status: .stopped)
        failed.failure = ServiceError(.noSpace, "No room.")
        return [running, stopped, failed, Sample.instance(13, status: .unresponsive)]
    }()

    private static let volumes: [VolumeView] = {
        var data = Sample.volume(21)
        data.volume.name = Sample.name("DATA-web10")
        data.volume.role = .data
        data.volume.attachment?.slot = 1
        return [data, Sample.volume(20)]
    }()

    private static let snapshots: [SnapshotView] = {
        var second = Sample.snapshot(31, name: "before-upgrade_data", group: group, role: .data)
        second.snapshot.source.volume = Sample.id(21)
        second.snapshot.source.volumeName = Sample.name("DATA-web10")
        var lone = Sample.snapshot(32, name: "lone", role: .data)
        lone.snapshot.source.volume = Sample.id(21)
        var undo = Sample.snapshot(33, name: "undo")
        undo.snapshot.origin = .undo(of: Sample.id(20), expiresAt: Sample.instant)
        return [undo, lone, second, Sample.snapshot(30, group: group)]
    }()

    func listInstances(_ filter: InstanceFilter, order: ListOrder, page: PageRequest, _ call: CallContext)
        async throws(ServiceError) -> CatalogPage<InstanceView>
    {
        let found = isEmpty ? [] : Self.instances.filter { $0.instance.name.description.contains(filter.text ?? "web") }
        return CatalogPage(rows: found, total: found.count)
    }

    func instance(_ id: InstanceID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> InstanceView
    {
        guard let view = Self.instances.first(where: { $0.instance.id == id }) else {
            throw ServiceError(.notFound, "There is no such instance.")
        }
        return view
    }

    func listVolumes(_ filter: VolumeFilter, order: ListOrder, page: PageRequest, _ call: CallContext)
        async throws(ServiceError) -> CatalogPage<VolumeView>
    { CatalogPage(rows: Self.volumes, total: Self.volumes.count) }

    func listSnapshots(_ filter: SnapshotFilter, order: ListOrder, page: PageRequest, _ call: CallContext)
        async throws(ServiceError) -> CatalogPage<SnapshotView>
    {
        let found = Self.snapshots.map(\.snapshot).filter { snapshot in
            (filter.volume ?? snapshot.source.volume) == snapshot.source.volume
                && (filter.instance ?? snapshot.source.instance) == snapshot.source.instance
                && (filter.group == nil || filter.group == snapshot.group)
        }.map(\.id)
        let views = Self.snapshots.filter { found.contains($0.snapshot.id) }
        return CatalogPage(rows: Array(views.prefix(page.limit)), total: views.count)
    }

    func snapshot(_ id: SnapshotID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> SnapshotView
    {
        guard let view = Self.snapshots.first(where: { $0.snapshot.id == id }) else {
            throw ServiceError(.notFound, "There is no such snapshot.")
        }
        return view
    }

    func listTemplates(_ filter: TemplateFilter, order: ListOrder, page: PageRequest, _ call: CallContext)
        async throws(ServiceError) -> CatalogPage<TemplateView>
    { isEmpty ? CatalogPage(rows: [], total: 0) : CatalogPage(rows: [Sample.template()], total: 1) }

    func status(_ call: CallContext) async throws(ServiceError) -> ServiceStatus {
        ServiceStatus(
            version: "1",
            accelerator: Accelerator(kind: .tcg, reason: "no hardware"),
            pools: [],
            runningJobs: 0,
            queuedJobs: 0
        )
    }

    func console(
        of id: InstanceID,
        from offset: Int64,
        atMost limit: Int,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> ConsoleText {
        // Past its end there is only the beginning of a colour.
        offset >= 100
            ? ConsoleText(text: "more\r\n\u{1B}[3", nextOffset: 110)
            : ConsoleText(text: "\u{1B}[1mlogin:\u{1B}[0m <b>\r\n", nextOffset: 100)
    }

    func screenshot(of id: InstanceID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Data
    { Data("picture".utf8) }

    // MARK: What is done

    private func submitted(_ id: InstanceID) async throws(ServiceError) -> Submitted<InstanceView> {
        Submitted(job: Sample.id(70), resource: try await instance(id, in: Sample.production.id, Self.nobody))
    }

    private static let nobody = CallContext(principal: Sample.principal, requestID: "")

    func startInstance(_ id: InstanceID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Submitted<InstanceView>
    {
        note(.start(id))
        return try await submitted(id)
    }

    func stopInstance(_ id: InstanceID, isForced: Bool, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Submitted<InstanceView>
    {
        note(.stop(id, isForced: isForced))
        return try await submitted(id)
    }

    func rebootInstance(_ id: InstanceID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Submitted<InstanceView>
    {
        note(.reboot(id))
        return try await submitted(id)
    }

    func renameInstance(_ id: InstanceID, to name: ResourceName, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> InstanceView
    {
        note(.rename(id, to: name.description))
        return try await instance(id, in: environment, call)
    }

    func destroyInstance(
        _ id: InstanceID,
        with volumesToDestroy: Set<VolumeID>,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> JobID {
        note(.destroy(id, volumes: volumesToDestroy))
        return Sample.id(70)
    }

    func recoverInstance(_ id: InstanceID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> InstanceView
    {
        note(.recover(id))
        return try await instance(id, in: environment, call)
    }

    func deleteInstance(
        _ id: InstanceID,
        _ request: DeleteInstanceRequest,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> JobID {
        note(.delete(id, snapshots: request.deletesSnapshots, volumes: request.volumesToDelete))
        return Sample.id(70)
    }

    func revert(
        _ target: RevertTarget,
        restarts: Bool,
        memory: MemoryUse,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> Submitted<[VolumeView]> {
        note(.revert(target, restarts: restarts))
        return Submitted(job: Sample.id(70), resource: Self.volumes)
    }

    func deploy(_ request: DeployRequest, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Submitted<[InstanceView]>
    {
        note(
            .deploy(
                Deployment(
                    source: request.source,
                    name: request.name.description,
                    count: request.count,
                    offering: request.computeOffering,
                    cpuCount: request.cpuCount,
                    memory: request.memory,
                    network: request.network,
                    root: request.rootVolumeSize,
                    data: request.dataVolumeSize,
                    starts: request.startsInstances,
                    environment: environment
                )
            )
        )
        let made = (0..<request.count).map { Sample.instance(UInt8(100 + $0)) }
        return Submitted(job: Sample.id(70), resource: made)
    }
}
