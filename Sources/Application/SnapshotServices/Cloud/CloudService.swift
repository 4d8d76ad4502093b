package import Foundation
package import SnapshotDomain
package import SnapshotPorts

/// What every face talks to: the whole product for one service connection.
///
/// ``LocalCloud`` is the implementation over our own engine; a connection to a remote cloud can be another. People, their
/// roles and keys are of no one connection: ``Accounts`` has them.
///
/// Every method authorises its caller first, by the permission that its documentation names; a resource of another
/// environment, or of one that the caller cannot read, is `notFound`, so that nothing can be learned by guessing. Methods that
/// return ``Submitted`` have recorded the job durably when they return; the work goes on behind them.
package protocol CloudService: Sendable {
    // MARK: Callers

    /// The caller that a key opens, or nil.
    func principal(restKey: String, address: String?) async throws(ServiceError) -> Principal?

    // MARK: Environments

    /// The environments that the caller can read.
    func listEnvironments(_ call: CallContext) async throws(ServiceError) -> [Environment]
    /// By identity or name; needs `read`.
    func environment(_ reference: String, _ call: CallContext) async throws(ServiceError) -> Environment
    /// What is in it, what happens in it and what space it takes; needs `read`.
    func overview(of environment: EnvironmentID, _ call: CallContext) async throws(ServiceError) -> EnvironmentOverview
    /// For operators.
    func createEnvironment(name: EnvironmentName, description: String, _ call: CallContext)
        async throws(ServiceError) -> Environment
    /// Needs `administer`.
    func updateEnvironment(_ id: EnvironmentID, name: EnvironmentName?, description: String?, _ call: CallContext)
        async throws(ServiceError) -> Environment
    /// Deletes everything in it, too. Needs `administer`.
    func deleteEnvironment(_ id: EnvironmentID, _ call: CallContext) async throws(ServiceError) -> JobID
    /// Needs `read`.
    func members(of environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> [(user: User, role: Role)]

    // MARK: Instances

    /// Needs `read`.
    func listInstances(_ filter: InstanceFilter, order: ListOrder, page: PageRequest, _ call: CallContext)
        async throws(ServiceError) -> CatalogPage<InstanceView>
    func instance(_ id: InstanceID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> InstanceView
    /// Needs `create` here, and `read` in the environment of the source.
    func deploy(_ request: DeployRequest, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Submitted<[InstanceView]>
    /// Needs `change`, as do the next seven.
    func startInstance(_ id: InstanceID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Submitted<InstanceView>
    func stopInstance(_ id: InstanceID, isForced: Bool, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Submitted<InstanceView>
    func rebootInstance(_ id: InstanceID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Submitted<InstanceView>
    func renameInstance(_ id: InstanceID, to name: ResourceName, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> InstanceView
    func deleteInstance(
        _ id: InstanceID,
        _ request: DeleteInstanceRequest,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> JobID
    /// Stops it and puts it aside, with its root volume and some of its data volumes, for as long as ``Settings`` says.
    ///
    /// The other data volumes are detached. One that has failed is deleted.
    func destroyInstance(
        _ id: InstanceID,
        with volumesToDestroy: Set<VolumeID>,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> JobID
    /// Puts the root volume back to a template, the instance's own when none is named, as a revert does: stops the instance
    /// if it runs and starts it again, and keeps what is replaced for a while. Needs `revert`.
    func restoreInstance(
        _ id: InstanceID,
        to template: TemplateID?,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> Submitted<InstanceView>
    /// Brings back what was destroyed, stopped. Refused when its name, or that of its volume, is taken by now.
    func recoverInstance(_ id: InstanceID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> InstanceView
    /// Needs `read`, as does the screenshot.
    func console(
        of id: InstanceID,
        from offset: Int64,
        atMost limit: Int,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> ConsoleText
    func screenshot(of id: InstanceID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Data

    // MARK: Volumes

    /// Needs `read`.
    func listVolumes(_ filter: VolumeFilter, order: ListOrder, page: PageRequest, _ call: CallContext)
        async throws(ServiceError) -> CatalogPage<VolumeView>
    func volume(_ id: VolumeID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> VolumeView
    /// The history around a volume, bases first.
    func tree(of id: VolumeID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> [TreeNode]
    /// Needs `create`, and `read` in the environment of the source.
    func createVolume(_ request: CreateVolumeRequest, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Submitted<VolumeView>
    /// Needs `change`, as do the next four.
    func deleteVolume(_ id: VolumeID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> JobID
    /// Puts aside a volume that no instance has, for as long as ``Settings`` says.
    func destroyVolume(_ id: VolumeID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> VolumeView
    func recoverVolume(_ id: VolumeID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> VolumeView
    func attachVolume(_ id: VolumeID, to instance: InstanceID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Submitted<VolumeView>
    func detachVolume(_ id: VolumeID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Submitted<VolumeView>
    func resizeVolume(_ id: VolumeID, to size: ByteCount, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Submitted<VolumeView>

    /// Takes a volume at rest to another pool. Its snapshots stay where they are.
    func moveVolume(_ id: VolumeID, to pool: PoolID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Submitted<VolumeView>

    // MARK: Pools

    /// Every pool, for everybody who is signed in; where it lies, for operators only.
    func listPools(_ call: CallContext) async throws(ServiceError) -> [PoolStatus]
    /// Writes, reads and deletes a small layer. For operators.
    func checkPool(_ pool: PoolID, _ call: CallContext) async throws(ServiceError) -> PoolCheck

    // MARK: Snapshots

    /// Needs `read`.
    func listSnapshots(_ filter: SnapshotFilter, order: ListOrder, page: PageRequest, _ call: CallContext)
        async throws(ServiceError) -> CatalogPage<SnapshotView>
    func snapshot(_ id: SnapshotID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> SnapshotView
    /// Needs `create`. One snapshot a volume, all with one group when the target is an instance.
    func takeSnapshots(_ request: TakeSnapshotRequest, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Submitted<[SnapshotView]>
    /// Needs `change`.
    func updateSnapshot(
        _ id: SnapshotID,
        name: ResourceName?,
        description: String?,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> SnapshotView
    /// Needs `read`.
    func planDeletion(of ids: [SnapshotID], in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> DeletionPlanView
    /// Needs `change`.
    func deleteSnapshot(_ id: SnapshotID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> JobID
    /// Needs `revert`. Stops the instance if it runs, and starts it again if `restarts`, or lets it go on from the group's
    /// memory. The views are the volumes.
    func revert(
        _ target: RevertTarget,
        restarts: Bool,
        memory: MemoryUse,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> Submitted<[VolumeView]>
    /// Needs `create`: it reads everything and writes a date.
    func verifySnapshot(_ id: SnapshotID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Submitted<SnapshotView>
    /// Needs `read`.
    func export(_ id: SnapshotID, as format: ImageFormat, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> ImageStream

    // MARK: Templates

    /// Needs `read`.
    func listTemplates(_ filter: TemplateFilter, order: ListOrder, page: PageRequest, _ call: CallContext)
        async throws(ServiceError) -> CatalogPage<TemplateView>
    func template(_ id: TemplateID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> TemplateView
    /// Needs `create`.
    func createTemplate(_ request: CreateTemplateRequest, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Submitted<TemplateView>
    /// Needs `change`, as does the next.
    func updateTemplate(
        _ id: TemplateID,
        name: ResourceName?,
        description: String?,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> TemplateView
    func deleteTemplate(_ id: TemplateID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> JobID
    /// A path in the pool's own scratch area where a face may write an upload before it creates a template from it.
    func uploadPath() async throws(ServiceError) -> String

    /// Public templates can be used in every environment. For operators.
    func setTemplate(_ id: TemplateID, isPublic: Bool, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> TemplateView

    // MARK: Offerings

    /// In the order in which they are shown, also those that can no longer be chosen. For everybody, as is the next.
    func listComputeOfferings(_ call: CallContext) async throws(ServiceError) -> [ComputeOffering]
    func listDiskOfferings(_ call: CallContext) async throws(ServiceError) -> [DiskOffering]
    /// For operators, as are the next three. The identity is new.
    func createComputeOffering(_ wanted: NewComputeOffering, _ call: CallContext)
        async throws(ServiceError) -> ComputeOffering
    func createDiskOffering(_ wanted: NewDiskOffering, _ call: CallContext) async throws(ServiceError) -> DiskOffering
    /// It can no longer be chosen; what was made of it stays as it is.
    func retireComputeOffering(_ id: String, _ call: CallContext) async throws(ServiceError)
    func retireDiskOffering(_ id: String, _ call: CallContext) async throws(ServiceError)

    // MARK: Policies

    /// Needs `read`, as does the next.
    func listPolicies(of volume: VolumeID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> [SnapshotPolicy]
    /// Wherever it is.
    func policy(_ id: PolicyID, _ call: CallContext) async throws(ServiceError) -> SnapshotPolicy
    /// Makes or changes the one policy that a volume has for an interval. Needs `change`, as do the next two.
    func setPolicy(
        _ interval: SnapshotPolicy.Interval,
        _ wanted: PolicyChange,
        of volume: VolumeID,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> SnapshotPolicy
    /// Returns it with the line of the activity log that says so.
    func updatePolicy(
        _ id: PolicyID,
        _ wanted: PolicyChange,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> (policy: SnapshotPolicy, line: ActivityEntry.ID)
    /// All of them or none.
    func deletePolicies(_ ids: [PolicyID], in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError)

    // MARK: Resources of any kind

    /// The environment where a resource is, or was before it was deleted, if the caller can read it or the resource is a public
    /// template; else nil.
    func environment(holding resource: ResourceReference, _ call: CallContext)
        async throws(ServiceError) -> EnvironmentID?
    /// Needs `read`.
    func listTags(_ filter: TagFilter, page: PageRequest, _ call: CallContext)
        async throws(ServiceError) -> CatalogPage<ResourceTag>
    /// Those of resources that the caller can read.
    func tags(of resources: [ResourceReference], _ call: CallContext)
        async throws(ServiceError) -> [ResourceReference: [ResourceTag]]
    /// All or none. Returns a line of the activity log. Needs `change`, as does the next.
    func addTags(_ tags: [ResourceTag], in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> ActivityEntry.ID
    /// Removes what is named, or everything; what is not there is no error.
    func removeTags(
        _ conditions: [TagCondition]?,
        of resources: [ResourceReference],
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> ActivityEntry.ID

    // MARK: Jobs, log, service

    /// Needs `read` in the job's environment.
    func task(_ id: JobID, _ call: CallContext) async throws(ServiceError) -> TaskView
    /// Returns when the job ended, or after the limit with its present state.
    func awaitTask(_ id: JobID, atMost limit: Duration, _ call: CallContext) async throws(ServiceError) -> TaskView
    func listTasks(in environment: EnvironmentID, page: PageRequest, _ call: CallContext)
        async throws(ServiceError) -> CatalogPage<TaskView>
    /// Needs `change`. What the job made so far is undone.
    func cancelTask(_ id: JobID, _ call: CallContext) async throws(ServiceError) -> TaskView
    /// Needs `read` in the filter's environment; without one, for operators.
    func listActivity(_ filter: ActivityFilter, page: PageRequest, _ call: CallContext)
        async throws(ServiceError) -> CatalogPage<ActivityEntry>
    func status(_ call: CallContext) async throws(ServiceError) -> ServiceStatus
    /// What changes from now on, in environments that the caller can read; before it what happened after an event that the
    /// caller names, as far as it is kept.
    func changes(after last: Int64?, _ call: CallContext) async -> ChangeStream
}

extension CloudService {
    /// Reverts with the memory, where there is one.
    package func revert(_ target: RevertTarget, restarts: Bool, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> Submitted<[VolumeView]>
    {
        try await revert(target, restarts: restarts, memory: .resume, in: environment, call)
    }
}
