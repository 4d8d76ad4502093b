import Foundation
import SnapshotPorts
import Synchronization
import TestKit

@testable import SnapshotDomain
@testable import SnapshotServices

/// An instance with two volumes, a snapshot of them at one instant, and another one; it remembers what it was asked to do.
final class SnapshotCloud: StubCloud {
    enum Act: Hashable, Sendable {
        case take(TakeSnapshotRequest.Target, name: String?, ConsistencyRequest)
        case update(String, description: String)
        case revert(RevertTarget, restarts: Bool)
        case verify(SnapshotID)
        case createVolume(CreateVolumeRequest.Source, name: String, EnvironmentID?, InstanceID?)
        case createTemplate(name: String, TemplateOptions)
        case list(SnapshotFilter)
    }

    static let group: SnapshotGroupID = Sample.id(60)

    let environments = Sample.environments
    private let snapshots: [SnapshotView]
    private let hasVolumes: Bool
    private let done = Mutex<[Act]>([])

    /// - Parameters:
    ///   - snapshots: What there is, newest first; by default one of everything that a page can show.
    ///   - hasVolumes: Whether the volumes are still there.
    init(_ snapshots: [SnapshotView] = SnapshotCloud.everything, hasVolumes: Bool = true) {
        self.snapshots = snapshots
        self.hasVolumes = hasVolumes
    }

    /// What was changed, and which lists were asked for.
    var acts: [Act] { done.withLock(\.self) }

    /// What was changed.
    var changes: [Act] {
        acts.filter { if case .list = $0 { false } else { true } }
    }

    static let everything: [SnapshotView] = {
        var first = Sample.snapshot(30, group: group)
        first.snapshot.description = "Before the move to version 2"
        first.snapshot.consistency = ConsistencyRecord(
            requested: .filesystem,
            achieved: .filesystem,
            freezeMilliseconds: 84,
            agentAnswer: "froze 2 file systems"
        )
        first.snapshot.verification = Verification(
            digest: ContentDigest("tree-sha256:00ff"),
            verifiedAt: Sample.instant
        )
        var second = Sample.snapshot(31, name: "before-upgrade_data", group: group, role: .data)
        second.snapshot.source.volume = Sample.id(21)
        second.snapshot.source.volumeName = Sample.name("DATA-web01")
        var undo = Sample.snapshot(32, name: "undo")
        undo.snapshot.origin = .undo(of: Sample.id(20), expiresAt: Sample.instant.addingTimeInterval(86_400))
        var failed = Sample.snapshot(33, name: "broken", state: .failed(reason: "The disk was full."))
        failed.failure = ServiceError(.internalError, "The disk was full.")
        return [failed, undo, first, second]
    }()

    private func note(_ act: Act) { done.withLock { $0.append(act) } }

    func principal(restKey: String, address: String?) async throws(ServiceError) -> Principal? { nil }

    func listSnapshots(_ filter: SnapshotFilter, order: ListOrder, page: PageRequest, _ call: CallContext)
        async throws(ServiceError) -> CatalogPage<SnapshotView>
    {
        note(.list(filter))
        let found = snapshots.filter { view in
            let snapshot = view.snapshot
            return (filter.volume ?? snapshot.source.volume) == snapshot.source.volume
                && (filter.instance ?? snapshot.source.instance) == snapshot.source.instance
                && (filter.group == nil || filter.group == snapshot.group)
                && (filter.states?.contains(snapshot.state.word) ?? true)
        }
        return CatalogPage(rows: Array(found.dropFirst(page.offset).prefix(page.limit)), total: found.count)
    }

