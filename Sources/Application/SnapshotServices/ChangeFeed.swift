package import SnapshotDomain
import Synchronization

/// The one stream by which changes leave the engine: live rows, waiting clients and tests all listen here.
///
/// A listener that does not keep up loses the oldest events, never the newest; it sees the gap in the sequence and reads
/// the lists again. The last events are kept for listeners that come back.
package final class ChangeFeed: Sendable {
    private struct State {
        var sequence: Int64 = 0
        /// The newest events, oldest first.
        var recent: [ChangeEvent] = []
        var nextListener = 0
        var listeners: [Int: AsyncStream<ChangeEvent>.Continuation] = [:]
    }

    package static let keptEvents = 256
    private let state = Mutex(State())

    package init() {}

    package func publish(_ subjects: some Sequence<JobSubject>, in environment: EnvironmentID) {
        state.withLock { state in
            for subject in subjects {
                state.sequence += 1
                let event = ChangeEvent(sequence: state.sequence, environment: environment, subject: subject)
                // Twice as many are let in before the older half goes, so that most events move nothing.
                if state.recent.count >= 2 * Self.keptEvents { state.recent.removeFirst(Self.keptEvents) }
                state.recent.append(event)
                // Those who have gone are found here, and not by being told: see `listen`.
                for (id, listener) in state.listeners {
                    if case .terminated = listener.yield(event) { state.listeners[id] = nil }
                }
            }
        }
    }

    /// Everything published from now on.
    package func listen() -> AsyncStream<ChangeEvent> {
        listen(after: nil).events
    }

    /// Everything published from now on, and before it what a listener missed that comes back.
    ///
    /// - Parameter last: The last event that it saw; nil for one that comes for the first time.
    /// - Returns: The events, and whether some that it missed are no longer kept.
    package func listen(after last: Int64?) -> ChangeStream {
        let (stream, continuation) = AsyncStream.makeStream(
            of: ChangeEvent.self,
            // All that is kept fits in before the listener takes the first.
            bufferingPolicy: .bufferingNewest(2 * Self.keptEvents)
        )
        // No `onTermination` here: it runs while the runtime holds the listening task's own lock, which `publish` needs to wake
        // that task while it holds ours. Each would wait for the other.
        let hasGap = state.withLock { state in
            var hasGap = false
            if let last {
                let missed = state.sequence - last
                hasGap = missed < 0 || missed > Int64(state.recent.count)
                for event in state.recent where event.sequence > last { continuation.yield(event) }
            }
            state.nextListener += 1
            state.listeners[state.nextListener] = continuation
            return hasGap
        }
        return ChangeStream(events: stream, hasGap: hasGap)
    }
}

/// Changes as they happen.
package struct ChangeStream: Sendable {
    package var events: AsyncStream<ChangeEvent>
    /// Something between the event that the listener named and the first of these is not known any more: it reads everything
    /// again.
    package var hasGap: Bool

    package init(events: AsyncStream<ChangeEvent>, hasGap: Bool = false) {
        self.events = events
        self.hasGap = hasGap
    }
}
