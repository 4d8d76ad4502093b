import Foundation
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// A cloud that can do nothing: what a test does not provide is a fault.
///
/// Conforming types override the few calls that their test is about.
protocol StubCloud: CloudService {}

/// What a call that no test expects throws.
private func unexpected(_ call: String = #function) -> ServiceError {
    ServiceError(.internalError, "The stub has no answer to \(call).")
}

extension StubCloud {
    func principal(restKey: String, address: String?) async throws(ServiceError) -> Principal? {
        restKey == Sample.key ? Sample.principal : nil
    }

    func environment(_ reference: String, _ call: CallContext) async throws(ServiceError) -> Environment {
        let found = Sample.environments.first { $0.id.description == reference || $0.name.description == reference }
        guard let found else { throw ServiceError(.notFound, "There is no environment '\(reference)'.") }
        return found
    }

    func listEnvironments(_ call: CallContext) async throws(ServiceError) -> [Environment] { Sample.environments }

    func createEnvironment(name: EnvironmentName, description: String, _ call: CallContext)
        async throws(ServiceError) -> Environment
    { throw unexpected() }

    func updateEnvironment(_ id: EnvironmentID, name: EnvironmentName?, description: String?, _ call: CallContext)
        async throws(ServiceError) -> Environment
    { throw unexpected() }

    func deleteEnvironment(_ id: EnvironmentID, _ call: CallContext) async throws(ServiceError) -> JobID {
        throw unexpected()
    }

    func members(of environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> [(user: User, role: Role)]
    { throw unexpected() }

    func listInstances(_ filter: InstanceFilter, order: ListOrder, page: PageRequest, _ call: CallContext)
        async throws(ServiceError) -> CatalogPage<InstanceView>
    { throw unexpected() }

    func instance(_ id: InstanceID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> InstanceView
    { throw unexpected() }

    func deploy(_ request: DeployRequest, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Submitted<[InstanceView]>
    { throw unexpected() }

    func startInstance(_ id: InstanceID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Submitted<InstanceView>
    { throw unexpected() }

    func stopInstance(_ id: InstanceID, isForced: Bool, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Submitted<InstanceView>
    { throw unexpected() }

    func rebootInstance(_ id: InstanceID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Submitted<InstanceView>
    { throw unexpected() }

    func renameInstance(_ id: InstanceID, to name: ResourceName, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> InstanceView
    { throw unexpected() }

    func deleteInstance(
        _ id: InstanceID,
        _ request: DeleteInstanceRequest,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> JobID { throw unexpected() }

    func console(
        of id: InstanceID,
        from offset: Int64,
        atMost limit: Int,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> ConsoleText { throw unexpected() }

    func screenshot(of id: InstanceID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Data
    { throw unexpected() }

    func listVolumes(_ filter: VolumeFilter, order: ListOrder, page: PageRequest, _ call: CallContext)
        async throws(ServiceError) -> CatalogPage<VolumeView>
    { throw unexpected() }

    func volume(_ id: VolumeID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> VolumeView
    { throw unexpected() }

    func tree(of id: VolumeID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> [TreeNode]
    { throw unexpected() }

    func createVolume(_ request: CreateVolumeRequest, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Submitted<VolumeView>
    { throw unexpected() }

    func deleteVolume(_ id: VolumeID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> JobID
    { throw unexpected() }

    func attachVolume(_ id: VolumeID, to instance: InstanceID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Submitted<VolumeView>
    { throw unexpected() }

    func detachVolume(_ id: VolumeID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Submitted<VolumeView>
    { throw unexpected() }

    func resizeVolume(_ id: VolumeID, to size: ByteCount, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Submitted<VolumeView>
    { throw unexpected() }

    func listSnapshots(_ filter: SnapshotFilter, order: ListOrder, page: PageRequest, _ call: CallContext)
        async throws(ServiceError) -> CatalogPage<SnapshotView>
    { throw unexpected() }

    func snapshot(_ id: SnapshotID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> SnapshotView
    { throw unexpected() }

    func takeSnapshots(_ request: TakeSnapshotRequest, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Submitted<[SnapshotView]>
    { throw unexpected() }

    func updateSnapshot(
        _ id: SnapshotID,
        name: ResourceName?,
        description: String?,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> SnapshotView { throw unexpected() }

    func planDeletion(of ids: [SnapshotID], in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> DeletionPlanView
    { throw unexpected() }

    func deleteSnapshot(_ id: SnapshotID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> JobID
    { throw unexpected() }

    func revert(_ target: RevertTarget, restarts: Bool, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Submitted<[VolumeView]>
    { throw unexpected() }

    func verifySnapshot(_ id: SnapshotID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Submitted<SnapshotView>
    { throw unexpected() }

    func export(_ id: SnapshotID, as format: ImageFormat, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> ImageStream
    { throw unexpected() }

    func listTemplates(in environment: EnvironmentID, order: ListOrder, page: PageRequest, _ call: CallContext)
        async throws(ServiceError) -> CatalogPage<TemplateView>
    { throw unexpected() }

    func template(_ id: TemplateID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> TemplateView
    { throw unexpected() }

    func createTemplate(_ request: CreateTemplateRequest, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Submitted<TemplateView>
    { throw unexpected() }

    func updateTemplate(
        _ id: TemplateID,
        name: ResourceName?,
        description: String?,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> TemplateView { throw unexpected() }

    func deleteTemplate(_ id: TemplateID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> JobID
    { throw unexpected() }

    func uploadPath() async throws(ServiceError) -> String { throw unexpected() }

    func task(_ id: JobID, _ call: CallContext) async throws(ServiceError) -> TaskView { throw unexpected() }

    func awaitTask(_ id: JobID, atMost limit: Duration, _ call: CallContext) async throws(ServiceError) -> TaskView {
        try await task(id, call)
    }

    func listTasks(in environment: EnvironmentID, page: PageRequest, _ call: CallContext)
        async throws(ServiceError) -> CatalogPage<TaskView>
    { throw unexpected() }

    func cancelTask(_ id: JobID, _ call: CallContext) async throws(ServiceError) -> TaskView { throw unexpected() }

    func listActivity(_ filter: ActivityFilter, page: PageRequest, _ call: CallContext)
        async throws(ServiceError) -> CatalogPage<ActivityEntry>
    { throw unexpected() }

    func status(_ call: CallContext) async throws(ServiceError) -> ServiceStatus { throw unexpected() }

    func changes(after last: Int64?, _ call: CallContext) async -> ChangeStream {
        ChangeStream(events: AsyncStream { $0.finish() })
    }
}

/// A cloud that has nothing but an owner and two environments.
struct EmptyCloud: StubCloud {}
