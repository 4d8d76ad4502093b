package import Foundation
import SnapshotPorts
import Synchronization

/// A clock that stands still until a test turns it.
package final class ManualTime: TimeSource {
    private let instant: Mutex<Date>

    /// - Parameter start: By default 22 November 2026, 14:30:01 UTC.
    package init(_ start: Date = Date(timeIntervalSince1970: 1_795_357_801)) {
        instant = Mutex(start)
    }

    package var now: Date { instant.withLock(\.self) }

    package func advance(by duration: Duration) {
        let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
        instant.withLock { $0 += seconds }
    }
}
