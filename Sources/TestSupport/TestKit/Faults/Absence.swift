import SnapshotDomain
import SnapshotPorts
import Synchronization

/// What happens to a pool that is away: its calls fail, or hang until it is back.
package final class Absence: Sendable {
    package enum Manner: Sendable {
        case failing
        /// Whatever becomes of the caller, as calls into a library do.
        case hanging
    }

    private struct State {
        var manner: Manner?
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    package init() {}

    package func begin(_ manner: Manner) {
        state.withLock { $0.manner = manner }
    }

    /// What hangs goes on.
    package func end() {
        let waiting = state.withLock { state in
            defer { state.waiting = [] }
            state.manner = nil
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func pass(_ pool: PoolID) async throws(BlockStoreFault) {
        switch state.withLock(\.manner) {
        case nil: return
        case .failing:
            throw BlockStoreFault(.unavailable, .notDone, "The pool '\(pool)' is away. Bring it back.")
        case .hanging:
            await withCheckedContinuation { continuation in
                let isBack = state.withLock { state in
                    if state.manner == .hanging { state.waiting.append(continuation) }
                    return state.manner != .hanging
                }
                if isBack { continuation.resume() }
            }
        }
    }
}
