package import Foundation
package import SnapshotDomain
package import SnapshotPorts
import Synchronization

/// Which pools can be worked with, so that one that cannot costs the others nothing.
///
/// ```
///            answers                    examined
///  unseen ────────────► answering ────────────────► ready
///                           ▲                         │ does not answer
///                           └──────── down ◄──────────┘
/// ```
///
/// A pool is *ready* when it answers and, since it last did not, has been compared with the catalog. Until then jobs on it
/// wait and new ones are refused with the reason; what only the catalog knows is shown all the same. Nobody waits for a
/// pool in a list: it is asked for a moment, by one question at a time, and what it last said serves meanwhile.
package final class PoolWatch: Sendable {
    /// How a pool is, as last heard.
    package struct Condition: Hashable, Sendable {
        package var capacity: PoolCapacity?
        /// It can be worked with.
        package var isReady: Bool
        /// Why it cannot, and what to do; nil while nothing is known against it.
        package var trouble: String?
        /// Since when it is as it is.
        package var since: Date
    }

    private struct Waiter {
        var pools: Set<PoolID>
        var continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var conditions: [PoolID: Condition]
        var questions: [PoolID: Task<Void, Never>] = [:]
        var waiters: [Int: Waiter] = [:]
        var nextWaiter = 0

        func areReady(_ pools: Set<PoolID>) -> Bool {
            pools.allSatisfy { conditions[$0]?.isReady ?? false }
        }
    }

    /// A layer that no pool has: to look for it asks the medium, and costs nothing there.
    private static let nobody = LayerID.random()

    private let stores: [PoolID: any BlockStore]
    private let time: any TimeSource
    private let patience: Duration
    private let state: Mutex<State>

    init(stores: [PoolID: any BlockStore], time: any TimeSource, patience: Duration) {
        self.stores = stores
        self.time = time
        self.patience = patience
        let unseen = Condition(capacity: nil, isReady: false, trouble: nil, since: time.now)
        state = Mutex(State(conditions: stores.mapValues { _ in unseen }))
    }

    /// As last heard; nil for a pool that is not configured.
    package func condition(of pool: PoolID) -> Condition? {
        state.withLock { $0.conditions[pool] }
    }

    package func isReady(_ pool: PoolID) -> Bool {
        state.withLock { $0.areReady([pool]) }
    }

    /// Asks a pool how it is.
    ///
    /// Of one that is known to be down the last answer comes at once, and what it says this time is heard later.
    @discardableResult
    package func look(at pool: PoolID) async -> Condition? {
        guard let store = stores[pool] else { return nil }
        let (question, isDown) = state.withLock { state -> (Task<Void, Never>, Bool) in
            let isDown = state.conditions[pool]?.trouble != nil
            if let question = state.questions[pool] { return (question, isDown) }
            let question = Task { [weak self] in
                let answer: Result<PoolCapacity, BlockStoreFault>
                do throws(BlockStoreFault) {
                    let capacity = try await store.capacity()
                    // Whoever knows the room need not be who keeps the bytes: in a cluster they are different programs.
                    _ = try await store.findLayer(Self.nobody)
                    answer = .success(capacity)
                } catch {
                    answer = .failure(error)
                }
                self?.hear(answer, from: pool)
            }
            state.questions[pool] = question
            return (question, isDown)
        }
        guard !isDown else { return condition(of: pool) }
        let hasAnswered = try? await promptly(within: patience) {
            await question.value
            return true
        }
        // A caller that went away has heard nothing, which says nothing of the pool.
        if hasAnswered == nil, !Task.isCancelled {
            note(
                """
                The pool '\(pool)' does not answer. Look at what it is on; the service goes on with it by itself when it is \
                back.
                """,
                of: pool
            )
        }
        return condition(of: pool)
    }

    /// The same for whoever waits for a pool to come back: what it says this time is heard, unless it takes long again.
    func listen(to pool: PoolID) async {
        await look(at: pool)
        guard let question = state.withLock({ $0.questions[pool] }) else { return }
        _ = try? await promptly(within: patience) { await question.value }
    }

    private func hear(_ answer: Result<PoolCapacity, BlockStoreFault>, from pool: PoolID) {
        state.withLock { state in
            state.questions[pool] = nil
            guard case .success(let capacity) = answer, var condition = state.conditions[pool] else { return }
            if condition.trouble != nil {
                condition.trouble = nil
                condition.since = time.now
            }
            condition.capacity = capacity
            state.conditions[pool] = condition
        }
        if case .failure(let fault) = answer, fault.code != .cancelled { note(fault.message, of: pool) }
    }

    private func note(_ trouble: String, of pool: PoolID) {
        state.withLock { state in
            guard var condition = state.conditions[pool] else { return }
            if condition.trouble == nil { condition.since = time.now }
            condition.trouble = trouble
            condition.isReady = false
            state.conditions[pool] = condition
        }
    }

    /// Says that a pool has been compared with the catalog: what waits for it goes on.
    func markReady(_ pool: PoolID) {
        let woken = state.withLock { state -> [Waiter] in
            guard var condition = state.conditions[pool], condition.trouble == nil else { return [] }
            condition.isReady = true
            state.conditions[pool] = condition
            let ready = state.waiters.filter { state.areReady($0.value.pools) }
            for id in ready.keys { state.waiters[id] = nil }
            return Array(ready.values)
        }
        for waiter in woken { waiter.continuation.resume(returning: true) }
    }

    /// Returns when all of some pools can be worked with.
    ///
    /// One that is not configured is never waited for: the work will say so.
    ///
    /// - Throws: `CancellationError`.
    func awaitReady(_ wanted: Set<PoolID>) async throws {
        let pools = wanted.filter { stores[$0] != nil }
        guard !state.withLock({ $0.areReady(pools) }) else { return }
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        let isReady = await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Bool, Never>) in
                let answer = state.withLock { state -> Bool? in
                    if Task.isCancelled { return false }
                    if state.areReady(pools) { return true }
                    state.waiters[id] = Waiter(pools: pools, continuation: continuation)
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: id) }?.continuation.resume(returning: false)
        }
        guard isReady else { throw CancellationError() }
    }
}