    func snapshot(_ id: SnapshotID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> SnapshotView
    {
        guard let view = snapshots.first(where: { $0.snapshot.id == id }) else {
            throw ServiceError(.notFound, "There is no such snapshot.")
        }
        return view
    }

    func listVolumes(_ filter: VolumeFilter, order: ListOrder, page: PageRequest, _ call: CallContext)
        async throws(ServiceError) -> CatalogPage<VolumeView>
    {
        var data = Sample.volume(21)
        data.volume.name = Sample.name("DATA-web01")
        data.volume.role = .data
        let rows = hasVolumes ? [data, Sample.volume(20)] : []
        return CatalogPage(rows: rows, total: rows.count)
    }

    func volume(_ id: VolumeID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> VolumeView
    {
        guard hasVolumes else { throw ServiceError(.notFound, "There is no such volume.") }
        return Sample.volume(20)
    }

    func tree(of id: VolumeID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> [TreeNode]
    {
        [
            TreeNode(
                layer: Sample.id(40),
                parent: nil,
                pins: [pin(.snapshot(Sample.id(30)), "before-upgrade")],
                allocated: .mebibytes(8),
                isHere: false
            ),
            TreeNode(
                layer: Sample.id(41),
                parent: Sample.id(40),
                pins: [pin(.volume(Sample.id(20)), "ROOT-web01")],
                allocated: .mebibytes(1),
                isHere: true
            ),
        ]
    }

    private func pin(_ pin: Pin, _ name: String) -> TreeNode.NamedPin {
        TreeNode.NamedPin(
            pin: pin,
            name: Sample.name(name),
            environment: Sample.production.id,
            createdAt: Sample.instant
        )
    }

    func planDeletion(of ids: [SnapshotID], in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> DeletionPlanView
    {
        DeletionPlanView(
            plan: DeletionPlan(),
            snapshots: snapshots.map(\.snapshot).filter { ids.contains($0.id) },
            dependents: [pin(.volume(Sample.id(20)), "ROOT-web01")]
        )
    }

    func listInstances(_ filter: InstanceFilter, order: ListOrder, page: PageRequest, _ call: CallContext)
        async throws(ServiceError) -> CatalogPage<InstanceView>
    {
        CatalogPage(rows: [Sample.instance()], total: 1)
    }

    func takeSnapshots(_ request: TakeSnapshotRequest, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Submitted<[SnapshotView]>
    {
        note(.take(request.target, name: request.name?.description, request.consistency))
        return Submitted(job: Sample.id(70), resource: [Sample.snapshot(34)])
    }

    func updateSnapshot(
        _ id: SnapshotID,
        name: ResourceName?,
        description: String?,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> SnapshotView {
        note(.update(name?.description ?? "", description: description ?? ""))
        return try await snapshot(id, in: environment, call)
    }

    func revert(
        _ target: RevertTarget,
        restarts: Bool,
        memory: MemoryUse,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> Submitted<[VolumeView]> {
        note(.revert(target, restarts: restarts))
        return Submitted(job: Sample.id(70), resource: [Sample.volume()])
    }

    func verifySnapshot(_ id: SnapshotID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Submitted<SnapshotView>
    {
        note(.verify(id))
        return Submitted(job: Sample.id(70), resource: try await snapshot(id, in: environment, call))
    }

    func createVolume(_ request: CreateVolumeRequest, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Submitted<VolumeView>
    {
        note(.createVolume(request.source, name: request.name.description, request.environment, request.instance))
        let view = Sample.volume(22, in: request.environment ?? environment)
        return Submitted(job: Sample.id(70), resource: view)
    }

    func createTemplate(_ request: CreateTemplateRequest, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Submitted<TemplateView>
    {
        note(.createTemplate(name: request.name.description, request.options))
        return Submitted(job: Sample.id(70), resource: Sample.template())
    }

    func export(_ id: SnapshotID, as format: ImageFormat, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> ImageStream
    {
        let bytes = Data("the bytes".utf8)
        return ImageStream(
            length: ByteCount(Int64(bytes.count)),
            sha256: Array(repeating: 7, count: 32),
            chunks: AsyncThrowingStream { continuation in
                continuation.yield(bytes)
                continuation.finish()
            }
        )
    }
}
