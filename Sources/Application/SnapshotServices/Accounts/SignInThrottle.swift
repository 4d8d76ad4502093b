import Foundation
import SnapshotPorts
import Synchronization

/// Slows down whoever guesses passwords: for one name from one address, and for one address whatever the names.
///
/// After some failures each further attempt has to wait, twice as long each time. Kept in memory: a restart forgives.
final class SignInThrottle: Sendable {
    /// Somebody tries a password.
    struct Attempt: Sendable {
        var name: String
        var address: String?

        /// What its failures are counted under, each with the failures that cost nothing.
        fileprivate var counters: [(key: Key, free: Int)] {
            let place = address ?? "nowhere"
            return [(Key(name: name.lowercased(), address: place), 5), (Key(name: nil, address: place), 20)]
        }
    }

    fileprivate struct Key: Hashable {
        var name: String?
        var address: String
    }

    private struct Count {
        var failures: Int
        var lastAt: Date
    }

    private static let longestWait: TimeInterval = 900
    /// A flood of names must not fill the memory: the oldest counts go first.
    private static let mostCounts = 10_000

    private let time: any TimeSource
    private let counts = Mutex<[Key: Count]>([:])

    init(time: any TimeSource) {
        self.time = time
    }

    /// How long the attempt has to wait; nil when it may be made now.
    func wait(before attempt: Attempt) -> Duration? {
        let now = time.now
        let seconds = counts.withLock { counts in
            attempt.counters.map { counter -> TimeInterval in
                guard let count = counts[counter.key], count.failures >= counter.free else { return 0 }
                let pause = min(Self.longestWait, pow(2, Double(count.failures - counter.free)))
                return pause - now.timeIntervalSince(count.lastAt)
            }.max() ?? 0
        }
        return seconds > 0 ? .milliseconds(Int64((seconds * 1_000).rounded(.up))) : nil
    }

    func note(failureOf attempt: Attempt) {
        let now = time.now
        counts.withLock { counts in
            for counter in attempt.counters {
                let failures = counts[counter.key].map {
                    now.timeIntervalSince($0.lastAt) < Self.longestWait ? $0.failures : 0
                }
                counts[counter.key] = Count(failures: (failures ?? 0) + 1, lastAt: now)
            }
            guard counts.count > Self.mostCounts else { return }
            let oldest = counts.sorted { $0.value.lastAt < $1.value.lastAt }.prefix(Self.mostCounts / 10)
            for (key, _) in oldest { counts[key] = nil }
        }
    }

    /// Forgives the name; the address may still try others.
    func note(successOf attempt: Attempt) {
        counts.withLock { counts in
            guard let key = attempt.counters.first?.key else { return }
            counts[key] = nil
        }
    }
}
