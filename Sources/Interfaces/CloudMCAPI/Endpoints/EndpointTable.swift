import HTTPCommon
import HTTPTypes
import Hummingbird
import SnapshotDomain

/// The table of all calls, put onto a router.
struct EndpointTable: Sendable {
    /// The calls that share a method and a path, told apart by `?operation=`.
    struct Slot: Sendable {
        let method: HTTPRequest.Method
        let pattern: String
        var plain: Endpoint.Handler?
        var operations: [String: Endpoint.Handler] = [:]

        /// Finds the handler for an operation, in any letter case.
        func handler(for operation: String?) throws(ServiceError) -> Endpoint.Handler {
            let handler = operation.map { operations[$0.lowercased()] } ?? plain
            guard let handler else {
                let names = operations.keys.sorted().joined(separator: ", ")
                throw ServiceError(
                    .invalidInput,
                    operation == nil
                        ? "This call needs ?operation= with one of: \(names)."
                        : "This service has no such operation here; it has: \(names).",
                    subject: .field("operation")
                )
            }
            return handler
        }
    }

    let slots: [Slot]

    init(_ endpoints: [Endpoint]) {
        var slots: [Slot] = []
        for endpoint in endpoints {
            var index = slots.firstIndex { $0.method == endpoint.method && $0.pattern == endpoint.pattern }
            if index == nil {
                slots.append(Slot(method: endpoint.method, pattern: endpoint.pattern))
                index = slots.endIndex - 1
            }
            guard let index else { continue }
            if let operation = endpoint.operation {
                slots[index].operations[operation.lowercased()] = endpoint.handler
            } else {
                slots[index].plain = endpoint.handler
            }
        }
        self.slots = slots
    }

    /// Patterns with the methods that they answer.
    var methods: [(pattern: String, allowed: [HTTPRequest.Method])] {
        var rows: [(pattern: String, allowed: [HTTPRequest.Method])] = []
        for slot in slots {
            if let index = rows.firstIndex(where: { $0.pattern == slot.pattern }) {
                rows[index].allowed.append(slot.method)
            } else {
                rows.append((slot.pattern, [slot.method]))
            }
        }
        return rows
    }
}
