package import Foundation
package import SnapshotDomain
package import SnapshotPorts

extension LocalCloud {
    package func listInstances(
        _ filter: InstanceFilter,
        order: ListOrder,
        page: PageRequest,
        _ call: CallContext
    ) async throws(ServiceError) -> CatalogPage<InstanceView> {
        try authoriseList(filter.environment, call)
        let rows = try await read { try $0.listInstances(filter, order: order, page: page) }
        return CatalogPage(rows: try await views(of: rows.rows, asksGuest: false), total: rows.total)
    }

    package func instance(
        _ id: InstanceID,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> InstanceView {
        try authorise(.read, in: environment, call)
        let row = try await read { try $0.instance(id, in: environment) }
        return try only(try await views(of: [row], asksGuest: true), .instance(id))
    }

    package func startInstance(
        _ id: InstanceID,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> Submitted<InstanceView> {
        try await changeInstance(id, in: environment, call) { _, _ in StartInstance(instance: id) }
    }

    package func stopInstance(
        _ id: InstanceID,
        isForced: Bool,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> Submitted<InstanceView> {
        if isForced { try await pullPlug(id, in: environment, call) }
        return try await changeInstance(id, in: environment, call) { _, _ in
            StopInstance(instance: id, isForced: isForced)
        }
    }

    package func rebootInstance(
        _ id: InstanceID,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> Submitted<InstanceView> {
        try await changeInstance(id, in: environment, call) { _, _ in RebootInstance(instance: id) }
    }

    package func renameInstance(
        _ id: InstanceID,
        to name: ResourceName,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> InstanceView {
        try authorise(.change, in: environment, call)
        let row = try await change(.instance(id), "instances.update", in: environment, call) { writer in
            var row = try writer.instance(id, in: environment)
            guard name != row.name else { return row }
            guard row.state.destroyedAt == nil else {
                throw ServiceError(
                    .wrongState,
                    "The instance '\(row.name)' has been destroyed; recover it first.",
                    subject: .instance(id)
                )
            }
            try writer.requireFreeInstanceName(name, in: environment)
            row.name = name
            try writer.update(row)
            return row
        }
        return try only(try await views(of: [row], asksGuest: false), .instance(id))
    }

    package func deleteInstance(
        _ id: InstanceID,
        _ request: DeleteInstanceRequest,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> JobID {
        try authorise(.change, in: environment, call)
        return try await engine.submit(in: environment, for: call, rejoin: { _, _ in }) { job, writer in
            var row = try writer.instance(id, in: environment)
            if request.onlyDestroyed {
                try row.state.requireDestroyed(
                    "The instance '\(row.name)'",
                    "delete it first",
                    subject: .instance(id)
                )
            }
            let volumes = try writer.requireDeletable(row, with: request.volumesToDelete)
            var subjects: [JobSubject] = [.instance(id)] + volumes.map { .volume($0.id) }
            if request.deletesSnapshots {
                for volume in volumes {
                    subjects += try writer.allSnapshots(SnapshotFilter(volume: volume.id)).map { .snapshot($0.id) }
                }
            }
            // One that was put aside is held by the job alone: its name may be somebody else's by now.
            if row.state.destroyedAt == nil {
                row.state = .deleting(job)
                try writer.update(row)
            }
            return JobEngine.Draft(
                DeleteInstance(
                    instance: id,
                    volumes: request.volumesToDelete,
                    deletesSnapshots: request.deletesSnapshots
                ),
                title: row.name,
                subjects: subjects,
                value: ()
            )
        }.job
    }

    package func destroyInstance(
        _ id: InstanceID,
        with volumesToDestroy: Set<VolumeID>,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> JobID {
        try authorise(.change, in: environment, call)
        return try await engine.submit(in: environment, for: call, rejoin: { _, _ in }) { job, writer in
            var row = try writer.instance(id, in: environment)
            guard row.state.destroyedAt == nil else {
                throw ServiceError(
                    .wrongState,
                    "The instance '\(row.name)' has been destroyed already; recover it, or purge it.",
                    subject: .instance(id),
                    currentState: row.state.word.rawValue
                )
            }
            let volumes = try writer.requireDeletable(row, with: volumesToDestroy)
            // What has failed could not be recovered.
            let program: any JobProgram =
                row.state.failure == nil
                ? DestroyInstance(instance: id, volumes: volumesToDestroy)
                : DeleteInstance(instance: id, volumes: volumesToDestroy, deletesSnapshots: false)
            row.state = .deleting(job)
            try writer.update(row)
            return JobEngine.Draft(
                program,
                title: row.name,
                subjects: [.instance(id)] + volumes.map { .volume($0.id) },
                value: ()
            )
        }.job
    }

    package func recoverInstance(
        _ id: InstanceID,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> InstanceView {
        try authorise(.change, in: environment, call)
        let row = try await change(.instance(id), "instances.recover", in: environment, call) { writer in
            var row = try writer.instance(id, in: environment)
            try row.state.requireDestroyed(
                "The instance '\(row.name)'",
                "there is nothing to recover",
                subject: .instance(id)
            )
            try writer.requireIdle(.instance(id), "The instance '\(row.name)'", .instance(id))
            guard try writer.findInstance(named: row.name, in: environment) == nil else {
                throw ServiceError.nameReused("instance", row.name)
            }
            for var volume in try writer.volumes(of: id) where volume.state.destroyedAt != nil {
                guard try writer.findVolume(named: volume.name, in: environment) == nil else {
                    throw ServiceError.nameReused("volume", volume.name)
                }
                volume.state = .available
                try writer.update(volume)
            }
            row.state = .available
            try writer.update(row)
            return row
        }
        return try only(try await views(of: [row], asksGuest: false), .instance(id))
    }

    package func console(
        of id: InstanceID,
        from offset: Int64,
        atMost limit: Int,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> ConsoleText {
        try authorise(.read, in: environment, call)
        _ = try await read { try $0.instance(id, in: environment) }
        do {
            return try await world.hypervisor.console(of: id, from: offset, atMost: limit)
        } catch {
            throw ServiceError(error)
        }
    }

    package func screenshot(
        of id: InstanceID,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> Data {
        try authorise(.read, in: environment, call)
        _ = try await read { try $0.instance(id, in: environment) }
        do {
            return try await world.hypervisor.screenshot(of: id)
        } catch {
            throw ServiceError(error)
        }
    }

    /// A forced stop overtakes a graceful one that waits for its guest: that one finds the machine off, and ends.
    private func pullPlug(_ id: InstanceID, in environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError)
    {
        try authorise(.change, in: environment, call)
        _ = try await read { try $0.instance(id, in: environment) }
        guard engine.activity(on: .instance(id)).changingKind == .stopInstance else { return }
        do {
            try await world.hypervisor.stop(id, mode: .forced)
        } catch {
            throw ServiceError(error)
        }
    }

    private func changeInstance(
        _ id: InstanceID,
        in environment: EnvironmentID,
        _ call: CallContext,
        _ program: @escaping @Sendable (Instance, any CatalogWriter) throws -> any JobProgram
    ) async throws(ServiceError) -> Submitted<InstanceView> {
        try authorise(.change, in: environment, call)
        let submitted = try await engine.submit(in: environment, for: call, rejoin: Self.instances) { _, writer in
            let row = try writer.instance(id, in: environment)
            try row.state.requireAvailable("The instance '\(row.name)'", subject: .instance(id))
            return JobEngine.Draft(
                try program(row, writer),
                title: row.name,
                subjects: [.instance(id)],
                value: [row]
            )
        }
        let seen = Submitted(job: submitted.job, resource: try await views(of: submitted.resource, asksGuest: false))
        return try seen.first(else: .instance(id))
    }

    static func instances(_ job: Job, _ reader: any CatalogReader) throws -> [Instance] {
        try job.subjects.compactMap { subject in
            guard case .instance(let id) = subject else { return nil }
            return try reader.findInstance(id)
        }
    }
}

extension CatalogReader {
    /// The volumes of an instance that can go with some of its data volumes.
    fileprivate func requireDeletable(_ row: Instance, with chosen: Set<VolumeID>) throws -> [Volume] {
        let isHeld = try openJobs().contains { $0.kind == .deleteInstance && $0.subjects.contains(.instance(row.id)) }
        if row.state.word == .deleting || isHeld {
            throw ServiceError(
                .wrongState,
                "The instance '\(row.name)' is being deleted already.",
                subject: .instance(row.id)
            )
        }
        let volumes = try volumes(of: row.id)
        if let stranger = chosen.first(where: { id in !volumes.contains { $0.id == id } }) {
            throw ServiceError(
                .invalidInput,
                "The volume \(stranger) is not attached to the instance '\(row.name)'; nothing was deleted.",
                subject: .volume(stranger)
            )
        }
        return volumes
    }
}
