package import SnapshotDomain
package import SnapshotPorts

extension LocalCloud {
    package func listSnapshots(
        _ filter: SnapshotFilter,
        order: ListOrder,
        page: PageRequest,
        _ call: CallContext
    ) async throws(ServiceError) -> CatalogPage<SnapshotView> {
        try authoriseList(filter.environment, call)
        let rows = try await read { try $0.listSnapshots(filter, order: order, page: page) }
        return CatalogPage(rows: try await each(rows.rows, view), total: rows.total)
    }

    package func snapshot(
        _ id: SnapshotID,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> SnapshotView {
        try authorise(.read, in: environment, call)
        return try await lone(try await read { try $0.snapshot(id, in: environment) })
    }

    package func takeSnapshots(
        _ request: TakeSnapshotRequest,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> Submitted<[SnapshotView]> {
        try authorise(.create, in: environment, call)
        guard ConsistencyRequest.freezeBounds.contains(request.consistency.maxFreezeMilliseconds) else {
            throw ServiceError(
                .invalidInput,
                "maxFreezeMilliseconds must be from \(ConsistencyRequest.freezeBounds.lowerBound) to "
                    + "\(ConsistencyRequest.freezeBounds.upperBound).",
                subject: .field("maxFreezeMilliseconds")
            )
        }
        let now = world.time.now
        let submitted = try await engine.submit(in: environment, for: call, rejoin: Self.snapshots) { job, writer in
            let (instance, volumes) = try writer.targets(of: request.target, in: environment)
            let group: SnapshotGroupID? = if case .instance = request.target { .random() } else { nil }
            let memory = try writer.memoryToSave(request, as: group, instance, volumes)
            var items: [TakeSnapshots.Item] = []
            var rows: [Snapshot] = []
            for volume in volumes {
                try volume.state.requireAvailable("The volume '\(volume.name)'", subject: .volume(volume.id))
                let row = Snapshot(
                    id: .random(),
                    environment: environment,
                    name: try writer.name(for: volume, instance, request, isOneOfMany: volumes.count > 1, at: now),
                    description: request.description,
                    source: Snapshot.Source(of: volume, instance),
                    pool: volume.pool,
                    layer: volume.activeLayer,
                    size: volume.size,
                    origin: .manual,
                    group: group,
                    groupName: group == nil ? nil : request.name,
                    consistency: ConsistencyRecord(requested: request.consistency.mode, achieved: .crash),
                    state: .creating(job),
                    createdAt: now
                )
                try writer.insert(row)
                rows.append(row)
                items.append(TakeSnapshots.Item(snapshot: row.id, volume: volume.id, fresh: .random()))
            }
            guard let first = rows.first else {
                throw ServiceError(.invalidInput, "The instance has no volumes to take a snapshot of.")
            }
            return JobEngine.Draft(
                TakeSnapshots(
                    instance: instance?.id,
                    items: items,
                    consistency: request.consistency,
                    memory: memory
                ),
                title: first.name,
                subjects: rows.map { .snapshot($0.id) } + volumes.map { .volume($0.id) },
                // Snapshots of one machine's different disks may run side by side; stopping or deleting it may not.
                reads: instance.map { [.instance($0.id)] } ?? [],
                value: rows
            )
        }
        return Submitted(job: submitted.job, resource: try await each(submitted.resource, fresh))
    }

    /// One that is only recorded takes nothing and carries nothing yet: the job, which runs by now, shall have the processors.
    ///
    /// One that an idempotency key found again can be further.
    private func fresh(_ row: Snapshot) async throws(ServiceError) -> SnapshotView {
        guard case .creating = row.state else { return try await lone(row) }
        return view(row, in: .empty)
    }

    package func updateSnapshot(
        _ id: SnapshotID,
        name: ResourceName?,
        description: String?,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> SnapshotView {
        try authorise(.change, in: environment, call)
        let row = try await change(.snapshot(id), "snapshots.update", in: environment, call) { writer in
            var row = try writer.snapshot(id, in: environment)
            if let name, name != row.name {
                try writer.requireFreeSnapshotName(name, in: environment)
                row.name = name
            }
            row.description = description ?? row.description
            try writer.update(row)
            return row
        }
        return try await lone(row)
    }

    package func planDeletion(
        of ids: [SnapshotID],
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> DeletionPlanView {
        try authorise(.read, in: environment, call)
        return try await read { reader in
            let snapshots = try ids.map { try reader.snapshot($0, in: environment) }
            var whole = DeletionPlan()
            var dependents: Set<Pin> = []
            for (_, group) in try reader.groupedByTree(snapshots) {
                let pins = Set(group.snapshots.map { Pin.snapshot($0.id) })
                whole.add(group.tree.planDeletion(of: pins))
                for snapshot in group.snapshots {
                    dependents.formUnion(group.tree.dependents(of: snapshot.layer).subtracting(pins))
                }
            }
            return DeletionPlanView(
                plan: whole,
                snapshots: snapshots,
                // What belongs to environments that the caller cannot see counts in the plan, and has no name.
                dependents: try dependents.sorted { $0.order < $1.order }.compactMap { try reader.named($0) }
                    .filter { call.principal.may(.read, in: $0.environment) }
            )
        }
    }

    package func deleteSnapshot(
        _ id: SnapshotID,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> JobID {
        try authorise(.change, in: environment, call)
        return try await engine.submit(in: environment, for: call, rejoin: { _, _ in }) { job, writer in
            var row = try writer.snapshot(id, in: environment)
            guard case .deleting = row.state else {
                row.state = .deleting(job)
                try writer.update(row)
                return JobEngine.Draft(
                    DeleteSnapshot(snapshot: id),
                    title: row.name,
                    subjects: [.snapshot(id)],
                    value: ()
                )
            }
            throw ServiceError(
                .wrongState,
                "The snapshot '\(row.name)' is being deleted already.",
                subject: .snapshot(id),
                currentState: row.state.word.rawValue
            )
        }.job
    }

    package func verifySnapshot(
        _ id: SnapshotID,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> Submitted<SnapshotView> {
        try authorise(.create, in: environment, call)
        let submitted = try await engine.submit(in: environment, for: call, rejoin: Self.snapshots) { _, writer in
            let row = try writer.snapshot(id, in: environment)
            try row.state.requireAvailable("The snapshot '\(row.name)'", subject: .snapshot(id))
            return JobEngine.Draft(
                VerifySnapshot(snapshot: id),
                title: row.name,
                subjects: [],
                // It changes only a date: clones of the snapshot need not wait for it.
                reads: [.snapshot(id)],
                value: [row]
            )
        }
        let seen = Submitted(job: submitted.job, resource: try await each(submitted.resource, view))
        return try seen.first(else: .snapshot(id))
    }

    package func export(
        _ id: SnapshotID,
        as format: ImageFormat,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> ImageStream {
        try authorise(.read, in: environment, call)
        let row = try await read { try $0.snapshot(id, in: environment) }
        try row.state.requireAvailable("The snapshot '\(row.name)'", subject: .snapshot(id))
        return try await export(row, as: format)
    }

    // MARK: Reverting

    package func revert(
        _ target: RevertTarget,
        restarts: Bool,
        memory: MemoryUse,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> Submitted<[VolumeView]> {
        try authorise(.revert, in: environment, call)
        let submitted = try await engine.submit(in: environment, for: call, rejoin: Self.volumes) { _, writer in
            let pairs = try writer.revertPairs(of: target, in: environment)
            var items: [RevertVolumes.Item] = []
            for (snapshot, volume) in pairs {
                try snapshot.state.requireAvailable("The snapshot '\(snapshot.name)'", subject: .snapshot(snapshot.id))
                items.append(
                    RevertVolumes.Item(snapshot: snapshot.id, volume: volume.id, fresh: .random(), undo: .random())
                )
            }
            for (_, volume) in pairs where volume.state.destroyedAt != nil {
                try volume.state.requireAvailable("The volume '\(volume.name)'", subject: .volume(volume.id))
            }
            guard let first = pairs.first else {
                throw ServiceError(.notFound, "No volume of the instance has a snapshot in that group.")
            }
            let instance = first.volume.attachment?.instance
            let image = memory == .resume ? try writer.memory(of: target, covering: pairs.map(\.volume.id)) : nil
            return JobEngine.Draft(
                RevertVolumes(instance: instance, items: items, restarts: restarts, memory: image?.id),
                title: first.volume.name,
                subjects: target.subjects(pairs.map(\.volume), instance),
                reads: pairs.map { .snapshot($0.snapshot.id) },
                value: pairs.map(\.volume)
            )
        }
        return Submitted(job: submitted.job, resource: try await views(of: submitted.resource))
    }

    // MARK: Parts

    /// What an earlier request with the same key made.
    static func snapshots(_ job: Job, _ reader: any CatalogReader) throws -> [Snapshot] {
        try (job.subjects + job.reads).compactMap { subject in
            guard case .snapshot(let id) = subject else { return nil }
            return try reader.findSnapshot(id)
        }
    }

    static func volumes(_ job: Job, _ reader: any CatalogReader) throws -> [Volume] {
        try job.subjects.compactMap { subject in
            guard case .volume(let id) = subject else { return nil }
            return try reader.findVolume(id)
        }
    }

    func authoriseList(_ environment: EnvironmentID?, _ call: CallContext) throws(ServiceError) {
        guard let environment else { return try requireOperator(call) }
        try authorise(.read, in: environment, call)
    }

    private func export(_ row: Snapshot, as format: ImageFormat) async throws(ServiceError) -> ImageStream {
        do {
            let chain = Set(try await read { try $0.layerChain(of: row.layer) })
            let lease = try await world.leases.share(chain)
            var stream = try await world.store(row.pool).export(row.layer, as: format) { _, _ in }
            stream.retained = lease
            return stream
        } catch {
            throw ServiceError(reporting: error)
        }
    }
}

extension RevertTarget {
    /// What a revert changes, first what it is about: the instance for a group, else the volume.
    fileprivate func subjects(_ volumes: [Volume], _ instance: InstanceID?) -> [JobSubject] {
        let volumes = volumes.map { JobSubject.volume($0.id) }
        let instances = instance.map { [JobSubject.instance($0)] } ?? []
        return if case .group = self { instances + volumes } else { volumes + instances }
    }
}

extension Submitted {
    /// The only one of a request that makes one.
    func first<Element>(else subject: ServiceError.Subject) throws(ServiceError) -> Submitted<Element>
    where Resource == [Element] {
        guard let first = resource.first else {
            throw ServiceError(.notFound, "What an earlier request with this key made is gone.", subject: subject)
        }
        return Submitted<Element>(job: job, resource: first)
    }
}
