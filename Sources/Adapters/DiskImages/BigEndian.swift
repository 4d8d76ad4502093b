package import Foundation

/// Reads big-endian numbers at offsets of some bytes; nil beyond their end.
package struct BigEndianReader {
    private let bytes: [UInt8]

    package init(_ data: Data) {
        bytes = Array(data)
    }

    package var count: Int { bytes.count }

    package func bytes(_ offset: Int, _ count: Int) -> ArraySlice<UInt8>? {
        guard offset >= 0, count >= 0, offset <= bytes.count - count else { return nil }
        return bytes[offset..<offset + count]
    }

    package func uint32(_ offset: Int) -> UInt32? {
        bytes(offset, 4).map { $0.reduce(0) { $0 << 8 | UInt32($1) } }
    }

    package func uint64(_ offset: Int) -> UInt64? {
        bytes(offset, 8).map { $0.reduce(0) { $0 << 8 | UInt64($1) } }
    }
}

extension Data {
    package mutating func appendBigEndian(_ value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }
}
