import SnapshotDomain
import SnapshotPorts

/// Puts rows, open jobs, machines and the ledger together.
extension LocalCloud {
    /// The views of a page's volumes, from one catalog state.
    func views(of volumes: [Volume]) async throws(ServiceError) -> [VolumeView] {
        let (instances, undos, offerings) = try await read { reader in
            var instances: [InstanceID: Instance] = [:]
            var undos: [VolumeID: Snapshot] = [:]
            for volume in volumes {
                undos[volume.id] = try reader.undoSnapshot(of: volume.id)
                guard let id = volume.attachment?.instance, instances[id] == nil else { continue }
                instances[id] = try reader.findInstance(id)
            }
            return (instances, undos, try reader.diskOfferings())
        }
        var running: Set<InstanceID> = []
        for id in instances.keys where await world.hypervisor.isAlive(id) { running.insert(id) }
        var views: [VolumeView] = []
        for volume in volumes {
            let instance = volume.attachment.flatMap { instances[$0.instance] }
            let picture = try await picture(of: volume.pool)
            views.append(
                VolumeView(
                    volume: volume,
                    instance: instance,
                    isInstanceRunning: instance.map { running.contains($0.id) } ?? false,
                    activity: activity(on: .volume(volume.id), volume.state),
                    space: picture.account.entry(.volume(volume.id)),
                    undo: undos[volume.id],
                    failure: volume.state.asFailure ?? world.trouble(with: volume.pool),
                    chain: await depth(of: volume, in: picture.tree),
                    offeringName: offerings.first { $0.id == volume.diskOffering }?.name
                )
            )
        }
        return views
    }

    /// The view of one among many.
    func view(_ snapshot: Snapshot) async throws(ServiceError) -> SnapshotView {
        var view = self.view(snapshot, in: try await picture(of: snapshot.pool))
        view.memory = try await memory(of: snapshot)
        return view
    }

    /// The view of one that is asked for alone.
    func lone(_ snapshot: Snapshot) async throws(ServiceError) -> SnapshotView {
        var view: SnapshotView
        do {
            view = self.view(snapshot, in: try await world.ledger.picture(around: snapshot.layer, of: snapshot.pool))
        } catch {
            throw ServiceError(reporting: error)
        }
        view.memory = try await memory(of: snapshot)
        return view
    }

    func view(_ snapshot: Snapshot, in picture: SpaceLedger.Picture) -> SnapshotView {
        let pin = Pin.snapshot(snapshot.id)
        let parent = picture.tree.chain(of: snapshot.layer).dropFirst().lazy.compactMap { layer in
            picture.tree.pins[layer]?.lazy.compactMap { pin -> SnapshotID? in
                if case .snapshot(let id) = pin { id } else { nil }
            }.first
        }.first
        return SnapshotView(
            snapshot: snapshot,
            activity: activity(on: .snapshot(snapshot.id), snapshot.state),
            space: picture.account.entry(pin),
            parent: parent,
            dependents: picture.tree.dependents(of: snapshot.layer).subtracting([pin]).sorted { $0.order < $1.order },
            failure: snapshot.state.asFailure
                ?? snapshot.damage.map { ServiceError(.damaged, $0.reason, subject: .snapshot(snapshot.id)) }
                ?? world.trouble(with: snapshot.pool)
        )
    }

    /// The memory that was saved with a snapshot's group: few have one, and only for those it is looked up.
    private func memory(of snapshot: Snapshot) async throws(ServiceError) -> MemoryImage? {
        guard snapshot.consistency.achieved == .memory, let group = snapshot.group else { return nil }
        return try await read { try $0.findMemoryImage(group) }
    }

    func view(_ template: Template) async throws(ServiceError) -> TemplateView {
        let pin = Pin.template(template.id)
        var view = TemplateView(
            template: template,
            activity: activity(on: .template(template.id), template.state),
            space: .none,
            failure: template.state.asFailure ?? world.trouble(with: template.pool)
        )
        for (pool, layer) in try await places(of: template) {
            let picture = try await picture(of: pool)
            let entry = picture.account.entry(pin)
            view.space.exclusive += entry.exclusive
            view.space.shared += entry.shared
            view.dependentCount += picture.tree.dependents(of: layer).subtracting([pin]).count
            if picture.tree.layers[layer]?.phase == .ready { view.pools.append(pool) }
        }
        return view
    }

    /// The same with what stands on it, as far as the caller can see.
    func view(_ template: Template, for principal: Principal) async throws(ServiceError) -> TemplateView {
        var view = try await view(template)
        guard view.dependentCount > 0 else { return view }
        var found: Set<Pin> = []
        for (pool, layer) in try await places(of: template) {
            found.formUnion(try await picture(of: pool).tree.dependents(of: layer))
        }
        let pins = found.subtracting([.template(template.id)]).sorted { $0.order < $1.order }
        view.dependents = try await read { reader in
            try pins.compactMap { pin in
                guard let named = try reader.named(pin), principal.may(.read, in: named.environment) else { return nil }
                return named
            }
        }
        return view
    }

