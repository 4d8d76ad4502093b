import Foundation
package import SnapshotDomain
import SnapshotPorts
import Synchronization

extension JobEngine {
    /// What a job that has not ended is at; nil for one that has, or is unknown.
    package func openJob(_ id: JobID) -> (job: Job, progress: JobProgress?, position: Int?)? {
        state.withLock { state in
            state.jobs[id].map { ($0, state.meters[id]?.progress, state.queue.position(of: id)) }
        }
    }

    /// What happens to a resource now: the job that changes it, else one that reads it.
    package func activity(on subject: JobSubject) -> ResourceActivity {
        state.withLock { state in
            let holder = state.queue.holder(of: subject)
            guard let id = holder ?? state.queue.reader(of: subject), let job = state.jobs[id] else { return .idle }
            return ResourceActivity(
                job: id,
                kind: job.kind,
                onlyReads: holder == nil,
                progress: state.meters[id]?.progress,
                queuePosition: state.queue.position(of: id)
            )
        }
    }

    /// Which of the pools that an open job works on it has to wait for.
    package func awaitedPool(of id: JobID) -> PoolID? {
        let pools = state.withLock { $0.pools[id] ?? [] }
        return pools.sorted { $0.description < $1.description }.first { pool in
            world.watch.condition(of: pool).map { !$0.isReady } ?? false
        }
    }

    package var counts: (running: Int, waiting: Int) {
        state.withLock { ($0.queue.runningCount, $0.queue.waitingCount) }
    }

    /// Returns when the job is no longer open, or after the limit.
    ///
    /// - Returns: The job, if it ended meanwhile; nil for one that is open still, or was over before.
    @discardableResult
    package func awaitEnd(of id: JobID, atMost limit: Duration) async -> Job? {
        let (stream, continuation) = AsyncStream.makeStream(of: Job.self)
        let ticket = state.withLock { state -> Int? in
            guard state.jobs[id] != nil else { return nil }
            state.nextWaiter += 1
            state.waiters[id, default: [:]][state.nextWaiter] = continuation
            return state.nextWaiter
        }
        guard let ticket else { return nil }
        let timer = Task {
            try? await Task.sleep(for: limit)
            continuation.finish()
        }
        var ended: Job?
        for await job in stream { ended = job }
        timer.cancel()
        state.withLock { $0.waiters[id]?[ticket] = nil }
        return ended
    }

    /// Returns when no job is open.
    package func awaitIdle() async {
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                if state.jobs.isEmpty { return true }
                state.idle.append(continuation)
                return false
            }
            if isIdle { continuation.resume() }
        }
    }

    /// Asks an open job to stop.
    ///
    /// A job that waits ends at once. One that runs ends as `cancelled` when it has taken back what it did, or as it would
    /// have if it was past the point of return.
    package func cancel(_ id: JobID) {
        state.withLock { state in
            guard var job = state.jobs[id], !state.isStopped else { return }
            job.isCancelRequested = true
            state.jobs[id] = job
            if let task = state.tasks[id] { return task.cancel() }
            guard let program = state.programs[id] else { return }
            state.tasks[id] = Task { await self.withdraw(job, program) }
        }
    }

    func note(_ done: ByteCount, of total: ByteCount, for id: JobID) {
        let now = ContinuousClock.now
        state.withLock { state in
            guard state.jobs[id] != nil else { return }
            state.meters[id, default: ProgressMeter(startedAt: now, done: done)].note(done, of: total, at: now)
        }
    }
}

/// Turns "so many bytes of so many" into a rate and a time to wait.
///
/// A total of zero is one that is not known.
struct ProgressMeter: Sendable {
    /// Since when, and from how many bytes, the rate is measured.
    private var base: (at: ContinuousClock.Instant, done: ByteCount)
    private(set) var progress = JobProgress(doneBytes: .zero, totalBytes: .zero)

    /// A job that goes on where a former run stopped begins with what is done: that is no speed.
    init(startedAt: ContinuousClock.Instant, done: ByteCount = .zero) {
        base = (startedAt, done)
    }

    mutating func note(_ done: ByteCount, of total: ByteCount, at now: ContinuousClock.Instant) {
        // The next of several steps counts from its own beginning.
        if done < progress.doneBytes { self = ProgressMeter(startedAt: now, done: done) }
        progress.doneBytes = done
        progress.totalBytes = total > .zero ? max(done, total) : .zero
        progress.remainingSeconds = nil
        let elapsed = (now - base.at) / .seconds(1)
        // Early rates are noise: they would make the estimate jump.
        guard elapsed >= 0.5, done > base.done else { return }
        let rate = Double((done - base.done).bytes) / elapsed
        progress.bytesPerSecond = Int64(rate)
        guard total > .zero else { return }
        progress.remainingSeconds = Int((Double((progress.totalBytes - done).bytes) / rate).rounded(.up))
    }
}
