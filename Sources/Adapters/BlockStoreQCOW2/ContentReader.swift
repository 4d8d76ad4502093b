import DiskImages
import Foundation
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
