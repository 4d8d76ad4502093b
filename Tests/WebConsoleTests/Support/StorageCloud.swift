import Foundation
import SnapshotPorts
import Synchronization
import TestKit

@testable import SnapshotDomain
@testable import SnapshotServices

/// An attached root volume that was reverted, a free data volume, and templates; it remembers what it was asked to do.
final class StorageCloud: StubCloud {
    enum Act: Hashable, Sendable {
        case create(CreateVolumeRequest.Source, name: String, offering: String?, InstanceID?)
        case attach(VolumeID, to: InstanceID)
        case detach(VolumeID)
        case resize(VolumeID, to: ByteCount)
        case deleteVolume(VolumeID)
        case revert(RevertTarget, restarts: Bool)
        case importImage(content: String, format: String, name: String, TemplateOptions)
        case update(TemplateID, name: String, description: String)
        case deleteTemplate(TemplateID)
        case list(VolumeFilter, ListOrder)
    }

    let environments = Sample.environments
    /// Where uploads go.
    let uploads = NSTemporaryDirectory() + "console-\(UUID())"
    private let importFailure: ServiceError?
    private let done = Mutex<[Act]>([])

    /// - Parameter importFailure: How imports end, if they fail.
    init(importFailure: ServiceError? = nil) {
        self.importFailure = importFailure
    }

    var acts: [Act] { done.withLock(\.self) }

    /// What was changed.
    var changes: [Act] {
        acts.filter { if case .list = $0 { false } else { true } }
    }

    func principal(restKey: String, address: String?) async throws(ServiceError) -> Principal? { nil }

    private func note(_ act: Act) { done.withLock { $0.append(act) } }

    private static let root: VolumeView = {
        var view = Sample.volume(20)
        view.undo = Sample.snapshot(32, name: "undo").snapshot
        view.undo?.origin = .undo(of: Sample.id(20), expiresAt: Sample.instant.addingTimeInterval(86_400))
        view.volume.template = Sample.id(50)
        return view
    }()

    private static let data: VolumeView = {
        var view = Sample.volume(21)
        view.volume.name = Sample.name("free-data")
        view.volume.role = .data
        view.volume.attachment = nil
        view.instance = nil
        view.isInstanceRunning = false
        return view
    }()

    private static let attachedData: VolumeView = {
        var view = Sample.volume(22)
        view.volume.name = Sample.name("web-data")
        view.volume.role = .data
        view.chain = ChainDepth(layers: 20, missingRoom: .gibibytes(3))
        return view
    }()

    func listVolumes(_ filter: VolumeFilter, order: ListOrder, page: PageRequest, _ call: CallContext)
        async throws(ServiceError) -> CatalogPage<VolumeView>
    {
        note(.list(filter, order))
        let rows = [Self.root, Self.data, Self.attachedData].filter {
            (filter.role ?? $0.volume.role) == $0.volume.role
        }
        return CatalogPage(rows: rows, total: rows.count)
    }

