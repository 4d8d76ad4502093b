import Platform
import Synchronization

/// Lets one task through at a time, in the order in which they came.
///
/// An actor does not: others run while its method waits.
final class Turnstile: Sendable {
    /// The right to be inside. Ends with ``leave()``, or when nobody holds it any more.
    final class Pass: Sendable {
        private let turnstile: Mutex<Turnstile?>

        fileprivate init(_ turnstile: Turnstile) {
            self.turnstile = Mutex(turnstile)
        }

        deinit { leave() }

        /// Lets the next one in. Repeatable.
        func leave() {
            let left: Turnstile? = turnstile.withLock { turnstile in
                defer { turnstile = nil }
                return turnstile
            }
            left?.admitNext()
        }
    }

    private struct State {
        var isTaken = false
        var line: [Eventual<Void>] = []
    }

    private let state = Mutex(State())

    /// Waits for the turn; nil when `limit` passes, or the task is cancelled, first.
    func enter(within limit: Duration) async -> Pass? {
        let turn = Eventual<Void>()
        let isFree = state.withLock { state in
            if state.isTaken {
                state.line.append(turn)
                return false
            }
            state.isTaken = true
            return true
        }
        if isFree { return Pass(self) }
        if await turn.value(within: limit) != nil { return Pass(self) }
        let hasLeftLine = state.withLock { state in
            guard let place = state.line.firstIndex(where: { $0 === turn }) else { return false }
            state.line.remove(at: place)
            return true
        }
        // Not in the line any more: the turn came just now, and must not be lost.
        return hasLeftLine ? nil : Pass(self)
    }

    /// Enters if nobody is inside.
    func enterNow() -> Pass? {
        let isFree = state.withLock { state in
            guard !state.isTaken else { return false }
            state.isTaken = true
            return true
        }
        return isFree ? Pass(self) : nil
    }

    private func admitNext() {
        let next: Eventual<Void>? = state.withLock { state in
            guard state.line.isEmpty else { return state.line.removeFirst() }
            state.isTaken = false
            return nil
        }
        next?.settle(())
    }
}
