package import Hummingbird

/// What the HTTP faces have in common.
package struct HTTPConfiguration: Sendable {
    /// Says how long a caller has to wait before a request of this method from this address is answered; nil for not at
    /// all.
    ///
    /// Called for every request: be quick.
    package typealias Admission =
        @Sendable (_ method: HTTPRequest.Method, _ address: String?) async -> Duration?

    /// Believe the last hop of `X-Forwarded-For`.
    ///
    /// Only behind a proxy that sets it; else anyone writes any address into the activity log.
    package var isBehindProxy: Bool
    /// The hook for a rate limit.
    package var admission: Admission
    /// Why the service cannot work now; empty when it can.
    ///
    /// What `/readyz` answers from.
    package var troubles: @Sendable () async -> [String]
    /// What cannot be used now of a service that can work: said by `/readyz` beside *ready*.
    package var warnings: @Sendable () async -> [String]
    /// Values of the moment that `/metrics` shows beside the counts of requests.
    package var gauges: @Sendable () async -> [Gauge]

    package init(
        isBehindProxy: Bool = false,
        admission: @escaping Admission = { _, _ in nil },
        troubles: @escaping @Sendable () async -> [String] = { [] },
        warnings: @escaping @Sendable () async -> [String] = { [] },
        gauges: @escaping @Sendable () async -> [Gauge] = { [] }
    ) {
        self.isBehindProxy = isBehindProxy
        self.admission = admission
        self.troubles = troubles
        self.warnings = warnings
        self.gauges = gauges
    }
}
