import Platform
import Synchronization

/// The right to be inside a turnstile, as a value that can be handed on.
///
/// Ends with ``leave()``, or when nobody holds it any more: who forgets a freeze does not lock the agent away for ever.
final class TurnPass: Sendable {
    private let turnstile: Mutex<Turnstile?>

    fileprivate init(_ turnstile: Turnstile) {
        self.turnstile = Mutex(turnstile)
    }

    deinit { leave() }

    /// Lets the next one in.
    ///
    /// Repeatable.
    func leave() {
        let left: Turnstile? = turnstile.withLock { turnstile in
            defer { turnstile = nil }
            return turnstile
        }
        left?.leave()
    }
}

extension Turnstile {
    /// Waits for the turn; nil when `limit` passes, or the task is cancelled, first.
    func pass(within limit: Duration) async -> TurnPass? {
        await enter(within: limit) ? TurnPass(self) : nil
    }
}
