/// One value of the moment, for `/metrics`.
package struct Gauge: Sendable {
    package var name: String
    package var help: String
    package var labels: [(name: String, value: String)]
    package var value: Double

    /// The name ends with its unit, such as `instanta_pool_free_bytes`.
    package init(_ name: String, help: String, labels: [(name: String, value: String)] = [], value: Double) {
        self.name = name
        self.help = help
        self.labels = labels
        self.value = value
    }
}

/// The pieces of Prometheus' text format.
enum PrometheusText {
    static func gauges(_ gauges: [Gauge]) -> String {
        var lines: [String] = []
        var described: Set<String> = []
        for gauge in gauges {
            if described.insert(gauge.name).inserted {
                lines += ["# HELP \(gauge.name) \(gauge.help)", "# TYPE \(gauge.name) gauge"]
            }
            lines.append("\(gauge.name)\(labels(gauge.labels)) \(gauge.value)")
        }
        return lines.isEmpty ? "" : lines.joined(separator: "\n") + "\n"
    }

    static func labels(_ labels: [(name: String, value: String)]) -> String {
        guard !labels.isEmpty else { return "" }
        return "{" + labels.map { "\($0.name)=\"\(escaped($0.value))\"" }.joined(separator: ",") + "}"
    }

    private static func escaped(_ value: String) -> String {
        String(
            value.flatMap { character -> [Character] in
                switch character {
                case "\\": ["\\", "\\"]
                case "\"": ["\\", "\""]
                case "\n": ["\\", "n"]
                default: [character]
                }
            }
        )
    }
}
