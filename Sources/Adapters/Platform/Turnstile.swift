import Synchronization

/// Lets one task through at a time, in the order in which they came.
///
/// For one owner's use of something that serves one user at a time, such as a socket without a queue.
package final class Turnstile: Sendable {
    private struct State {
        var isTaken = false
        var waiting: [Eventual<Void>] = []
    }

    private let state = Mutex(State())

    package init() {}

    /// Waits for its turn; whoever got true must call ``leave()``.
    ///
    /// - Parameter limit: How long to wait.
    /// - Returns: False when the limit passed, or the task was cancelled, first.
    package func enter(within limit: Duration) async -> Bool {
        let turn: Eventual<Void>? = state.withLock { state in
            guard state.isTaken else {
                state.isTaken = true
                return nil
            }
            let turn = Eventual<Void>()
            state.waiting.append(turn)
            return turn
        }
        guard let turn else { return true }
        if await turn.value(within: limit) != nil { return true }
        let wasGranted = state.withLock { state in
            guard let index = state.waiting.firstIndex(where: { $0 === turn }) else { return true }
            state.waiting.remove(at: index)
            return false
        }
        // The turn came at the moment in which we gave up: it is the next one's.
        if wasGranted { leave() }
        return false
    }

    /// Lets the next one through.
    package func leave() {
        let next: Eventual<Void>? = state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.isTaken = false
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.settle(())
    }
}
