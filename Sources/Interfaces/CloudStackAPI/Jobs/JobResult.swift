import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// What a job came to, read from what it was about: a job does not keep its result.
struct JobResult {
    let call: Call

    /// Nil while the job is pending.
    func json(of task: TaskView) async throws -> JSON? {
        switch task.status {
        case .queued, .running:
            return nil
        case .failed, .cancelled:
            let error =
                task.failure ?? ServiceError(.internalError, "The job failed; the service's log has the details.")
            return APIFailure(error).body
        case .succeeded:
            return try await success(task.job)
        }
    }

    /// One object under its name, or `success`.
    ///
    /// What is gone since then, or was hidden from the caller, shows as its id and name.
    private func success(_ job: Job) async throws -> JSON {
        switch job.kind {
        case .createSnapshots:
            guard let group = try await group(of: job) else {
                return try await object(job.snapshots.first, job, call.snapshot, Shapes.snapshot)
            }
            let fields = Shapes.instanceSnapshot.json(try await call.owned(group))
            return .object(["vmsnapshot": fields])
        case .revertVolumes:
            if job.isOfInstance { return try await object(job.instances.first, job, call.instance, Shapes.instance) }
            return try await object(revertedTo(job), job, call.snapshot, Shapes.snapshot)
        case .createVolume, .attachVolume, .detachVolume, .resizeVolume, .moveVolume:
            return try await object(job.volumes.first, job, call.volume, Shapes.volume)
        case .createTemplate, .importTemplate:
            return try await object(job.templates.first, job, call.template, Shapes.template)
        case .deployInstances, .startInstance, .stopInstance, .rebootInstance, .destroyInstance, .restoreInstance:
            return try await object(job.instances.first, job, call.instance, Shapes.instance)
        case .deleteInstance:
            return gone(job.instances.first?.description, job, Shapes.instance.name, state: "Expunging")
        case .deleteVolume:
            // Only destroyVolume has a job for it.
            return gone(job.volumes.first?.description, job, Shapes.volume.name, state: "Expunged")
        case .verifySnapshot, .deleteSnapshot, .deleteTemplate, .deleteEnvironment:
            return .object(["success": .flag(true)])
        }
    }

    /// The machine snapshot that a job made, if that is what it made.
    private func group(of job: Job) async throws -> InstanceSnapshot? {
        guard let id = job.snapshots.first,
            let member = try? await call.snapshot(id, in: job.environment).snapshot, let group = member.group
        else { return nil }
        // With the others of the machine, on which it stands.
        let filter = SnapshotFilter(environment: job.environment, instance: member.source.instance, isGrouped: true)
        return try await call.instanceSnapshots(filter).first { $0.id == group }
    }

    private func revertedTo(_ job: Job) -> SnapshotID? {
        job.reads.lazy.compactMap { if case .snapshot(let id) = $0 { id } else { nil } }.first
    }

    private func object<Subject, View: Referable>(
        _ id: Identifier<Subject>?,
        _ job: Job,
        _ find: (Identifier<Subject>, EnvironmentID) async throws(ServiceError) -> View,
        _ shape: Shape<Owned<View>>
    ) async throws -> JSON {
        guard let id else { return .object(["success": .flag(true)]) }
        do {
            return .object([shape.name: shape.json(try await call.owned(try await find(id, job.environment)))])
        } catch {
            guard error.code == .notFound || error.code == .notAllowed else { throw error }
            return gone(id.description, job, shape.name)
        }
    }

    private func gone(_ id: String?, _ job: Job, _ name: String, state: String? = nil) -> JSON {
        guard let id else { return .object(["success": .flag(true)]) }
        var fields: [String: JSON] = ["id": .text(id), "name": .text(job.title), "tags": .list([])]
        if name == Shapes.instance.name {
            fields["displayname"] = .text(job.title)
            fields["nic"] = .list([])
        }
        fields["state"] = state.map { .text($0) }
        return .object([name: .object(fields)])
    }
}
