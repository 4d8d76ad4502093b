import Foundation
import Hummingbird
import SnapshotDomain

/// The parameters after the `?`.
///
/// Names are compared exactly; empty values count as not given; unknown names do not matter.
struct Query: Sendable {
    private let values: [String: String]

    init(_ request: Request) {
        var values: [String: String] = [:]
        for (name, value) in request.uri.queryParameters where !value.isEmpty {
            values[String(name)] = values[String(name)] ?? String(value)
        }
        self.values = values
    }

    init(_ values: [String: String]) {
        self.values = values
    }

    /// The first value that is given under any of the names.
    subscript(names: String...) -> String? {
        names.lazy.compactMap { values[$0] }.first
    }

    func integer(_ name: String) throws(ServiceError) -> Int? {
        guard let text = self[name] else { return nil }
        guard let value = Int(text) else {
            throw ServiceError(
                .invalidInput,
                "The parameter '\(name)' must be a whole number.",
                subject: .field(name)
            )
        }
        return value
    }

    func id<Subject>(_ names: String...) throws(ServiceError) -> Identifier<Subject>? {
        for name in names {
            guard let text = self[name] else { continue }
            guard let id = Identifier<Subject>(text) else {
                throw ServiceError(
                    .invalidInput,
                    "The parameter '\(name)' must be an id: a UUID.",
                    subject: .field(name)
                )
            }
            return id
        }
        return nil
    }

    /// An instant in ISO 8601, with or without fractions of a second.
    func instant(_ name: String) throws(ServiceError) -> Date? {
        guard let text = self[name] else { return nil }
        let styles = [Date.ISO8601FormatStyle(includingFractionalSeconds: true), Date.ISO8601FormatStyle()]
        for style in styles {
            if let instant = try? style.parse(text) { return instant }
        }
        throw ServiceError(
            .invalidInput,
            "The parameter '\(name)' must be an instant such as 2026-11-22T14:30:01Z.",
            subject: .field(name)
        )
    }
}
