import Foundation
import SnapshotDomain

/// Values of a body, made into values of the domain.
///
/// Every failure names the field.
enum Input {
    static func required<Value>(_ value: Value?, _ field: String) throws(ServiceError) -> Value {
        guard let value else {
            throw ServiceError(.invalidInput, "The field '\(field)' is missing.", subject: .field(field))
        }
        return value
    }

    static func name(_ text: String?, _ field: String = "name") throws(ServiceError) -> ResourceName? {
        guard let text else { return nil }
        return try ResourceName(text, field: field)
    }

    static func requiredName(_ text: String?, _ field: String = "name") throws(ServiceError) -> ResourceName {
        try ResourceName(try required(text, field), field: field)
    }

    /// A word of a closed set, in any letter case.
    static func word<Word: RawRepresentable & CaseIterable>(_ text: String?, _ field: String)
        throws(ServiceError) -> Word?
    where Word.RawValue == String {
        guard let text else { return nil }
        guard let word = Word(rawValue: text.lowercased()) else {
            let words = Word.allCases.map(\.rawValue).joined(separator: ", ")
            throw ServiceError(.invalidInput, "The field '\(field)' must be one of: \(words).", subject: .field(field))
        }
        return word
    }

    static func pool(_ text: String?, _ field: String = "poolId") throws(ServiceError) -> PoolID? {
        guard let text, !text.isEmpty else { return nil }
        guard let pool = PoolID(text) else {
            throw ServiceError(
                .invalidInput,
                "'\(text.prefix(64))' is no name of a pool; the list is at pools.",
                subject: .field(field)
            )
        }
        return pool
    }

    static func gibibytes(_ count: Int?, _ field: String) throws(ServiceError) -> ByteCount? {
        guard let count else { return nil }
        let largest = VolumeLimits.largest.wholeGibibytes
        guard (1...largest).contains(Int64(count)) else {
            throw ServiceError(
                .invalidInput,
                "The field '\(field)' must be from 1 to \(largest) GiB.",
                subject: .field(field)
            )
        }
        return .gibibytes(Int64(count))
    }

    static func mebibytes(_ count: Int?, _ field: String) throws(ServiceError) -> ByteCount? {
        guard let count else { return nil }
        let bounds = ComputeOffering.memoryBoundsInMebibytes
        guard bounds.contains(count) else {
            throw ServiceError(
                .invalidInput,
                "The field '\(field)' must be from \(bounds.lowerBound) to \(bounds.upperBound) MiB.",
                subject: .field(field)
            )
        }
        return .mebibytes(Int64(count))
    }
}
