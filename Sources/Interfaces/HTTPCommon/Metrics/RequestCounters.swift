package import HTTPTypes
import Synchronization

/// Counts of answered requests by method, route pattern and status, in the text format of Prometheus.
///
/// Its size is bounded by the routes that exist: methods that no route has are counted as one.
package final class RequestCounters: Sendable {
    private struct Key: Hashable, Comparable {
        let method: String
        let route: String
        let status: Int

        static func < (left: Key, right: Key) -> Bool {
            (left.route, left.method, left.status) < (right.route, right.method, right.status)
        }
    }

    private struct Total {
        var count = 0
        var duration = Duration.zero
    }

    private static let knownMethods: Set<HTTPRequest.Method> = [.get, .head, .post, .put, .delete, .patch, .options]

    private let totals = Mutex<[Key: Total]>([:])

    package init() {}

    package func record(method: HTTPRequest.Method, route: String, status: Int, duration: Duration) {
        let name = Self.knownMethods.contains(method) ? method.rawValue : "OTHER"
        let key = Key(method: name, route: route, status: status)
        totals.withLock { totals in
            totals[key, default: Total()].count += 1
            totals[key, default: Total()].duration += duration
        }
    }

    /// The exposition, in a stable order.
    package func text() -> String {
        let rows = totals.withLock { $0 }.sorted { $0.key < $1.key }
        let count = "instanta_http_requests_total"
        let duration = "instanta_http_request_duration_seconds"
        var lines = ["# HELP \(count) Requests answered.", "# TYPE \(count) counter"]
        lines += rows.map { "\(count)\(Self.labels($0.key)) \($0.value.count)" }
        lines += ["# HELP \(duration) Time until the head of the answer.", "# TYPE \(duration) summary"]
        for (key, total) in rows {
            lines.append("\(duration)_sum\(Self.labels(key)) \(total.duration / .seconds(1))")
            lines.append("\(duration)_count\(Self.labels(key)) \(total.count)")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func labels(_ key: Key) -> String {
        PrometheusText.labels([("method", key.method), ("route", key.route), ("status", "\(key.status)")])
    }
}
