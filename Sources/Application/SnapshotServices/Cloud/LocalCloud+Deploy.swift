import Foundation
package import SnapshotDomain
import SnapshotPorts

extension LocalCloud {
    package func deploy(
        _ request: DeployRequest,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> Submitted<[InstanceView]> {
        try authorise(.create, in: environment, call)
        let hardware = try request.hardware(of: try await listComputeOfferings(call))
        let names = try request.names()
        let now = world.time.now
        let principal = call.principal
        let wanted = try request.pool.map { pool throws(ServiceError) in try world.pool(named: pool) }
        let submitted = try await engine.submit(in: environment, for: call, rejoin: Self.instances) { job, writer in
            var origin = try writer.origin(of: request.source, for: principal, in: environment)
            let copy = try wanted.flatMap { try writer.move(&origin, of: request.source, to: $0) }
            let disks = try request.disks(of: origin)
            if let id = request.attaching {
                guard request.count == 1 else {
                    throw ServiceError(.invalidInput, "One volume cannot be attached to \(request.count) instances.")
                }
                let volume = try writer.volume(id, in: environment)
                guard volume.attachment == nil else {
                    throw ServiceError(
                        .inUse,
                        "The volume '\(volume.name)' belongs to an instance already.",
                        subject: .volume(id)
                    )
                }
            }
            var rows: [Instance] = []
            var items: [DeployInstances.Item] = []
            for name in names {
                try writer.requireFreeInstanceName(name, in: environment)
                let instance = Instance(
                    id: .random(),
                    environment: environment,
                    name: name,
                    computeOffering: request.computeOffering,
                    cpuCount: hardware.cpuCount,
                    memory: hardware.memory,
                    network: request.network,
                    power: .stopped,
                    template: origin.template,
                    state: .creating(job),
                    createdAt: now
                )
                try writer.insert(instance)
                rows.append(instance)
                items.append(try writer.insertDisks(disks, of: instance, origin, job))
            }
            if let id = request.attaching, let instance = rows.first,
                var volume = try? writer.volume(id, in: environment)
            {
                volume.attachment = Volume.Attachment(instance: instance.id, slot: try writer.freeSlot(of: instance.id))
                try writer.update(volume)
            }
            return JobEngine.Draft(
                DeployInstances(
                    items: items,
                    starts: request.startsInstances,
                    copies: copy.map { [$0] }
                ),
                title: request.name,
                subjects: rows.map { .instance($0.id) } + items.flatMap { $0.disks.map { .volume($0.volume) } }
                    + (request.attaching.map { [.volume($0)] } ?? []),
                reads: origin.reads,
                value: rows
            )
        }
        return Submitted(job: submitted.job, resource: try await views(of: submitted.resource, asksGuest: false))
    }
}

/// What instances are deployed from: frozen disks, root first.
struct DeploymentOrigin {
    struct Disk {
        var layer: LayerID?
        var pool: PoolID
        var size: ByteCount
        var role: Volume.Role
        /// What follows the instance's name in a data volume's name.
        var suffix: String
    }

    var disks: [Disk]
    var template: TemplateID?
    var reads: [JobSubject]
}

extension DeployRequest {
    func hardware(of offerings: [ComputeOffering]) throws(ServiceError) -> (cpuCount: Int, memory: ByteCount) {
        let offered = offerings.filter { !$0.isRetired }
        guard let offering = offered.first(where: { $0.id == computeOffering }) else {
            throw ServiceError(
                .invalidInput,
                "There is no compute offering '\(computeOffering)'; choose one of "
                    + offered.map(\.id).joined(separator: ", ") + ".",
                subject: .field("computeOfferingId")
            )
        }
        if let cpuCount = offering.cpuCount, let memory = offering.memory { return (cpuCount, memory) }
        guard let cpuCount, let memory, ComputeOffering.cpuBounds.contains(cpuCount),
            ComputeOffering.memoryBoundsInMebibytes.contains(Int(memory.bytes >> 20))
        else { throw Self.wrongHardware }
        return (cpuCount, memory)
    }

    static let wrongHardware = ServiceError(
        .invalidInput,
        """
        A custom size needs cpuCount from \(ComputeOffering.cpuBounds.lowerBound) to \
        \(ComputeOffering.cpuBounds.upperBound) and memoryInMB from \
        \(ComputeOffering.memoryBoundsInMebibytes.lowerBound) to \
        \(ComputeOffering.memoryBoundsInMebibytes.upperBound).
        """,
        subject: .field("cpuCount")
    )

    /// One name as given; several as `name-1` … `name-N`.
    func names() throws(ServiceError) -> [ResourceName] {
        guard VolumeLimits.instancesPerDeployment.contains(count) else {
            throw ServiceError(
                .invalidInput,
                "One deployment makes from \(VolumeLimits.instancesPerDeployment.lowerBound) to "
                    + "\(VolumeLimits.instancesPerDeployment.upperBound) instances, not \(count).",
                subject: .field("count")
            )
        }
        guard count > 1 else { return [name] }
        var names: [ResourceName] = []
        for index in 1...count { names.append(try name.appending("-\(index)")) }
        return names
    }

