package import SnapshotDomain
package import SnapshotPorts

extension LocalCloud {
    package func listVolumes(
        _ filter: VolumeFilter,
        order: ListOrder,
        page: PageRequest,
        _ call: CallContext
    ) async throws(ServiceError) -> CatalogPage<VolumeView> {
        try authoriseList(filter.environment, call)
        let rows = try await read { try $0.listVolumes(filter, order: order, page: page) }
        return CatalogPage(rows: try await views(of: rows.rows), total: rows.total)
    }

    package func volume(
        _ id: VolumeID,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> VolumeView {
        try authorise(.read, in: environment, call)
        let row = try await read { try $0.volume(id, in: environment) }
        return try only(try await views(of: [row]), .volume(id))
    }

    package func tree(
        of id: VolumeID,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> [TreeNode] {
        try authorise(.read, in: environment, call)
        return try await read { reader in
            let volume = try reader.volume(id, in: environment)
            let tree = try reader.layerTree(around: volume.activeLayer)
            guard let base = tree.chain(of: volume.activeLayer).last else { return [] }
            return try tree.subtree(of: base).compactMap { layer in
                guard let row = tree.layers[layer] else { return nil }
                return TreeNode(
                    layer: layer,
                    parent: row.parent,
                    // What belongs to environments that the caller cannot see is there, and has no name.
                    pins: try (tree.pins[layer] ?? []).sorted { $0.order < $1.order }.compactMap { pin in
                        guard let owner = try reader.environment(of: pin), call.principal.may(.read, in: owner)
                        else { return nil }
                        return try reader.named(pin)
                    },
                    allocated: row.allocated,
                    isHere: layer == volume.activeLayer
                )
            }
        }
    }

    package func createVolume(
        _ request: CreateVolumeRequest,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> Submitted<VolumeView> {
        let target = request.environment ?? environment
        try authorise(.create, in: target, call)
        if case .snapshot = request.source { try authorise(.read, in: environment, call) }
        let now = world.time.now
        let wanted = try request.pool.map { pool throws(ServiceError) in try world.pool(named: pool) }
        let usual = world.defaultPool
        let submitted = try await engine.submit(in: target, for: call, rejoin: Self.volumes) { job, writer in
            try writer.requireFreeVolumeName(request.name, in: target)
            let origin = try writer.origin(of: request.source, in: environment, to: wanted, or: usual)
            let layer = Layer(
                id: .random(),
                pool: origin.pool,
                parent: origin.parent,
                size: origin.size,
                allocated: .zero,
                phase: .building
            )
            var volume = Volume(
                id: .random(),
                environment: target,
                name: request.name,
                role: .data,
                pool: origin.pool,
                size: origin.size,
                activeLayer: layer.id,
                state: .creating(job),
                diskOffering: request.diskOffering,
                createdAt: now
            )
            if let id = request.instance {
                let instance = try writer.instance(id, in: target)
                try instance.state.requireAvailable("The instance '\(instance.name)'", subject: .instance(id))
                volume.attachment = Volume.Attachment(instance: id, slot: try writer.freeSlot(of: id))
            }
            try writer.insert(layer)
            try writer.insert(volume)
            return JobEngine.Draft(
                CreateVolume(
                    volume: volume.id,
                    layer: layer.id,
                    pool: origin.pool,
                    size: origin.size,
                    content: origin.content,
                    instance: request.instance
                ),
                title: volume.name,
                subjects: [.volume(volume.id)] + (request.instance.map { [.instance($0)] } ?? []),
                reads: origin.snapshot.map { [.snapshot($0)] } ?? [],
                value: [volume]
            )
        }
        let seen = Submitted(job: submitted.job, resource: try await views(of: submitted.resource))
        return try seen.first(else: .environment(target))
    }

    package func deleteVolume(
        _ id: VolumeID,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> JobID {
        try authorise(.change, in: environment, call)
        return try await engine.submit(in: environment, for: call, rejoin: { _, _ in }) { job, writer in
            var volume = try writer.volume(id, in: environment)
            guard volume.attachment == nil else {
                throw ServiceError(
                    .inUse,
                    volume.role == .root
                        ? "The volume '\(volume.name)' is the root volume of an instance; delete the instance instead."
                        : "The volume '\(volume.name)' belongs to an instance; detach it first.",
                    subject: .volume(id)
                )
            }
            if case .deleting = volume.state {
                throw ServiceError(
                    .wrongState,
                    "The volume '\(volume.name)' is being deleted already.",
                    subject: .volume(id)
                )
            }
            // One that was put aside is held by the job alone: its name may be somebody else's by now.
            if volume.state.destroyedAt == nil {
                volume.state = .deleting(job)
                try writer.update(volume)
            } else {
                try writer.requireIdle(.volume(id), "The volume '\(volume.name)'", .volume(id))
            }
            return JobEngine.Draft(
                DeleteVolume(volume: id),
                title: volume.name,
                subjects: [.volume(id)],
                value: ()
            )
        }.job
    }

    package func destroyVolume(
        _ id: VolumeID,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> VolumeView {
        try authorise(.change, in: environment, call)
        let now = world.time.now
        let row = try await change(.volume(id), "volumes.destroy", in: environment, call) { writer in
            var volume = try writer.volume(id, in: environment)
            try volume.state.requireAvailable("The volume '\(volume.name)'", subject: .volume(id))
            guard volume.attachment == nil else {
                throw ServiceError(
                    .inUse,
                    "The volume '\(volume.name)' belongs to an instance; detach it first, or destroy the instance.",
                    subject: .volume(id)
                )
            }
            try writer.requireIdle(.volume(id), "The volume '\(volume.name)'", .volume(id))
            volume.state = .destroyed(at: now)
            try writer.update(volume)
            return volume
        }
        return try only(try await views(of: [row]), .volume(id))
    }

    package func recoverVolume(
        _ id: VolumeID,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> VolumeView {
        try authorise(.change, in: environment, call)
        let row = try await change(.volume(id), "volumes.recover", in: environment, call) { writer in
            var volume = try writer.volume(id, in: environment)
            try volume.state.requireDestroyed(
                "The volume '\(volume.name)'",
                "there is nothing to recover",
                subject: .volume(id)
            )
            guard volume.attachment == nil else {
                throw ServiceError(
                    .inUse,
                    "The volume '\(volume.name)' was destroyed with its instance; recover the instance.",
                    subject: .volume(id)
                )
            }
            try writer.requireIdle(.volume(id), "The volume '\(volume.name)'", .volume(id))
            guard try writer.findVolume(named: volume.name, in: environment) == nil else {
                throw ServiceError.nameReused("volume", volume.name)
            }
            volume.state = .available
            try writer.update(volume)
            return volume
        }
        return try only(try await views(of: [row]), .volume(id))
    }

    package func attachVolume(
        _ id: VolumeID,
        to instance: InstanceID,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> Submitted<VolumeView> {
        try await changeVolume(id, in: environment, call) { volume, writer in
            guard volume.attachment == nil else {
                throw ServiceError(
                    .inUse,
                    "The volume '\(volume.name)' belongs to an instance already; detach it first.",
                    subject: .volume(id)
                )
            }
            let target = try writer.instance(instance, in: environment)
            try target.state.requireAvailable("The instance '\(target.name)'", subject: .instance(instance))
            _ = try writer.freeSlot(of: instance)
            return (AttachVolume(volume: id, instance: instance), [.instance(instance)])
        }
    }

    package func detachVolume(
        _ id: VolumeID,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> Submitted<VolumeView> {
        // A volume that cannot be used keeps its instance from starting until it is detached.
        try await changeVolume(id, in: environment, evenFailed: true, call) { volume, _ in
            guard let attachment = volume.attachment else {
                throw ServiceError(
                    .wrongState,
                    "The volume '\(volume.name)' belongs to no instance.",
                    subject: .volume(id)
                )
            }
            guard volume.role == .data else {
                throw ServiceError(
                    .wrongState,
                    "The volume '\(volume.name)' is the root volume of its instance, which cannot run without it.",
                    subject: .volume(id)
                )
            }
            return (DetachVolume(volume: id), [.instance(attachment.instance)])
        }
    }

    package func resizeVolume(
        _ id: VolumeID,
        to size: ByteCount,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> Submitted<VolumeView> {
        try await changeVolume(id, in: environment, call) { volume, _ in
            guard size > volume.size else {
                throw ServiceError(
                    .invalidInput,
                    "The volume '\(volume.name)' has \(volume.size) and can only grow; \(size) would cut off its end.",
                    subject: .volume(id)
                )
            }
            try size.requireVolumeSize()
            return (ResizeVolume(volume: id, size: size), volume.attachment.map { [.instance($0.instance)] } ?? [])
        }
    }

    package func moveVolume(
        _ id: VolumeID,
        to pool: PoolID,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> Submitted<VolumeView> {
        try authorise(.change, in: environment, call)
        let pool = try world.pool(named: pool)
        // What the machine does now; the job asks again.
        let instance = try await read { try $0.volume(id, in: environment).attachment?.instance }
        let isRunning = if let instance { await world.hypervisor.isAlive(instance) } else { false }
        return try await changeVolume(id, in: environment, call) { volume, writer in
            guard volume.pool != pool else {
                throw ServiceError(
                    .wrongState,
                    "The volume '\(volume.name)' is in the pool '\(pool)' already.",
                    subject: .volume(id)
                )
            }
            if isRunning, volume.attachment?.instance == instance { throw ServiceError.movesOnlyAtRest(volume) }
            let copy = Layer(
                id: .random(),
                pool: pool,
                parent: nil,
                size: volume.size,
                allocated: .zero,
                phase: .building
            )
            try writer.insert(copy)
            return (
                MoveVolume(volume: id, copy: copy.id, pool: pool),
                volume.attachment.map { [.instance($0.instance)] } ?? []
            )
        }
    }

    /// A job on one available volume and the instances that it touches.
    private func changeVolume(
        _ id: VolumeID,
        in environment: EnvironmentID,
        evenFailed: Bool = false,
        _ call: CallContext,
        _ program: @escaping @Sendable (Volume, any CatalogWriter) throws -> (any JobProgram, [JobSubject])
    ) async throws(ServiceError) -> Submitted<VolumeView> {
        try authorise(.change, in: environment, call)
        let submitted = try await engine.submit(in: environment, for: call, rejoin: Self.volumes) { _, writer in
            let volume = try writer.volume(id, in: environment)
            if !evenFailed || volume.state.failure == nil {
                try volume.state.requireAvailable("The volume '\(volume.name)'", subject: .volume(id))
            }
            let (program, others) = try program(volume, writer)
            return JobEngine.Draft(program, title: volume.name, subjects: [.volume(id)] + others, value: [volume])
        }
        let seen = Submitted(job: submitted.job, resource: try await views(of: submitted.resource))
        return try seen.first(else: .volume(id))
    }
}

/// What a new volume is made of.
struct VolumeOrigin {
    var pool: PoolID
    var parent: LayerID?
    var size: ByteCount
    var content: CreateVolume.Content
    var snapshot: SnapshotID?
}

extension CatalogReader {
    func origin(
        of source: CreateVolumeRequest.Source,
        in environment: EnvironmentID,
        to wanted: PoolID?,
        or usual: PoolID
    ) throws -> VolumeOrigin {
        switch source {
        case .blank(let size):
            try size.requireVolumeSize()
            return VolumeOrigin(pool: wanted ?? usual, parent: nil, size: size, content: .blank, snapshot: nil)
        case .snapshot(let id, let isFull):
            let snapshot = try snapshot(id, in: environment)
            try snapshot.state.requireAvailable("The snapshot '\(snapshot.name)'", subject: .snapshot(id))
            let pool = wanted ?? snapshot.pool
            let isElsewhere = pool != snapshot.pool
            guard isFull || !isElsewhere else {
                throw ServiceError(
                    .invalidInput,
                    """
                    A thin volume shares its content with the snapshot, in the pool '\(snapshot.pool)'. Ask for a full copy to \
                    have it in '\(pool)'.
                    """,
                    subject: .field("pool")
                )
            }
            let content: CreateVolume.Content =
                if isElsewhere {
                    .transfer(of: snapshot.layer, from: snapshot.pool)
                } else if isFull {
                    .copy(of: snapshot.layer)
                } else {
                    .thin(on: snapshot.layer)
                }
            return VolumeOrigin(
                pool: pool,
                parent: isFull ? nil : snapshot.layer,
                size: snapshot.size,
                content: content,
                snapshot: id
            )
        }
    }

    func environment(of pin: Pin) throws -> EnvironmentID? {
        switch pin {
        case .volume(let id): try findVolume(id)?.environment
        case .snapshot(let id): try findSnapshot(id)?.environment
        case .template(let id): try findTemplate(id)?.environment
        }
    }
}

extension ByteCount {
    func requireVolumeSize() throws {
        guard self >= VolumeLimits.smallest, self <= VolumeLimits.largest else {
            throw ServiceError(
                .invalidInput,
                "A volume has from \(VolumeLimits.smallest) to \(VolumeLimits.largest), not \(self).",
                subject: .field("size")
            )
        }
        guard bytes % 512 == 0 else {
            throw ServiceError(.invalidInput, "A volume's size is a multiple of 512 bytes.", subject: .field("size"))
        }
    }
}