    func volume(_ id: VolumeID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> VolumeView
    {
        guard let view = [Self.root, Self.data, Self.attachedData].first(where: { $0.volume.id == id }) else {
            throw ServiceError(.notFound, "There is no such volume.")
        }
        return view
    }

    func tree(of id: VolumeID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> [TreeNode]
    {
        func pin(_ pin: Pin, _ name: String, in environment: EnvironmentID = Sample.production.id) -> TreeNode.NamedPin
        {
            TreeNode.NamedPin(
                pin: pin,
                name: Sample.name(name),
                environment: environment,
                createdAt: Sample.instant
            )
        }
        func node(_ layer: UInt8, on parent: UInt8?, _ pins: [TreeNode.NamedPin], isHere: Bool = false) -> TreeNode {
            TreeNode(
                layer: Sample.id(layer),
                parent: parent.map { Sample.id($0) },
                pins: pins,
                allocated: .mebibytes(8),
                isHere: isHere
            )
        }
        // A template that a clone in another environment stands on, too; a fork without a name; one layer to be merged.
        return [
            node(40, on: nil, [pin(.template(Sample.id(50)), "golden")]),
            node(41, on: 40, [pin(.volume(Sample.id(29)), "clone", in: Sample.laboratory.id)]),
            node(42, on: 40, []),
            node(43, on: 42, []),
            node(44, on: 43, [pin(.volume(Sample.id(20)), "ROOT-web01")], isHere: true),
            node(45, on: 43, [pin(.snapshot(Sample.id(30)), "before-upgrade")]),
        ]
    }

    func listSnapshots(_ filter: SnapshotFilter, order: ListOrder, page: PageRequest, _ call: CallContext)
        async throws(ServiceError) -> CatalogPage<SnapshotView>
    {
        CatalogPage(rows: [Sample.snapshot()], total: 7)
    }

    func listInstances(_ filter: InstanceFilter, order: ListOrder, page: PageRequest, _ call: CallContext)
        async throws(ServiceError) -> CatalogPage<InstanceView>
    {
        CatalogPage(rows: [Sample.instance()], total: 1)
    }

    func instance(_ id: InstanceID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> InstanceView
    { Sample.instance() }

    func createVolume(_ request: CreateVolumeRequest, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Submitted<VolumeView>
    {
        note(.create(request.source, name: "\(request.name)", offering: request.diskOffering, request.instance))
        return Submitted(job: Sample.id(70), resource: Self.data)
    }

    func attachVolume(_ id: VolumeID, to instance: InstanceID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Submitted<VolumeView>
    {
        note(.attach(id, to: instance))
        return Submitted(job: Sample.id(70), resource: Self.data)
    }

    func detachVolume(_ id: VolumeID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Submitted<VolumeView>
    {
        note(.detach(id))
        return Submitted(job: Sample.id(70), resource: Self.data)
    }

    func resizeVolume(_ id: VolumeID, to size: ByteCount, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Submitted<VolumeView>
    {
        note(.resize(id, to: size))
        return Submitted(job: Sample.id(70), resource: Self.data)
    }

    func deleteVolume(_ id: VolumeID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> JobID
    {
        note(.deleteVolume(id))
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
        return Submitted(job: Sample.id(70), resource: [Self.root])
    }

    // MARK: Templates

    private static let template: TemplateView = {
        var view = Sample.template()
        view.template.description = "A small <Linux>"
        view.dependentCount = 3
        view.dependents = [
            TreeNode.NamedPin(
                pin: .volume(Sample.id(20)),
                name: Sample.name("ROOT-web01"),
                environment: Sample.production.id,
                createdAt: Sample.instant
            )
        ]
        return view
    }()

    func listTemplates(_ filter: TemplateFilter, order: ListOrder, page: PageRequest, _ call: CallContext)
        async throws(ServiceError) -> CatalogPage<TemplateView>
    {
        CatalogPage(rows: [Self.template], total: 1)
    }

    func template(_ id: TemplateID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> TemplateView
    {
        guard id == Self.template.template.id else { throw ServiceError(.notFound, "There is no such template.") }
        return Self.template
    }

    func uploadPath() async throws(ServiceError) -> String { uploads }

    func createTemplate(_ request: CreateTemplateRequest, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Submitted<TemplateView>
    {
        if request.name.description == "taken" { throw ServiceError(.nameTaken, "Taken.", subject: .field("name")) }
        guard case .file(let path, let format, true) = request.source else {
            throw ServiceError(.internalError, "No upload.")
        }
        let content = FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
        note(.importImage(content: content ?? "", format: format, name: "\(request.name)", request.options))
        return Submitted(job: Sample.id(70), resource: Self.template)
    }

    func awaitTask(_ id: JobID, atMost limit: Duration, _ call: CallContext) async throws(ServiceError) -> TaskView {
        Sample.task(.importTemplate, importFailure == nil ? .running : .failed, subjects: [], failure: importFailure)
    }

    func listTasks(in environment: EnvironmentID, page: PageRequest, _ call: CallContext)
        async throws(ServiceError) -> CatalogPage<TaskView>
    { CatalogPage(rows: [], total: 0) }

    func updateTemplate(
        _ id: TemplateID,
        name: ResourceName?,
        description: String?,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> TemplateView {
        note(.update(id, name: name?.description ?? "", description: description ?? ""))
        return Self.template
    }

    func deleteTemplate(_ id: TemplateID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> JobID
    {
        note(.deleteTemplate(id))
        return Sample.id(70)
    }
}
