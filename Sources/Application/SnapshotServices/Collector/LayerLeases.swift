package import SnapshotDomain
import Synchronization

/// Who uses which layers now, so that nobody merges a file that somebody else is reading.
///
/// Jobs *share* layers: they open machines on them, hash, copy or export them. The collector takes layers *for itself*
/// while it merges them. It never waits for jobs, and makes way when one comes: a merge can be begun again, a person
/// should not wait for it.
///
/// Leases live in memory: after a restart nobody uses anything.
package final class LayerLeases: Sendable {
    private struct Exclusive {
        var layers: Set<LayerID>
        var makeWay: @Sendable () -> Void
    }

    private struct Waiter {
        var layers: Set<LayerID>
        var continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var next = 0
        var shared: [LayerID: Int] = [:]
        var exclusive: [Int: Exclusive] = [:]
        var waiters: [Int: Waiter] = [:]
        var onFreed: (@Sendable (Set<LayerID>) -> Void)?

        func blockers(of layers: Set<LayerID>) -> [Exclusive] {
            exclusive.values.filter { !$0.layers.isDisjoint(with: layers) }
        }

        mutating func share(_ layers: Set<LayerID>) {
            for layer in layers { shared[layer, default: 0] += 1 }
        }
    }

    private let state = Mutex(State())

    package init() {}

    /// Has a listener told which layers were let go, by a job or by whoever had them alone.
    package func observe(_ onFreed: @escaping @Sendable (Set<LayerID>) -> Void) {
        state.withLock { $0.onFreed = onFreed }
    }

    /// Runs a body while nobody merges the given layers; waits for a merge in progress to make way.
    package func sharing<Value>(_ layers: Set<LayerID>, _ body: () async throws -> Value) async throws -> Value {
        let lease = try await share(layers)
        defer { lease.end() }
        return try await body()
    }

    /// As ``sharing(_:_:)``, for uses that outlast a function: until the lease is ended or let go.
    package func share(_ layers: Set<LayerID>) async throws -> SharedLease {
        try await acquireShared(layers)
        return SharedLease { [weak self] in self?.releaseShared(layers) }
    }

    /// Takes the layers alone, or not at all.
    ///
    /// - Parameters:
    ///   - layers: What to take.
    ///   - makeWay: Called, from any thread, when a job waits for one of them.
    /// - Returns: A ticket for ``release(_:)``, or nil when somebody uses one of them.
    package func takeAlone(_ layers: Set<LayerID>, makeWay: @escaping @Sendable () -> Void) -> Int? {
        state.withLock { state in
            guard layers.allSatisfy({ state.shared[$0] == nil }), state.blockers(of: layers).isEmpty else { return nil }
            state.next += 1
            state.exclusive[state.next] = Exclusive(layers: layers, makeWay: makeWay)
            return state.next
        }
    }

    package func release(_ ticket: Int) {
        let (woken, freed, onFreed) = state.withLock { state in
            let freed = state.exclusive.removeValue(forKey: ticket)?.layers ?? []
            let ready = state.waiters.filter { state.blockers(of: $0.value.layers).isEmpty }
            for (id, waiter) in ready {
                state.waiters[id] = nil
                state.share(waiter.layers)
            }
            return (Array(ready.values), freed, state.onFreed)
        }
        for waiter in woken { waiter.continuation.resume(returning: true) }
        onFreed?(freed)
    }

    /// Every layer that somebody uses.
    package var held: Set<LayerID> {
        state.withLock { state in
            state.exclusive.values.reduce(into: Set(state.shared.keys)) { $0.formUnion($1.layers) }
        }
    }

    private func acquireShared(_ layers: Set<LayerID>) async throws {
        let id = state.withLock { state in
            state.next += 1
            return state.next
        }
        let isGranted = await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Bool, Never>) in
                let blockers = state.withLock { state -> [Exclusive]? in
                    if Task.isCancelled { return nil }
                    let blockers = state.blockers(of: layers)
                    if blockers.isEmpty {
                        state.share(layers)
                    } else {
                        state.waiters[id] = Waiter(layers: layers, continuation: continuation)
                    }
                    return blockers
                }
                guard let blockers else { return continuation.resume(returning: false) }
                if blockers.isEmpty { return continuation.resume(returning: true) }
                for blocker in blockers { blocker.makeWay() }
            }
        } onCancel: {
            let waiter = state.withLock { $0.waiters.removeValue(forKey: id) }
            waiter?.continuation.resume(returning: false)
        }
        guard isGranted else { throw CancellationError() }
    }

    private func releaseShared(_ layers: Set<LayerID>) {
        let onFreed = state.withLock { state in
            for layer in layers {
                let count = (state.shared[layer] ?? 1) - 1
                state.shared[layer] = count > 0 ? count : nil
            }
            return state.onFreed
        }
        onFreed?(layers)
    }
}

/// The shared use of some layers.
package final class SharedLease: Sendable {
    private let onEnd: Mutex<(@Sendable () -> Void)?>

    fileprivate init(onEnd: @escaping @Sendable () -> Void) {
        self.onEnd = Mutex(onEnd)
    }

    /// Ends the use; once is enough.
    package func end() {
        let onEnd = onEnd.withLock { onEnd in
            defer { onEnd = nil }
            return onEnd
        }
        onEnd?()
    }

    deinit {
        end()
    }
}
