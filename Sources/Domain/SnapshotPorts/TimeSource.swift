package import Foundation

/// The wall clock, so that tests can turn it.
package protocol TimeSource: Sendable {
    var now: Date { get }
}

/// The machine's own clock.
package struct SystemTime: TimeSource {
    package init() {}

    package var now: Date { Date() }
}
