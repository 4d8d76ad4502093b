import SnapshotPorts
import Synchronization

/// Hands every event to everyone who listens at that time.
final class EventBroadcast: Sendable {
    private struct State {
        var listeners: [Int: AsyncStream<MachineEvent>.Continuation] = [:]
        var next = 0
    }

    private let state = Mutex(State())

    /// The events from now on.
    ///
    /// A listener that falls behind by more than 1024 loses the oldest.
    func listen() -> AsyncStream<MachineEvent> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: MachineEvent.self,
            bufferingPolicy: .bufferingNewest(1024)
        )
        let listener = state.withLock { state in
            state.next += 1
            state.listeners[state.next] = continuation
            return state.next
        }
        continuation.onTermination = { [weak self] _ in self?.forget(listener) }
        return stream
    }

    func send(_ event: MachineEvent) {
        let listeners = state.withLock { Array($0.listeners.values) }
        for listener in listeners { listener.yield(event) }
    }

    /// Ends the streams of all who listen now.
    func finish() {
        let listeners = state.withLock { Array($0.listeners.values) }
        for listener in listeners { listener.finish() }
    }

    private func forget(_ listener: Int) {
        state.withLock { _ = $0.listeners.removeValue(forKey: listener) }
    }
}
