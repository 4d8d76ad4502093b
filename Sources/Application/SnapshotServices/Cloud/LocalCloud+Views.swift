import SnapshotDomain
import SnapshotPorts

/// Puts rows, open jobs, machines and the ledger together.
extension LocalCloud {
    func view(_ volume: Volume) async throws(ServiceError) -> VolumeView {
        let (instance, undo) = try await read { reader in
            (
                try volume.attachment.flatMap { try reader.findInstance($0.instance) },
                try reader.undoSnapshot(of: volume.id)
            )
        }
        var isRunning = false
        if let instance { isRunning = await !world.hypervisor.status(of: instance.id).isStopped }
        return VolumeView(
            volume: volume,
            instance: instance,
            isInstanceRunning: isRunning,
            activity: activity(on: .volume(volume.id), volume.state),
            space: try await picture(of: volume.pool).account.entry(.volume(volume.id)),
            undo: undo,
            failure: volume.state.asFailure
        )
    }

    func view(_ snapshot: Snapshot) async throws(ServiceError) -> SnapshotView {
        let picture = try await picture(of: snapshot.pool)
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
        )
    }

    func view(_ template: Template) async throws(ServiceError) -> TemplateView {
        TemplateView(
            template: template,
            activity: activity(on: .template(template.id), template.state),
            space: try await picture(of: template.pool).account.entry(.template(template.id)),
            failure: template.state.asFailure
        )
    }

    func view(_ instance: Instance, asksGuest: Bool) async throws(ServiceError) -> InstanceView {
        let (volumes, templateName) = try await read { reader in
            (
                try reader.volumes(of: instance.id),
                try instance.template.flatMap { try reader.findTemplate($0)?.name }
            )
        }
        let status = await world.hypervisor.status(of: instance.id)
        var guest: GuestFacts?
        if asksGuest && !status.isStopped { guest = await world.hypervisor.guestFacts(of: instance.id) }
        return InstanceView(
            instance: instance,
            status: status,
            activity: activity(on: .instance(instance.id), instance.state),
            volumes: volumes,
            templateName: templateName,
            guest: guest,
            failure: instance.state.asFailure
        )
    }

    func views<Row: Sendable, View: Sendable>(
        _ page: CatalogPage<Row>,
        _ view: (Row) async throws(ServiceError) -> View
    ) async throws(ServiceError) -> CatalogPage<View> {
        var views: [View] = []
        for row in page.rows { views.append(try await view(row)) }
        return CatalogPage(rows: views, total: page.total)
    }

    func picture(of pool: PoolID) async throws(ServiceError) -> SpaceLedger.Picture {
        do {
            return try await world.ledger.picture(of: pool)
        } catch {
            throw ServiceError(reporting: error)
        }
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
