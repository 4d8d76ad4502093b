package import SnapshotDomain
import Synchronization

/// The one stream by which changes leave the engine: live rows, waiting clients and tests all listen here.
///
/// A listener that does not keep up loses the oldest events, never the newest; it sees the gap in the sequence and reads
/// the lists again.
package final class ChangeFeed: Sendable {
    private struct State {
        var sequence: Int64 = 0
        var nextListener = 0
        var listeners: [Int: AsyncStream<ChangeEvent>.Continuation] = [:]
    }

    private static let bufferedEvents = 256
    private let state = Mutex(State())

    package init() {}

    package func publish(_ subjects: some Sequence<JobSubject>, in environment: EnvironmentID) {
        state.withLock { state in
            for subject in subjects {
                state.sequence += 1
                let event = ChangeEvent(sequence: state.sequence, environment: environment, subject: subject)
                for listener in state.listeners.values { listener.yield(event) }
            }
        }
    }

    /// Everything published from now on.
    package func listen() -> AsyncStream<ChangeEvent> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: ChangeEvent.self,
            bufferingPolicy: .bufferingNewest(Self.bufferedEvents)
        )
        let id = state.withLock { state in
            state.nextListener += 1
            state.listeners[state.nextListener] = continuation
            return state.nextListener
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { state in state.listeners[id] = nil }
        }
        return stream
    }
}