    func disks(of origin: DeploymentOrigin) throws -> [DeploymentOrigin.Disk] {
        var disks = origin.disks
        if let size = rootVolumeSize, let root = disks.first {
            try size.requireVolumeSize()
            guard size >= root.size else {
                throw ServiceError(
                    .invalidInput,
                    "The root volume needs at least \(root.size), the size of what it is made from.",
                    subject: .field("rootVolumeSizeInGb")
                )
            }
            disks[0].size = size
        }
        if let size = dataVolumeSize, let root = disks.first {
            try size.requireVolumeSize()
            disks.append(.init(layer: nil, pool: root.pool, size: size, role: .data, suffix: "data"))
        }
        return disks
    }
}

extension CatalogReader {
    func origin(
        of source: DeploymentSource,
        for principal: Principal,
        in environment: EnvironmentID
    ) throws -> DeploymentOrigin {
        switch source {
        case .template(let id):
            let template = try template(id, visibleIn: environment)
            try template.state.requireAvailable("The template '\(template.name)'", subject: .template(id))
            let disk = DeploymentOrigin.Disk(
                layer: template.layer,
                pool: template.pool,
                size: template.size,
                role: .root,
                suffix: ""
            )
            return DeploymentOrigin(disks: [disk], template: id, reads: [.template(id)])
        case .snapshot(let id):
            guard let snapshot = try findSnapshot(id), principal.may(.read, in: snapshot.environment) else {
                throw ServiceError(.notFound, "There is no snapshot \(id) that you can see.", subject: .snapshot(id))
            }
            return try origin(of: snapshot)
        }
    }

    /// With its whole group when it has one: the instance as it was.
    private func origin(of snapshot: Snapshot) throws -> DeploymentOrigin {
        var snapshots = [snapshot]
        if let group = snapshot.group {
            snapshots = try allSnapshots(SnapshotFilter(environment: snapshot.environment, group: group))
        }
        for snapshot in snapshots {
            try snapshot.state.requireAvailable("The snapshot '\(snapshot.name)'", subject: .snapshot(snapshot.id))
        }
        let ordered = snapshots.sorted { $0.source.role == .root && $1.source.role != .root }
        guard ordered.first?.source.role == .root else {
            throw ServiceError(
                .invalidInput,
                """
                '\(snapshot.name)' is a snapshot of a data volume, and an instance needs a root volume. \
                Create a volume from it and attach that to an instance.
                """,
                subject: .snapshot(snapshot.id)
            )
        }
        return DeploymentOrigin(
            disks: ordered.map { snapshot in
                .init(
                    layer: snapshot.layer,
                    pool: snapshot.pool,
                    size: snapshot.size,
                    role: snapshot.source.role,
                    suffix: snapshot.source.volumeName.description
                )
            },
            template: nil,
            reads: ordered.map { .snapshot($0.id) }
        )
    }
}

extension CatalogWriter {
    /// Has what is deployed made in a pool, and says what has to be copied there first.
    fileprivate func move(
        _ origin: inout DeploymentOrigin,
        of source: DeploymentSource,
        to pool: PoolID
    ) throws -> TemplateCopyPlan? {
        switch source {
        case .template(let id):
            guard let template = try findTemplate(id), !origin.disks.isEmpty else { return nil }
            let (layer, plan) = try layer(of: template, in: pool)
            origin.disks[0].layer = layer
            origin.disks[0].pool = pool
            return plan
        case .snapshot(let id):
            guard let other = origin.disks.first(where: { $0.pool != pool }) else { return nil }
            throw ServiceError(
                .invalidInput,
                """
                What is deployed from a snapshot is a clone in the snapshot's pool, '\(other.pool)'. Leave the pool out, and move \
                the volumes to '\(pool)' afterwards.
                """,
                subject: .snapshot(id)
            )
        }
    }

    /// Reserves an instance's volumes and their layers.
    fileprivate func insertDisks(
        _ disks: [DeploymentOrigin.Disk],
        of instance: Instance,
        _ origin: DeploymentOrigin,
        _ job: JobID
    ) throws -> DeployInstances.Item {
        var item = DeployInstances.Item(instance: instance.id, disks: [])
        for (slot, disk) in disks.enumerated() {
            let layer = Layer(
                id: .random(),
                pool: disk.pool,
                parent: disk.layer,
                size: disk.size,
                allocated: .zero,
                phase: .building
            )
            let name =
                disk.role == .root
                ? try ResourceName("ROOT-\(instance.name)")
                : try instance.name.appending("_\(disk.suffix)")
            try requireFreeVolumeName(name, in: instance.environment)
            let volume = Volume(
                id: .random(),
                environment: instance.environment,
                name: name,
                role: disk.role,
                pool: disk.pool,
                size: disk.size,
                activeLayer: layer.id,
                attachment: Volume.Attachment(instance: instance.id, slot: slot),
                state: .creating(job),
                template: disk.role == .root ? origin.template : nil,
                createdAt: instance.createdAt
            )
            try insert(layer)
            try insert(volume)
            item.disks.append(
                .init(volume: volume.id, layer: layer.id, pool: disk.pool, parent: disk.layer, size: disk.size)
            )
        }
        return item
    }
}
