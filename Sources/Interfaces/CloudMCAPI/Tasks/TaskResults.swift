import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// What a task came to, as its answer shows it: the resources as they are now.
///
/// A job does not keep its result; it is read from what the job was about. What has gone since, or lies in an environment that
/// the caller cannot see, shows as its id alone.
struct TaskResults: Sendable {
    let cloud: any CloudService
    let configuration: CloudMCConfiguration
    let caller: CallContext

    /// Nil while the task is pending.
    func result(of task: TaskView) async throws(ServiceError) -> AnyPayload? {
        switch task.status {
        case .queued, .running:
            nil
        case .failed, .cancelled:
            AnyPayload(ErrorsPayload(errors: [ErrorPayload(failure(of: task))]))
        case .succeeded:
            try await success(of: task.job)
        }
    }

    private func failure(of task: TaskView) -> ServiceError {
        task.failure
            ?? (task.status == .cancelled
                ? ServiceError(.cancelled, "The task was cancelled; what it had done was taken back.")
                : ServiceError(.internalError, "The task failed; the service's log has the details."))
    }

    private func success(of job: Job) async throws(ServiceError) -> AnyPayload {
        let environment = job.environment
        switch job.kind {
        case .createSnapshots:
            return try await snapshots(job.snapshots, in: environment)
        case .verifySnapshot:
            guard let id = job.snapshots.first else { return AnyPayload(EmptyPayload()) }
            return try await present(id.description) { () async throws(ServiceError) in
                VerificationPayload(try await cloud.snapshot(id, in: environment, caller))
            }
        case .revertVolumes, .createVolume, .attachVolume, .detachVolume, .resizeVolume, .moveVolume:
            // A revert of a whole instance is about the instance, and says so by its first subject.
            if case .instance(let id) = job.subjects.first { return try await instance(id, in: environment) }
            guard let id = job.volumes.first else { return AnyPayload(EmptyPayload()) }
            return try await volume(id, in: environment)
        case .createTemplate, .importTemplate:
            guard let id = job.templates.first else { return AnyPayload(EmptyPayload()) }
            return try await present(id.description) { () async throws(ServiceError) in
                TemplatePayload(try await cloud.template(id, in: environment, caller), configuration)
            }
        case .deployInstances, .startInstance, .stopInstance, .rebootInstance, .destroyInstance,
            .restoreInstance:
            return try await instances(job.instances, in: environment)
        case .deleteSnapshot, .deleteVolume, .deleteTemplate, .deleteInstance, .deleteEnvironment:
            return AnyPayload(EmptyPayload())
        }
    }

    func volume(_ id: VolumeID, in environment: EnvironmentID) async throws(ServiceError) -> AnyPayload {
        try await present(id.description) { () async throws(ServiceError) in
            VolumePayload(try await cloud.volume(id, in: environment, caller), configuration)
        }
    }

    func instance(_ id: InstanceID, in environment: EnvironmentID) async throws(ServiceError) -> AnyPayload {
        try await present(id.description) { () async throws(ServiceError) in
            InstancePayload(try await cloud.instance(id, in: environment, caller), configuration)
        }
    }

    /// One instance as itself, several as a list.
    private func instances(_ ids: [InstanceID], in environment: EnvironmentID) async throws(ServiceError) -> AnyPayload
    {
        if ids.count == 1, let id = ids.first { return try await instance(id, in: environment) }
        var payloads: [AnyPayload] = []
        for id in ids { payloads.append(try await instance(id, in: environment)) }
        return AnyPayload(["instances": payloads])
    }

    /// A lone snapshot as itself, those of one instant with their group.
    private func snapshots(_ ids: [SnapshotID], in environment: EnvironmentID) async throws(ServiceError) -> AnyPayload
    {
        var views: [SnapshotView] = []
        for id in ids {
            do {
                views.append(try await cloud.snapshot(id, in: environment, caller))
            } catch  where error.code == .notFound {
                continue
            }
        }
        guard let first = views.first else { return AnyPayload(EmptyPayload()) }
        guard let group = first.snapshot.group else {
            return AnyPayload(SnapshotPayload(first, zoneID: configuration.zoneID))
        }
        let payloads = views.map { SnapshotPayload($0, zoneID: configuration.zoneID) }
        return AnyPayload(SnapshotGroupPayload(groupId: group.description, snapshots: payloads))
    }

    private func present(
        _ id: String,
        _ payload: () async throws(ServiceError) -> any Encodable & Sendable
    ) async throws(ServiceError) -> AnyPayload {
        do {
            return AnyPayload(try await payload())
        } catch  where error.code == .notFound || error.code == .notAllowed {
            return AnyPayload(IdentityPayload(id: id))
        }
    }
}

extension Job {
    var volumes: [VolumeID] {
        subjects.compactMap { if case .volume(let id) = $0 { id } else { nil } }
    }

    /// A verification only reads its snapshot.
    var snapshots: [SnapshotID] {
        (subjects + (kind == .verifySnapshot ? reads : []))
            .compactMap { if case .snapshot(let id) = $0 { id } else { nil } }
    }

    var templates: [TemplateID] {
        subjects.compactMap { if case .template(let id) = $0 { id } else { nil } }
    }

    var instances: [InstanceID] {
        subjects.compactMap { if case .instance(let id) = $0 { id } else { nil } }
    }
}
