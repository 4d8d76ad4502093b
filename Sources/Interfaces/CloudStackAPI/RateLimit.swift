import Foundation
import SnapshotDomain
package import SnapshotPorts
import Synchronization

/// Keeps one caller from taking the whole service: each has a store of requests that fills again steadily.
///
/// Kept in memory, so that a restart fills every store.
package final class RateLimit: Sendable {
    private struct Store {
        var requests: Double
        var at: Date
    }

    private let burst: Double
    private let perSecond: Double
    private let time: any TimeSource
    private let stores = Mutex<[UserID: Store]>([:])

    /// - Parameters:
    ///   - burst: What a full store holds.
    ///   - perSecond: How fast it fills again.
    ///   - time: The clock that it fills by.
    package init(burst: Int = 1_000, perSecond: Int = 200, time: any TimeSource = SystemTime()) {
        self.burst = Double(burst)
        self.perSecond = Double(perSecond)
        self.time = time
    }

    /// Takes a request from somebody's store; false when it is empty.
    func admit(_ user: UserID) -> Bool {
        let now = time.now
        return stores.withLock { stores in
            var store = stores[user] ?? Store(requests: burst, at: now)
            store.requests = min(burst, store.requests + max(0, now.timeIntervalSince(store.at)) * perSecond)
            store.at = now
            defer { stores[user] = store }
            guard store.requests >= 1 else { return false }
            store.requests -= 1
            return true
        }
    }
}