    /// The layers of a template in all pools, its own first.
    private func places(of template: Template) async throws(ServiceError) -> [(PoolID, LayerID)] {
        let copies = world.stores.count > 1 ? try await read { try $0.copies(of: template.id) } : []
        return [(template.pool, template.layer)] + copies.map { ($0.pool, $0.layer) }
    }

    /// The views of a page's instances, from one catalog state and one question to each machine.
    ///
    /// - Parameters:
    ///   - instances: The rows.
    ///   - asksGuest: Whether the guests are asked about themselves too, which may take half a second for each.
    /// - Returns: As many views.
    /// - Throws: What the catalog's failure means.
    func views(of instances: [Instance], asksGuest: Bool) async throws(ServiceError) -> [InstanceView] {
        let rows = try await read { reader in
            let offerings = try reader.computeOfferings()
            return try instances.map { instance in
                (
                    instance: instance,
                    volumes: try reader.volumes(of: instance.id),
                    templateName: try instance.template.flatMap { try reader.findTemplate($0)?.name },
                    offeringName: offerings.first { $0.id == instance.computeOffering }?.name
                )
            }
        }
        let machines = await machines(instances.map(\.id), asksGuest: asksGuest)
        return rows.map { row in
            let machine = machines[row.instance.id]
            return InstanceView(
                instance: row.instance,
                status: machine?.status ?? .stopped,
                activity: activity(on: .instance(row.instance.id), row.instance.state),
                volumes: row.volumes,
                templateName: row.templateName,
                guest: machine?.guest,
                failure: row.instance.state.asFailure,
                offeringName: row.offeringName
            )
        }
    }

    private typealias Machine = (status: MachineStatus, guest: GuestFacts?)

    /// What machines say of themselves.
    ///
    /// All are asked at once: one that hangs is waited for, and not by the others.
    private func machines(_ ids: [InstanceID], asksGuest: Bool) async -> [InstanceID: Machine] {
        await withTaskGroup(of: (InstanceID, Machine).self) { group in
            for id in ids {
                group.addTask {
                    let status = await world.hypervisor.status(of: id)
                    guard asksGuest, !status.isStopped else { return (id, (status, nil)) }
                    return (id, (status, await world.hypervisor.guestFacts(of: id)))
                }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
    }

    /// One view after the other, for rows that need nothing but what is in memory.
    func each<Row: Sendable, View: Sendable>(
        _ rows: [Row],
        _ view: (Row) async throws(ServiceError) -> View
    ) async throws(ServiceError) -> [View] {
        var views: [View] = []
        for row in rows { views.append(try await view(row)) }
        return views
    }

    /// The view of a resource that is there.
    func only<View>(_ views: [View], _ subject: ServiceError.Subject) throws(ServiceError) -> View {
        guard let view = views.first else { throw ServiceError(.notFound, "It is gone.", subject: subject) }
        return view
    }

    func picture(of pool: PoolID) async throws(ServiceError) -> SpaceLedger.Picture {
        do {
            return try await world.ledger.picture(of: pool)
        } catch {
            throw ServiceError(reporting: error)
        }
    }

    private func depth(of volume: Volume, in tree: LayerTree) async -> ChainDepth {
        let bound = world.settings.collection.softDepth
        var chain = ChainDepth(layers: max(1, tree.depth(of: volume.activeLayer)))
        guard let needed = tree.flattening(of: volume.activeLayer, beyond: bound),
            let answer = await world.watch.look(at: volume.pool)?.capacity,
            let free = try? await world.limited(answer, of: volume.pool).free
        else { return chain }
        let room = max(.zero, free - world.reserve(of: volume.pool))
        if needed > room { chain.missingRoom = needed - room }
        return chain
    }

    /// What holds the resource, and else what its own row says.
    private func activity(on subject: JobSubject, _ state: ResourceState) -> ResourceActivity {
        let activity = engine.activity(on: subject)
        guard activity.job == nil, let job = state.job, let open = engine.openJob(job) else { return activity }
        return ResourceActivity(job: job, kind: open.job.kind, progress: open.progress, queuePosition: open.position)
    }
}

extension ResourceState {
    var asFailure: ServiceError? {
        failure.map { ServiceError(.internalError, $0) }
    }
}

extension Pin {
    /// A stable order for lists of pins.
    var order: String {
        switch self {
        case .volume(let id): "0\(id)"
        case .snapshot(let id): "1\(id)"
        case .template(let id): "2\(id)"
        }
    }
}
