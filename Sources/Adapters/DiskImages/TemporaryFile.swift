import Crypto
import Foundation
import Glibc
package import Platform
import SnapshotDomain
package import SnapshotPorts

/// A file in `tmp/` that is read once and then removed.
package actor TemporaryFile {
    private static let chunk = 1 << 20

    private nonisolated let length: ByteCount
    /// SHA-256 of its bytes.
    private nonisolated let digest: [UInt8]
    private let path: String
    private let pool: BlockingPool
    private var offset: UInt64 = 0

    private init(path: String, length: ByteCount, digest: [UInt8], pool: BlockingPool) {
        self.path = path
        self.length = length
        self.digest = digest
        self.pool = pool
    }

    // A reader that stopped early; at the end of the file this was done where it may block.
    deinit { if UInt64(length.bytes) > offset { unlink(path) } }

    /// Takes a file over, and reads it once for its digest.
    package static func open(_ path: String, on pool: BlockingPool) async throws -> TemporaryFile {
        let (length, digest) = try await pool.run {
            let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? handle.close() }
            var hash = SHA256()
            var length: Int64 = 0
            while let data = try handle.read(upToCount: Self.chunk), !data.isEmpty {
                hash.update(data: data)
                length += Int64(data.count)
            }
            return (length, Array(hash.finalize()))
        }
        return TemporaryFile(path: path, length: ByteCount(length), digest: digest, pool: pool)
    }

    /// Its bytes for whoever downloads them; the file is removed at their end, or when the stream is dropped.
    package nonisolated var stream: ImageStream {
        ImageStream(length: length, sha256: digest, chunks: AsyncThrowingStream { try await self.next() })
    }

    /// The next bytes, or nil at the end, when the file is removed.
    private func next() async throws -> Data? {
        let (path, start, end) = (path, offset, UInt64(length.bytes))
        guard start < end else { return nil }
        do {
            let data = try await pool.run {
                let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
                defer { try? handle.close() }
                try handle.seek(toOffset: start)
                let data = try handle.read(upToCount: Self.chunk) ?? Data()
                guard !data.isEmpty else {
                    throw BlockStoreFault(.io, .notDone, "The exported file is shorter than it was.")
                }
                if start + UInt64(data.count) >= end { try FileManager.default.removeItem(atPath: path) }
                return data
            }
            offset += UInt64(data.count)
            return data
        } catch {
            throw BlockStoreFault(error, trying: "read an exported file", outcome: .notDone)
        }
    }
}
