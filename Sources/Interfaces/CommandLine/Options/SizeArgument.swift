import ArgumentParser
import SnapshotDomain

/// A size on the command line: a number with a unit, such as `10G`, `512MiB` or `1t`.
///
/// Units are powers of 1024.
struct SizeArgument: ExpressibleByArgument, Hashable, Sendable {
    let size: ByteCount

    init?(argument: String) {
        let digits = argument.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int64(digits), number > 0, let shift = Self.shift(argument.dropFirst(digits.count)) else {
            return nil
        }
        let (bytes, overflows) = number.multipliedReportingOverflow(by: 1 << shift)
        guard !overflows else { return nil }
        size = ByteCount(bytes)
    }

    private static func shift(_ unit: Substring) -> Int64? {
        switch unit.trimmingPrefix(" ").lowercased() {
        case "m", "mb", "mib": 20
        case "g", "gb", "gib": 30
        case "t", "tb", "tib": 40
        default: nil
        }
    }

    /// Whole GiB, as disks have them on the wire.
    ///
    /// - Throws: A usage error for anything else, rather than another size than the one asked for.
    func gibibytes(_ option: String) throws -> Int64 {
        guard size.bytes % (1 << 30) == 0 else {
            throw ValidationError("The size of a disk is in whole GiB: \(option) \(size.wholeGibibytes)G, for example.")
        }
        return size.bytes >> 30
    }

    /// Whole MiB, as memory has them on the wire.
    ///
    /// Every size has some.
    var mebibytes: Int64 { size.bytes >> 20 }
}
