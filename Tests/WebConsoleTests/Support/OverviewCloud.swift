import Foundation
import SnapshotPorts
import Synchronization
import TestKit

@testable import SnapshotDomain
@testable import SnapshotServices

/// An environment with something of everything, two open jobs, and a log; it remembers what it was asked to do.
final class OverviewCloud: StubCloud {
    enum Act: Hashable, Sendable {
        case cancel(JobID)
        case list(ActivityFilter, offset: Int)
        case create(String, description: String)
        case update(String, description: String)
        case delete(EnvironmentID)
    }

    let environments = Sample.environments
    private let isEmpty: Bool
    private let done = Mutex<[Act]>([])

    init(isEmpty: Bool = false) {
        self.isEmpty = isEmpty
    }

    var acts: [Act] { done.withLock(\.self) }

    private func note(_ act: Act) { done.withLock { $0.append(act) } }

    func principal(restKey: String, address: String?) async throws(ServiceError) -> Principal? { nil }

    func overview(
        of environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> EnvironmentOverview {
        guard !isEmpty else { return EnvironmentOverview(census: Census(), openTasks: [], pools: []) }
        var running = Sample.task(.createTemplate, .running, subjects: [])
        running.progress = JobProgress(doneBytes: .gibibytes(1), totalBytes: .gibibytes(4))
        var waiting = Sample.task(.createSnapshots, .queued, subjects: [])
        waiting.queuePosition = 2
        return EnvironmentOverview(
            census: Census(
                instances: Self.counts(Self.instances.map(\.instance.state)),
                runningInstances: 2,
                volumes: Self.counts(Self.volumes.map(\.volume.state)),
                snapshots: Self.counts(Self.snapshots.map(\.snapshot.state)),
                templates: [.available: 1]
            ),
            openTasks: [running, waiting],
            pools: [
                PoolStatus(
                    pool: .local,
                    capacity: PoolCapacity(total: .gibibytes(100), free: .gibibytes(60)),
                    account: Self.account,
                    trouble: nil
                ),
                PoolStatus(pool: .local, capacity: nil, account: Self.account, trouble: "It is gone."),
            ]
        )
    }

    /// A base of 10 GiB that two volumes read, each with layers of its own: 3 GiB and 2 GiB.
    private static let account: SpaceAccount = {
        func layer(_ number: UInt8, on parent: LayerID?, _ allocated: Int64) -> Layer {
            Layer(
                id: Sample.id(number),
                pool: .local,
                parent: parent,
                size: .gibibytes(20),
                allocated: .gibibytes(allocated),
                phase: .ready
            )
        }
        let base: LayerID = Sample.id(40)
        return SpaceAccount(
            LayerTree(
                layers: [layer(40, on: nil, 10), layer(41, on: base, 3), layer(42, on: base, 2)],
                pins: [
                    (Sample.id(41), Pin.volume(Sample.id(20))), (Sample.id(42), Pin.volume(Sample.id(21))),
                ]
            )
        )
    }()

    func listActivity(_ filter: ActivityFilter, page: PageRequest, _ call: CallContext)
        async throws(ServiceError) -> CatalogPage<ActivityEntry>
    {
        note(.list(filter, offset: page.offset))
        guard !isEmpty, filter.event != "snapshots.verify" else { return CatalogPage(rows: [], total: 0) }
        func entry(
            _ id: Int64,
            _ event: String,
            _ name: String,
            _ status: ActivityEntry.Status,
            _ message: String? = nil
        ) -> ActivityEntry {
            ActivityEntry(
                id: id,
                environment: Sample.production.id,
                actor: Actor(user: Sample.id(9), name: "ada", address: "192.0.2.7"),
                event: event,
                subjectKind: String(event.prefix { $0 != "." }),
                subjectID: (Sample.id(30) as SnapshotID).description,
                subjectName: name,
                job: nil,
                status: status,
                message: message,
                createdAt: Sample.instant
            )
        }
        let rows = [
            entry(5, "members.set", "eva", .succeeded, "editor"),
            entry(4, "snapshots.create", "kept", .succeeded),
            entry(3, "snapshots.create", "never", .failed, "The pool is full."),
            entry(2, "snapshots.delete", "<b>gone</b>", .succeeded),
            entry(1, "planets.align", "all", .cancelled),
        ]
        return CatalogPage(rows: rows, total: 60)
    }

    // MARK: What the census counts

    private static let instances: [InstanceView] = [
        Sample.instance(10), Sample.instance(11, status: .unresponsive), stopped,
        Sample.instance(13, state: .failed(reason: "No room.")),
    ]

    private static let stopped: InstanceView = {
        var view = Sample.instance(12, status: .stopped)
        view.instance.power = .stopped
        return view
    }()

    private static let volumes = (20..<27).map { Sample.volume($0) }

    private static let snapshots =
        (1...20).map { Sample.snapshot($0) } + [
            Sample.snapshot(21, state: .creating(Sample.id(71))), Sample.snapshot(22, state: .deleting(Sample.id(72))),
            Sample.snapshot(23, state: .deleting(Sample.id(72))),
        ]

    /// One is public, and of another environment.
    private static let templates = [Sample.template(), Sample.template(51, in: Sample.laboratory.id)]

    private static func counts(_ states: [ResourceState]) -> [ResourceState.Word: Int] {
        Dictionary(states.map { ($0.word, 1) }, uniquingKeysWith: +)
    }

    private func page<View: Sendable>(_ views: [View]) -> CatalogPage<View> {
        CatalogPage(rows: isEmpty ? [] : views, total: isEmpty ? 0 : views.count)
    }

    func listInstances(_ filter: InstanceFilter, order: ListOrder, page: PageRequest, _ call: CallContext)
        async throws(ServiceError) -> CatalogPage<InstanceView>
    {
        self.page(
            Self.instances.filter {
                filter.states?.contains($0.instance.state.word) ?? true
                    && filter.power ?? $0.instance.power == $0.instance.power
            }
        )
    }

    func listVolumes(_ filter: VolumeFilter, order: ListOrder, page: PageRequest, _ call: CallContext)
        async throws(ServiceError) -> CatalogPage<VolumeView>
    {
        self.page(Self.volumes.filter { filter.states?.contains($0.volume.state.word) ?? true })
    }

    func listSnapshots(_ filter: SnapshotFilter, order: ListOrder, page: PageRequest, _ call: CallContext)
        async throws(ServiceError) -> CatalogPage<SnapshotView>
    {
        self.page(Self.snapshots.filter { filter.states?.contains($0.snapshot.state.word) ?? true })
    }

    func listTemplates(_ filter: TemplateFilter, order: ListOrder, page: PageRequest, _ call: CallContext)
        async throws(ServiceError) -> CatalogPage<TemplateView>
    {
        self.page(
            Self.templates.filter {
                filter.states?.contains($0.template.state.word) ?? true
                    && (!filter.isOwn || $0.template.environment == filter.visibleIn)
            }
        )
    }

    func listTasks(in environment: EnvironmentID, page: PageRequest, _ call: CallContext)
        async throws(ServiceError) -> CatalogPage<TaskView>
    { CatalogPage(rows: [], total: 0) }

    func members(of environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> [(user: User, role: Role)]
    { [] }

    func task(_ id: JobID, _ call: CallContext) async throws(ServiceError) -> TaskView {
        Sample.task(.createTemplate, .running, subjects: [])
    }

    func cancelTask(_ id: JobID, _ call: CallContext) async throws(ServiceError) -> TaskView {
        note(.cancel(id))
        return try await task(id, call)
    }

    func createEnvironment(name: EnvironmentName, description: String, _ call: CallContext)
        async throws(ServiceError) -> Environment
    {
        if name.description == "taken" { throw ServiceError(.nameTaken, "Taken.", subject: .field("name")) }
        note(.create(name.description, description: description))
        return Sample.production
    }

    func updateEnvironment(_ id: EnvironmentID, name: EnvironmentName?, description: String?, _ call: CallContext)
        async throws(ServiceError) -> Environment
    {
        note(.update(name?.description ?? "", description: description ?? ""))
        return Sample.production
    }

    func deleteEnvironment(_ id: EnvironmentID, _ call: CallContext) async throws(ServiceError) -> JobID {
        note(.delete(id))
        return Sample.id(70)
    }
}
