import Foundation
package import Logging
package import SnapshotDomain
package import SnapshotPorts
import Synchronization

/// Runs every change of the product.
///
/// A job is durable before the caller hears of it and runs when nothing before it works on the same things. It ends in one
/// transaction with the rows it changes, so that what people see and what happened never differ. After a restart the open
/// jobs run again from the start: their programs find what is done.
///
/// The engine keeps only what can be made anew in memory: the queue, progress and who waits.
package final class JobEngine: Sendable {
    struct State {
        var queue: JobQueue
        var jobs: [JobID: Job] = [:]
        var programs: [JobID: any JobProgram] = [:]
        var tasks: [JobID: Task<Void, Never>] = [:]
        var pools: [JobID: Set<PoolID>] = [:]
        var meters: [JobID: ProgressMeter] = [:]
        var waiters: [JobID: [Int: AsyncStream<Job>.Continuation]] = [:]
        var nextWaiter = 0
        var isStopped = false
        var idle: [CheckedContinuation<Void, Never>] = []
    }

    let world: World
    private let logger: Logger
    private let observer: (any StepObserver)?
    private let collector: Collector
    let state: Mutex<State>

    /// - Parameters:
    ///   - world: What jobs work with.
    ///   - logger: Where job results go.
    ///   - collector: Told which layers' surroundings a job left with something to collect.
    ///   - observer: Told of every step, for crash tests.
    package init(
        world: World,
        logger: Logger,
        collector: Collector,
        observer: (any StepObserver)? = nil
    ) {
        self.world = world
        self.logger = logger
        self.observer = observer
        self.collector = collector
        state = Mutex(
            State(queue: JobQueue(heavySlots: world.settings.heavySlots, networkSlots: world.settings.networkSlots))
        )
    }

    // MARK: Submitting

    /// What a use case wants done, made inside the transaction that records it.
    package struct Draft<Value: Sendable>: Sendable {
        var program: any JobProgram
        var title: String
        var subjects: [JobSubject]
        var reads: [JobSubject]
        var value: Value

        init(
            _ program: any JobProgram,
            title: ResourceName,
            subjects: [JobSubject],
            reads: [JobSubject] = [],
            value: Value
        ) {
            self.program = program
            self.title = title.description
            self.subjects = subjects
            self.reads = reads
            self.value = value
        }
    }

    /// Records a job and what its draft reserved, in one transaction, and queues it.
    ///
    /// - Parameters:
    ///   - environment: Where the job belongs.
    ///   - call: Who asks; with an idempotency key, an earlier job may answer.
    ///   - rejoin: Makes the value from an earlier job that the idempotency key names.
    ///   - draft: Checks the request against the state of this transaction and reserves rows; gets the job's identity.
    /// - Returns: The job and what the draft made.
    /// - Throws: What the draft refused with, or what the catalog's failure means.
    package func submit<Value: Sendable>(
        in environment: EnvironmentID,
        for call: CallContext,
        rejoin: @escaping @Sendable (Job, any CatalogReader) throws -> Value,
        draft: @escaping @Sendable (JobID, any CatalogWriter) throws -> Draft<Value>
    ) async throws(ServiceError) -> Submitted<Value> {
        let now = world.time.now
        let id = JobID.random()
        let recorded: (job: Job, program: (any JobProgram)?, pools: Set<PoolID>, value: Value)
        do {
            recorded = try await world.catalog.write { [world] writer in
                if let key = call.idempotencyKey,
                    let known = try writer.findJob(idempotencyKey: key, user: call.principal.user.id)
                {
                    return (known, nil, [], try rejoin(known, writer))
                }
                try writer.requireLasting(environment)
                let draft = try draft(id, writer)
                let pools = try draft.program.pools(draft.subjects, draft.reads, writer)
                // Whoever asks now is told now. What was accepted before waits until the pool is back.
                for pool in pools.sorted(by: { $0.description < $1.description }) {
                    if let trouble = world.trouble(with: pool) { throw trouble }
                }
                let job = Job(
                    id: id,
                    kind: type(of: draft.program).kind,
                    title: draft.title,
                    environment: environment,
                    actor: call.principal.actor,
                    subjects: draft.subjects,
                    reads: draft.reads,
                    program: try draft.program.encoded(),
                    createdAt: now,
                    idempotencyKey: call.idempotencyKey
                )
                try writer.insert(job)
                return (job, draft.program, pools, draft.value)
            }
        } catch let fault as CatalogFault where fault.outcome == .unknown {
            return try await lookFor(id, after: fault, rejoin)
        } catch {
            throw report(error, "a request was refused")
        }
        if let program = recorded.program { enqueue(recorded.job, program, recorded.pools) }
        return Submitted(job: recorded.job.id, resource: recorded.value)
    }

    /// Finds out whether a job was recorded when the answer was lost, and queues it if so: it would run after the next
    /// start anyway, and hold what it works on until then.
    private func lookFor<Value: Sendable>(
        _ id: JobID,
        after fault: CatalogFault,
        _ rejoin: @escaping @Sendable (Job, any CatalogReader) throws -> Value
    ) async throws(ServiceError) -> Submitted<Value> {
        do {
            let found = try await world.catalog.read { reader in
                try reader.findJob(id).map { job in
                    let program = try ProgramRegistry.program(of: job)
                    return (
                        job: job, program: program, pools: try program.pools(job.subjects, job.reads, reader),
                        value: try rejoin(job, reader)
                    )
                }
            }
            guard let found else { throw fault }
            enqueue(found.job, found.program, found.pools)
            return Submitted(job: id, resource: found.value)
        } catch {
            throw report(error, "whether a request was recorded is not known")
        }
    }

    /// Queues the jobs that a former run of the service left open, and removes the uploads that none of them needs.
    ///
    /// Call once, before anything is submitted.
    package func resume() async throws {
        let open = try await world.catalog.read { try $0.openJobs() }
        var readable: [(job: Job, program: any JobProgram)] = []
        for job in open {
            do {
                readable.append((job, try ProgramRegistry.program(of: job)))
            } catch {
                logger.error(
                    "a recorded job cannot be read; it is left alone",
                    metadata: [
                        "job.id": .stringConvertible(job.id), "error": .string("\(error)"),
                    ]
                )
            }
        }
        // One that cannot be read may need any of them.
        if readable.count == open.count { try await sweepUploads(keepingThoseOf: readable.map(\.program)) }
        let pools = try await world.catalog.read { [readable] reader in
            try readable.map { try $0.program.pools($0.job.subjects, $0.job.reads, reader) }
        }
        for ((job, program), pools) in zip(readable, pools) { enqueue(job, program, pools) }
        if !open.isEmpty { logger.notice("resuming jobs", metadata: ["count": .stringConvertible(open.count)]) }
    }

    private func sweepUploads(keepingThoseOf programs: [any JobProgram]) async throws {
        let needed = programs.reduce(into: Set<String>()) { $0.formUnion($1.ownUploads) }
        try await world.uploads.sweep(keeping: needed)
    }

    /// Layers that open jobs may be making.
    package var layersOfOpenJobs: Set<LayerID> {
        state.withLock { state in state.programs.values.reduce(into: []) { $0.formUnion($1.ownLayers) } }
    }

    /// Memory that open jobs may be saving.
    package var memoryOfOpenJobs: Set<SnapshotGroupID> {
        state.withLock { state in state.programs.values.reduce(into: []) { $0.formUnion($1.ownMemory) } }
    }

    private func enqueue(_ job: Job, _ program: any JobProgram, _ pools: Set<PoolID>) {
        let entry = JobQueue.Entry(
            id: job.id,
            environment: job.environment,
            changes: Set(job.subjects),
            reads: Set(job.reads),
            isHeavy: program.isHeavy,
            usesNetwork: program.usesNetwork,
            pools: pools
        )
        state.withLock { state in
            guard !state.isStopped else { return }
            state.jobs[job.id] = job
            state.programs[job.id] = program
            state.pools[job.id] = pools
            start(state.queue.add(entry), &state)
        }
        announce(job)
    }

    /// Says that a job changed what people see.
    private func announce(_ job: Job) {
        world.ledger.invalidate()
        // What it only reads can show it, too: a verification leaves its date on the snapshot.
        world.feed.publish(job.subjects + job.reads, in: job.environment)
    }

    private func start(_ ids: [JobID], _ state: inout State) {
        for id in ids {
            // One that has a task already is being withdrawn.
            guard let job = state.jobs[id], let program = state.programs[id], state.tasks[id] == nil else { continue }
            let running = Job.Phase.running(since: world.time.now)
            state.jobs[id]?.phase = running
            state.tasks[id] = Task { await self.run(job, program) }
        }
    }

    // MARK: Running

    private func run(_ job: Job, _ program: some JobProgram) async {
        let work = work(on: job)
        let ending: Ending
        do {
            try await world.watch.awaitReady(state.withLock { $0.pools[job.id] ?? [] })
            let findings = try await program.perform(work)
            ending = try await end(program, .succeeded, work) { writer in try program.finish(findings, writer, work) }
        } catch {
            guard !isDead(after: error) else { return stop(after: job.id) }
            guard let failure = await takeBack(job, program, work, error) else { return stop(after: job.id) }
            ending = failure
        }
        await settle(program, ending, work)
    }

    /// Ends a job that was cancelled while it waited.
    func withdraw(_ job: Job, _ program: some JobProgram) async {
        let work = work(on: job)
        guard let ending = await takeBack(job, program, work, CancellationError()) else { return stop(after: job.id) }
        await settle(program, ending, work)
    }

    private func work(on job: Job) -> JobWork {
        var logger = logger
        logger[metadataKey: "job.id"] = .stringConvertible(job.id)
        logger[metadataKey: "job.kind"] = .string(job.kind.rawValue)
        return JobWork(
            job: job,
            world: world,
            logger: logger,
            collector: collector,
            progress: { [weak self] done, total in self?.note(done, of: total, for: job.id) },
            checkpoint: { [weak self] step in try self?.reached(step) }
        )
    }

    /// Undoes a failed job; nil when the world ended meanwhile.
    private func takeBack(
        _ job: Job,
        _ program: some JobProgram,
        _ work: JobWork,
        _ error: any Error
    ) async -> Ending? {
        let reason = report(error, "a job failed", work.logger)
        // Undoing is not cancelled with the job: it runs in a task of its own.
        let undoing = Task { try await program.undo(work) }
        let residue: Result<_, any Error> = await undoing.result
        if case .failure(let fault) = residue {
            guard !isDead(after: fault) else { return nil }
            work.logger.error(
                "what a failed job left could not be taken back",
                metadata: ["error": .string("\(fault)")]
            )
        }
        let outcome: Job.Outcome = reason.code == .cancelled ? .cancelled : .failed(reason)
        let ending = Task {
            try await end(program, outcome, work) { writer in
                try program.abandon(try? residue.get(), because: reason, writer, work)
            }
        }
        do {
            return try await ending.value
        } catch {
            guard !isDead(after: error) else { return nil }
            work.logger.critical("a failed job could not be recorded", metadata: ["error": .string("\(error)")])
            return Ending(outcome: outcome)
        }
    }

    /// How a job ended, as the transaction that ended it left it.
    private struct Ending {
        var outcome: Job.Outcome
        /// Nil when that could not be recorded.
        var job: Job?
        /// Where there may be something to collect now.
        var disturbed: Set<LayerID> = []
    }

    /// Ends a job together with its rows.
    ///
    /// Waits as long as the catalog cannot write: what was done must not be forgotten.
    private func end(
        _ program: some JobProgram,
        _ outcome: Job.Outcome,
        _ work: JobWork,
        _ rows: @escaping @Sendable (any CatalogWriter) throws -> Void
    ) async throws -> Ending {
        let job = work.job
        var ending = Ending(outcome: outcome)
        try work.checkpoint(StepName(kind: job.kind, step: "end", moment: .before))
        var attempts = 0
        let startedAt = startOfRun(job.id)
        while true {
            do {
                (ending.job, ending.disturbed) = try await world.catalog.write { [now = world.time.now] writer in
                    var stored = try writer.findJob(job.id)
                    // The answer of an earlier attempt may have been lost.
                    if var open = stored, !open.phase.isEnded {
                        try rows(writer)
                        open.phase = .ended(outcome, at: now)
                        try writer.update(open)
                        for entry in ActivityEntry.entries(of: open, outcome, at: now, startedAt: startedAt, writer) {
                            try writer.append(entry)
                        }
                        stored = open
                    }
                    // Not to know where to collect must not undo what was done: every start looks everywhere.
                    return (stored, (try? program.disturbedLayers(writer)) ?? [])
                }
                break
            } catch let fault as CatalogFault where !fault.code.isLasting {
                attempts += 1
                if attempts == 1 {
                    work.logger.error(
                        "the catalog cannot record a result; trying again",
                        metadata: [
                            "error": .string("\(fault)")
                        ]
                    )
                }
                guard !state.withLock(\.isStopped) else { throw SimulatedCrash() }
                try? await Task.sleep(for: world.settings.catalogPause)
            }
        }
        try work.checkpoint(StepName(kind: job.kind, step: "end", moment: .after))
        return ending
    }

    /// Since when the job runs; nil for one that is withdrawn before it did.
    private func startOfRun(_ job: JobID) -> Date? {
        state.withLock { state in
            if case .running(let since)? = state.jobs[job]?.phase { since } else { nil }
        }
    }

    private func settle(_ program: some JobProgram, _ ending: Ending, _ work: JobWork) async {
        let job = work.job
        work.logger.info("job ended", metadata: ["outcome": .string(ending.outcome.word)])
        await program.tidyUp(work)
        if ending.outcome != .succeeded { await work.notePower() }
        // Before anybody hears of the end: whoever looks then must see the bytes as they are.
        world.ledger.invalidate()
        leave(job.id, ended: ending.job)
        announce(job)
        if !ending.disturbed.isEmpty { collector.disturb(ending.disturbed) }
    }

    private func leave(_ id: JobID, ended job: Job? = nil) {
        let (waiters, idle) = state.withLock { state in
            state.jobs[id] = nil
            state.programs[id] = nil
            state.pools[id] = nil
            state.tasks[id] = nil
            state.meters[id] = nil
            if !state.isStopped { start(state.queue.remove(id), &state) }
            let idle = state.jobs.isEmpty ? state.idle : []
            if state.jobs.isEmpty { state.idle = [] }
            return (state.waiters.removeValue(forKey: id) ?? [:], idle)
        }
        for waiter in waiters.values {
            if let job { waiter.yield(job) }
            waiter.finish()
        }
        for continuation in idle { continuation.resume() }
    }

    // MARK: Dying

    private func reached(_ step: StepName) throws {
        guard !state.withLock(\.isStopped) else { throw SimulatedCrash() }
        try observer?.reached(step)
    }

    private func isDead(after error: any Error) -> Bool {
        error is SimulatedCrash || state.withLock(\.isStopped)
    }

    private func stop(after id: JobID) {
        stopAll()
        leave(id)
    }

    /// Stops at once, in the middle of every job, as a crash would: open jobs stay open and resume at the next start.
    package func stopAll() {
        let tasks = state.withLock { state in
            state.isStopped = true
            return Array(state.tasks.values)
        }
        for task in tasks { task.cancel() }
    }

    /// Stops and returns when nothing runs any more.
    package func shutdown() async {
        stopAll()
        let tasks = state.withLock { Array($0.tasks.values) }
        for task in tasks { await task.value }
    }

    @discardableResult
    private func report(_ error: any Error, _ what: String, _ logger: Logger? = nil) -> ServiceError {
        let reported = ServiceError(reporting: error)
        let level: Logger.Level = reported.code == .internalError ? .error : .info
        (logger ?? self.logger).log(level: level, "\(what)", metadata: ["error": .string("\(error)")])
        return reported
    }
}

extension Job.Outcome {
    fileprivate var word: String {
        switch self {
        case .succeeded: "succeeded"
        case .failed: "failed"
        case .cancelled: "cancelled"
        }
    }
}
