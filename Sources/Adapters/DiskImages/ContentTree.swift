import Crypto
package import Foundation
import Platform
package import SnapshotDomain

/// The digest scheme `tree-sha256` of `docs/storage-design.md`.
///
/// The content is cut into chunks of 4 MiB. The digest is SHA-256 over the size in bytes and then, for every chunk that is
/// not all zeros, its number and its own SHA-256; numbers as 64 bits, big-endian. So it depends on what a guest would read
/// and on nothing else, and a sparse disk costs what it holds.
package struct ContentTree: Sendable {
    package static let scheme = "tree-sha256"
    package static let chunkSize: Int64 = 4 << 20

    private var tree = SHA256()

    package init(size: ByteCount) {
        tree.update(data: Self.number(size.bytes))
    }

    /// Takes the next chunk; chunks of zeros may be left out.
    package mutating func add(_ chunk: Data, number: Int64) {
        guard !Self.isZero(chunk) else { return }
        tree.update(data: Self.number(number))
        SHA256.hash(data: chunk).withUnsafeBytes { tree.update(bufferPointer: $0) }
    }

    package func finish() -> ContentDigest {
        ContentDigest("\(Self.scheme):\(tree.finalize().hexText)")
    }

    private static func number(_ value: Int64) -> Data {
        var data = Data()
        data.appendBigEndian(value)
        return data
    }

    package static func isZero(_ data: Data) -> Bool {
        data.withUnsafeBytes { bytes in
            // Eight at a time: this looks at every byte of a disk, and debug builds are slow at single ones.
            let words = bytes.count / 8
            for word in 0..<words where bytes.loadUnaligned(fromByteOffset: word * 8, as: UInt64.self) != 0 {
                return false
            }
            return bytes[(words * 8)...].allSatisfy { $0 == 0 }
        }
    }
}
