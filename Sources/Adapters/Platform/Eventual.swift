import Dispatch
import Foundation
import Synchronization

private let eventualTimers = DispatchQueue(label: "eventual.timers")

/// A value that arrives once and that any number of tasks may wait for.
package final class Eventual<Value: Sendable>: Sendable {
    private enum State {
        case pending(waiters: [Int: CheckedContinuation<Value?, Never>], nextWaiter: Int)
        case settled(Value)
    }

    private let state = Mutex<State>(.pending(waiters: [:], nextWaiter: 0))

    package init() {}

    /// The value, if it has arrived.
    package var current: Value? {
        state.withLock { state in
            if case .settled(let value) = state { value } else { nil }
        }
    }

    /// Delivers the value to everyone who waits or will wait; later calls change nothing.
    ///
    /// - Returns: Whether this call was the one that delivered.
    @discardableResult
    package func settle(_ value: Value) -> Bool {
        let waiters: [CheckedContinuation<Value?, Never>]? = state.withLock { state in
            guard case .pending(let waiters, _) = state else { return nil }
            state = .settled(value)
            return Array(waiters.values)
        }
        guard let waiters else { return false }
        for waiter in waiters { waiter.resume(returning: value) }
        return true
    }

    /// Waits for the value, however long it takes, even in a cancelled task.
    package func value() async -> Value {
        while true {
            let delivered = await withCheckedContinuation { register($0, as: newWaiter(), evenCancelled: true) }
            if let delivered { return delivered }
        }
    }

    /// Waits for the value; nil when the task is cancelled first.
    package func valueUnlessCancelled() async -> Value? {
        let waiter = newWaiter()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { register($0, as: waiter, evenCancelled: false) }
        } onCancel: {
            abandon(waiter)
        }
    }

    /// Waits for the value; nil when `limit` passes, or the task is cancelled, first.
    ///
    /// - Parameters:
    ///   - limit: How long to wait.
    ///   - evenCancelled: Waits on in a cancelled task, for clean-up that must have its time.
    /// - Returns: The value, if it came in time.
    package func value(within limit: Duration, evenCancelled: Bool = false) async -> Value? {
        let waiter = newWaiter()
        let timer = DispatchSource.makeTimerSource(queue: eventualTimers)
        timer.schedule(deadline: .now() + limit.timeInterval)
        timer.setEventHandler { self.abandon(waiter) }
        defer { timer.cancel() }
        return await withTaskCancellationHandler {
            await withCheckedContinuation {
                register($0, as: waiter, evenCancelled: evenCancelled)
                // Only now: an earlier firing would find no waiter to abandon.
                timer.activate()
            }
        } onCancel: {
            if !evenCancelled { abandon(waiter) }
        }
    }

    private func newWaiter() -> Int {
        state.withLock { state in
            guard case .pending(let waiters, let next) = state else { return 0 }
            state = .pending(waiters: waiters, nextWaiter: next + 1)
            return next
        }
    }

    private func register(_ continuation: CheckedContinuation<Value?, Never>, as waiter: Int, evenCancelled: Bool) {
        // The flag is read under the lock that `abandon` takes: a cancellation is seen here or by `abandon`.
        let immediate: Value?? = state.withLock { state in
            switch state {
            case .settled(let value): return .some(value)
            case .pending(var waiters, let next):
                if Task.isCancelled, !evenCancelled { return .some(nil) }
                waiters[waiter] = continuation
                state = .pending(waiters: waiters, nextWaiter: next)
                return .none
            }
        }
        if let immediate { continuation.resume(returning: immediate) }
    }

    private func abandon(_ waiter: Int) {
        let continuation: CheckedContinuation<Value?, Never>? = state.withLock { state in
            guard case .pending(var waiters, let next) = state else { return nil }
            let continuation = waiters.removeValue(forKey: waiter)
            state = .pending(waiters: waiters, nextWaiter: next)
            return continuation
        }
        continuation?.resume(returning: nil)
    }
}
