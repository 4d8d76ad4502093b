package import SnapshotDomain
package import SnapshotPorts

extension LocalCloud {
    package func task(_ id: JobID, _ call: CallContext) async throws(ServiceError) -> TaskView {
        guard let job = try await read({ try $0.findJob(id) }), call.principal.may(.read, in: job.environment) else {
            throw ServiceError(
                .notFound,
                "There is no task \(id), or it ended so long ago that it was forgotten.",
                subject: .job(id)
            )
        }
        return view(job)
    }

    package func awaitTask(
        _ id: JobID,
        atMost limit: Duration,
        _ call: CallContext
    ) async throws(ServiceError) -> TaskView {
        if let ended = await engine.awaitEnd(of: id, atMost: limit), call.principal.may(.read, in: ended.environment) {
            return view(ended)
        }
        return try await task(id, call)
    }

    package func listTasks(
        in environment: EnvironmentID,
        page: PageRequest,
        _ call: CallContext
    ) async throws(ServiceError) -> CatalogPage<TaskView> {
        try authorise(.read, in: environment, call)
        let rows = try await read { try $0.listJobs(in: environment, page: page) }
        return CatalogPage(rows: rows.rows.map(view), total: rows.total)
    }

    package func cancelTask(_ id: JobID, _ call: CallContext) async throws(ServiceError) -> TaskView {
        let task = try await task(id, call)
        try authorise(.change, in: task.job.environment, call)
        guard !task.job.phase.isEnded else {
            throw ServiceError(
                .wrongState,
                "The task has ended; there is nothing to cancel.",
                subject: .job(id),
                currentState: task.status.rawValue,
                expectedStates: [TaskView.Status.queued.rawValue, TaskView.Status.running.rawValue]
            )
        }
        engine.cancel(id)
        return try await self.task(id, call)
    }

    package func listActivity(
        _ filter: ActivityFilter,
        page: PageRequest,
        _ call: CallContext
    ) async throws(ServiceError) -> CatalogPage<ActivityEntry> {
        try authoriseList(filter.environment, call)
        return try await read { try $0.listActivity(filter, page: page) }
    }

    package func status(_ call: CallContext) async throws(ServiceError) -> ServiceStatus {
        let counts = engine.counts
        return ServiceStatus(
            version: version,
            accelerator: await world.hypervisor.accelerator,
            pools: try await poolStatus(call),
            runningJobs: counts.running,
            queuedJobs: counts.waiting,
            damagedSnapshots: try await read { try $0.damagedSnapshotCount() },
            savedMemory: try await read { try $0.listMemoryImages() }.reduce(.zero) { $0 + $1.size }
        )
    }

    package func overview(
        of environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> EnvironmentOverview {
        try authorise(.read, in: environment, call)
        let (census, jobs) = try await read { reader in
            (try reader.census(of: environment), try reader.openJobs().filter { $0.environment == environment })
        }
        return EnvironmentOverview(census: census, openTasks: jobs.map(view), pools: try await poolStatus(call))
    }

    private func view(_ job: Job) -> TaskView {
        if let open = engine.openJob(job.id) {
            let awaited = engine.awaitedPool(of: job.id)
            return TaskView(
                job: open.job,
                status: open.position == nil && awaited == nil ? .running : .queued,
                progress: open.progress,
                queuePosition: open.position,
                failure: nil,
                awaitedPool: awaited
            )
        }
        switch job.phase {
        case .queued, .running:
            // Recorded, and about to be queued.
            return TaskView(job: job, status: .queued, progress: nil, queuePosition: nil, failure: nil)
        case .ended(.succeeded, _):
            return TaskView(job: job, status: .succeeded, progress: nil, queuePosition: nil, failure: nil)
        case .ended(.failed(let error), _):
            return TaskView(job: job, status: .failed, progress: nil, queuePosition: nil, failure: error)
        case .ended(.cancelled, _):
            let error = ServiceError(.cancelled, "The task was cancelled; what it had done was taken back.")
            return TaskView(job: job, status: .cancelled, progress: nil, queuePosition: nil, failure: error)
        }
    }
}
