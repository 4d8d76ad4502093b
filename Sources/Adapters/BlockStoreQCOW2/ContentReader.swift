import Crypto
import Foundation
import Platform
import QEMU
import SnapshotDomain
import SnapshotPorts

/// Reads a layer's content from start to end, through a storage daemon that is started for the first chunk and ended after
/// the last, or when the reader is dropped.
actor ContentReader {
    private static let chunk: Int64 = 1 << 20

    private let store: QCOW2BlockStore
    private let layer: LayerID
    private let size: ByteCount
    private let progress: ProgressHandler
    private var source: AsyncThrowingStream<Data, any Error>.Iterator?
    private var tickets: AsyncStream<Void>.Continuation?

    init(store: QCOW2BlockStore, layer: LayerID, size: ByteCount, progress: @escaping ProgressHandler) {
        self.store = store
        self.layer = layer
        self.size = size
        self.progress = progress
    }

    deinit { tickets?.finish() }

    /// The next bytes, or nil at the end.
    func next() async throws -> Data? {
        if source == nil { start() }
        tickets?.yield()
        var source = source
        defer { self.source = source }
        return try await source?.next(isolation: self)
    }

    /// The daemon lives in a scope, and whoever reads comes and goes: so the scope is a task of its own, which reads one
    /// chunk for each ticket and ends with the tickets.
    private func start() {
        let (asked, tickets) = AsyncStream.makeStream(of: Void.self)
        let (chunks, sink) = AsyncThrowingStream.makeStream(of: Data.self)
        self.tickets = tickets
        source = chunks.makeAsyncIterator()
        let (store, layer, size, progress) = (store, layer, size, progress)
        let reading = Task {
            do {
                try await store.withContent(of: layer) { disk in
                    var offset: Int64 = 0
                    for await _ in asked {
                        guard offset < size.bytes else { break }
                        let length = min(Self.chunk, size.bytes - offset)
                        sink.yield(try await disk.read(offset: offset, length: Int(length)))
                        offset += length
                        progress(ByteCount(offset), size)
                    }
                }
                sink.finish()
            } catch {
                sink.finish(throwing: BlockStoreFault(error, trying: "read the layer \(layer)", outcome: .notDone))
            }
        }
        sink.onTermination = { _ in
            tickets.finish()
            reading.cancel()
        }
    }
}

/// A file in `tmp/` that is read once and then removed.
actor TemporaryFile {
    private static let chunk = 1 << 20

    nonisolated let length: ByteCount
    /// SHA-256 of its bytes.
    nonisolated let digest: [UInt8]
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
    static func open(_ path: String, on pool: BlockingPool) async throws -> TemporaryFile {
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

    /// The next bytes, or nil at the end, when the file is removed.
    func next() async throws -> Data? {
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
