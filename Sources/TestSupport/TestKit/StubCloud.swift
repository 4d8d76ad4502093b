package import Foundation
package import SnapshotDomain
package import SnapshotPorts
package import SnapshotServices

/// A cloud that can do nothing: what a test does not provide is a fault.
///
/// Conforming types override the few calls that their test is about.
package protocol StubCloud: CloudService {
    /// Those that there are.
    var environments: [Environment] { get }
}

/// What a call that no test expects throws.
private func unexpected(_ call: String = #function) -> ServiceError {
    ServiceError(.internalError, "The stub has no answer to \(call).")
}

extension StubCloud {
    package func environment(_ reference: String, _ call: CallContext) async throws(ServiceError) -> Environment {
        let found = environments.first { $0.id.description == reference || $0.name.description == reference }
        guard let found else { throw ServiceError(.notFound, "There is no environment '\(reference)'.") }
        return found
    }

    package func listEnvironments(_ call: CallContext) async throws(ServiceError) -> [Environment] { environments }

    package func overview(
        of environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> EnvironmentOverview { throw unexpected() }

    package func createEnvironment(name: EnvironmentName, description: String, _ call: CallContext)
        async throws(ServiceError) -> Environment
    { throw unexpected() }

    package func updateEnvironment(
        _ id: EnvironmentID,
        name: EnvironmentName?,
        description: String?,
        _ call: CallContext
    )
        async throws(ServiceError) -> Environment
    { throw unexpected() }

    package func deleteEnvironment(_ id: EnvironmentID, _ call: CallContext) async throws(ServiceError) -> JobID {
        throw unexpected()
    }

    package func members(of environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> [(user: User, role: Role)]
    { throw unexpected() }

    package func listInstances(_ filter: InstanceFilter, order: ListOrder, page: PageRequest, _ call: CallContext)
        async throws(ServiceError) -> CatalogPage<InstanceView>
    { throw unexpected() }

    package func instance(_ id: InstanceID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> InstanceView
    { throw unexpected() }

    package func deploy(_ request: DeployRequest, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Submitted<[InstanceView]>
    { throw unexpected() }

    package func startInstance(_ id: InstanceID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Submitted<InstanceView>
    { throw unexpected() }

    package func stopInstance(_ id: InstanceID, isForced: Bool, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Submitted<InstanceView>
    { throw unexpected() }

    package func rebootInstance(_ id: InstanceID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Submitted<InstanceView>
    { throw unexpected() }

    package func renameInstance(
        _ id: InstanceID,
        to name: ResourceName,
        in environment: EnvironmentID,
        _ call: CallContext
    )
        async throws(ServiceError) -> InstanceView
    { throw unexpected() }

    package func deleteInstance(
        _ id: InstanceID,
        _ request: DeleteInstanceRequest,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> JobID { throw unexpected() }

    package func destroyInstance(
        _ id: InstanceID,
        with volumesToDestroy: Set<VolumeID>,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> JobID { throw unexpected() }

    package func restoreInstance(
        _ id: InstanceID,
        to template: TemplateID?,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> Submitted<InstanceView> { throw unexpected() }

    package func recoverInstance(_ id: InstanceID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> InstanceView
    { throw unexpected() }

    package func destroyVolume(_ id: VolumeID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> VolumeView
    { throw unexpected() }

    package func recoverVolume(_ id: VolumeID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> VolumeView
    { throw unexpected() }

    package func setTemplate(_ id: TemplateID, isPublic: Bool, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> TemplateView
    { throw unexpected() }

    package func listComputeOfferings(_ call: CallContext) async throws(ServiceError) -> [ComputeOffering] {
        ComputeOffering.builtIn
    }

    package func listDiskOfferings(_ call: CallContext) async throws(ServiceError) -> [DiskOffering] {
        DiskOffering.builtIn
    }

    package func createComputeOffering(_ wanted: NewComputeOffering, _ call: CallContext)
        async throws(ServiceError) -> ComputeOffering
    { throw unexpected() }

    package func createDiskOffering(_ wanted: NewDiskOffering, _ call: CallContext)
        async throws(ServiceError) -> DiskOffering
    { throw unexpected() }

    package func retireComputeOffering(_ id: String, _ call: CallContext) async throws(ServiceError) {
        throw unexpected()
    }

    package func retireDiskOffering(_ id: String, _ call: CallContext) async throws(ServiceError) {
        throw unexpected()
    }

    package func console(
        of id: InstanceID,
        from offset: Int64,
        atMost limit: Int,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> ConsoleText { throw unexpected() }

    package func screenshot(of id: InstanceID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Data
    { throw unexpected() }

    package func listVolumes(_ filter: VolumeFilter, order: ListOrder, page: PageRequest, _ call: CallContext)
        async throws(ServiceError) -> CatalogPage<VolumeView>
    { throw unexpected() }

    package func volume(_ id: VolumeID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> VolumeView
    { throw unexpected() }

    package func tree(of id: VolumeID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> [TreeNode]
    { throw unexpected() }

    package func createVolume(_ request: CreateVolumeRequest, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Submitted<VolumeView>
    { throw unexpected() }

    package func deleteVolume(_ id: VolumeID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> JobID
    { throw unexpected() }

    package func attachVolume(
        _ id: VolumeID,
        to instance: InstanceID,
        in environment: EnvironmentID,
        _ call: CallContext
    )
        async throws(ServiceError) -> Submitted<VolumeView>
    { throw unexpected() }

    package func detachVolume(_ id: VolumeID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Submitted<VolumeView>
    { throw unexpected() }

    package func resizeVolume(_ id: VolumeID, to size: ByteCount, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Submitted<VolumeView>
    { throw unexpected() }

    package func moveVolume(_ id: VolumeID, to pool: PoolID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Submitted<VolumeView>
    { throw unexpected() }

    package func listPools(_ call: CallContext) async throws(ServiceError) -> [PoolStatus] { [] }

    package func checkPool(_ pool: PoolID, _ call: CallContext) async throws(ServiceError) -> PoolCheck {
        throw unexpected()
    }

    package func listSnapshots(_ filter: SnapshotFilter, order: ListOrder, page: PageRequest, _ call: CallContext)
        async throws(ServiceError) -> CatalogPage<SnapshotView>
    { throw unexpected() }

    package func snapshot(_ id: SnapshotID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> SnapshotView
    { throw unexpected() }

    package func takeSnapshots(_ request: TakeSnapshotRequest, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Submitted<[SnapshotView]>
    { throw unexpected() }

    package func updateSnapshot(
        _ id: SnapshotID,
        name: ResourceName?,
        description: String?,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> SnapshotView { throw unexpected() }

    package func planDeletion(of ids: [SnapshotID], in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> DeletionPlanView
    { throw unexpected() }

    package func deleteSnapshot(_ id: SnapshotID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> JobID
    { throw unexpected() }

    package func revert(
        _ target: RevertTarget,
        restarts: Bool,
        memory: MemoryUse,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> Submitted<[VolumeView]> { throw unexpected() }

    package func verifySnapshot(_ id: SnapshotID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Submitted<SnapshotView>
    { throw unexpected() }

    package func export(_ id: SnapshotID, as format: ImageFormat, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> ImageStream
    { throw unexpected() }

    package func listTemplates(_ filter: TemplateFilter, order: ListOrder, page: PageRequest, _ call: CallContext)
        async throws(ServiceError) -> CatalogPage<TemplateView>
    { throw unexpected() }

    package func template(_ id: TemplateID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> TemplateView
    { throw unexpected() }

    package func createTemplate(_ request: CreateTemplateRequest, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Submitted<TemplateView>
    { throw unexpected() }

    package func updateTemplate(
        _ id: TemplateID,
        name: ResourceName?,
        description: String?,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> TemplateView { throw unexpected() }

    package func deleteTemplate(_ id: TemplateID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> JobID
    { throw unexpected() }

    package func uploadPath() async throws(ServiceError) -> String { throw unexpected() }

    package func listPolicies(of volume: VolumeID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> [SnapshotPolicy]
    { throw unexpected() }

    package func policy(_ id: PolicyID, _ call: CallContext) async throws(ServiceError) -> SnapshotPolicy {
        throw unexpected()
    }

    package func setPolicy(
        _ interval: SnapshotPolicy.Interval,
        _ wanted: PolicyChange,
        of volume: VolumeID,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> SnapshotPolicy { throw unexpected() }

    package func updatePolicy(
        _ id: PolicyID,
        _ wanted: PolicyChange,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> (policy: SnapshotPolicy, line: ActivityEntry.ID) { throw unexpected() }

    package func deletePolicies(_ ids: [PolicyID], in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError)
    { throw unexpected() }

    package func environment(holding resource: ResourceReference, _ call: CallContext)
        async throws(ServiceError) -> EnvironmentID?
    { throw unexpected() }

    package func listTags(_ filter: TagFilter, page: PageRequest, _ call: CallContext)
        async throws(ServiceError) -> CatalogPage<ResourceTag>
    { throw unexpected() }

    package func tags(of resources: [ResourceReference], _ call: CallContext)
        async throws(ServiceError) -> [ResourceReference: [ResourceTag]]
    { throw unexpected() }

    package func addTags(_ tags: [ResourceTag], in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> ActivityEntry.ID
    { throw unexpected() }

    package func removeTags(
        _ conditions: [TagCondition]?,
        of resources: [ResourceReference],
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> ActivityEntry.ID { throw unexpected() }

    package func task(_ id: JobID, _ call: CallContext) async throws(ServiceError) -> TaskView { throw unexpected() }

    package func awaitTask(_ id: JobID, atMost limit: Duration, _ call: CallContext) async throws(ServiceError)
        -> TaskView
    {
        try await task(id, call)
    }

    package func listTasks(in environment: EnvironmentID, page: PageRequest, _ call: CallContext)
        async throws(ServiceError) -> CatalogPage<TaskView>
    { throw unexpected() }

    package func cancelTask(_ id: JobID, _ call: CallContext) async throws(ServiceError) -> TaskView {
        throw unexpected()
    }

    package func listActivity(_ filter: ActivityFilter, page: PageRequest, _ call: CallContext)
        async throws(ServiceError) -> CatalogPage<ActivityEntry>
    { throw unexpected() }

    package func status(_ call: CallContext) async throws(ServiceError) -> ServiceStatus { throw unexpected() }

    package func changes(after last: Int64?, _ call: CallContext) async -> ChangeStream {
        ChangeStream(events: AsyncStream { $0.finish() })
    }
}
