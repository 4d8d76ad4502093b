import Ceph
import DiskImages
import Foundation
import Glibc
import Logging
import Platform
import QEMU
package import SnapshotDomain
package import SnapshotPorts
import Synchronization

/// Whole contents: digests, copies, exports, and what comes in.
extension RBDBlockStore {
    /// Bytes that hold something, in pieces of this: what is all zeros is not written.
    private static let grain = 64 << 10

    package func digest(
        of layer: LayerID,
        progress: @escaping ProgressHandler
    ) async throws(BlockStoreFault) -> ContentDigest {
        let (place, size) = try await whereabouts(of: layer)
        return try await reading("read the layer \(layer)") { cluster, isStopped in
            try cluster.withImage(place.image, snapshot: place.point?.name, isReadOnly: true) { open in
                var tree = ContentTree(size: size)
                try Self.forEachChunk(of: open, size, isStopped) { data, offset in
                    tree.add(data, number: offset / ContentTree.chunkSize)
                    progress(ByteCount(offset + Int64(data.count)), size)
                }
                progress(size, size)
                return tree.finish()
            }
        }
    }

    func whereabouts(of layer: LayerID) async throws(BlockStoreFault) -> (place: PoolMap.Place, size: ByteCount) {
        try await load()
        let image = try await imageNow(of: layer)
        if state.withLock({ $0.doubtful.contains(image) }) {
            try await turns.hold([image]) { () async throws(BlockStoreFault) in try await settle([image]) }
        }
        guard let place = place(of: layer), let known = known(layer) else { throw .missing(layer) }
        return (place, known.size)
    }

    /// Runs a long body that blocks and looks now and then whether its task was cancelled.
    private func reading<Value: Sendable>(
        _ what: String,
        changes: Bool = false,
        _ body: @escaping @Sendable (Cluster, _ isStopped: () -> Bool) throws -> Value
    ) async throws(BlockStoreFault) -> Value {
        let stop = Mutex(false)
        let result: Result<Value, BlockStoreFault> = await withTaskCancellationHandler {
            do throws(BlockStoreFault) {
                return .success(
                    try await calls.run(what, isHeavy: true, changes: changes) { cluster in
                        try body(cluster) { stop.withLock { $0 } }
                    }
                )
            } catch {
                return .failure(error)
            }
        } onCancel: {
            stop.withLock { $0 = true }
        }
        return try result.get()
    }

    /// Reads the chunks of 4 MiB that may hold something.
    private static func forEachChunk(
        of image: Image,
        _ size: ByteCount,
        _ isStopped: () -> Bool,
        _ body: (Data, Int64) throws -> Void
    ) throws {
        let chunk = ContentTree.chunkSize
        var next: Int64 = 0
        for extent in try image.changes(since: nil, in: 0..<size.bytes, includesParent: true, wholeObjects: true)
        where extent.exists {
            var offset = max(next, extent.offset / chunk * chunk)
            let end = min(extent.offset + extent.length, size.bytes)
            while offset < end {
                if isStopped() { throw CephFault(errno: ECANCELED, call: "reading") }
                let length = min(chunk, size.bytes - offset)
                try body(try image.read(offset: offset, length: Int(length)), offset)
                offset += chunk
            }
            next = offset
        }
    }

    // MARK: Copies

    package func copyLayer(
        _ source: LayerID,
        to copy: LayerID,
        progress: @escaping ProgressHandler
    ) async throws(BlockStoreFault) {
        let (place, size) = try await whereabouts(of: source)
        if try await isThere(copy, size) { return }
        var needed = try await getLayer(source).allocated
        for ancestor in state.withLock({ $0.map.ancestors(of: source) }) {
            needed += try await findLayer(ancestor)?.allocated ?? .zero
        }
        try await requireRoom(min(needed, size))
        try await fill(copy, size, "copy the layer \(source)") { image throws(BlockStoreFault) in
            try await reading("copy the layer \(source)", changes: true) { cluster, isStopped in
                try cluster.withImage(place.image, snapshot: place.point?.name, isReadOnly: true) { from in
                    try cluster.withImage(image, isReadOnly: false) { to in
                        try Self.forEachChunk(of: from, size, isStopped) { data, offset in
                            try Self.write(data, at: offset, to: to)
                            progress(ByteCount(offset + Int64(data.count)), size)
                        }
                        try to.flush()
                    }
                }
            }
        }
        progress(size, size)
    }

    /// Whether a layer that shall be made is there already, standing on nothing; another shape is refused.
    private func isThere(_ layer: LayerID, _ size: ByteCount) async throws(BlockStoreFault) -> Bool {
        guard let done = try await findLayer(layer) else { return false }
        guard done.parent == nil, done.size == size else { throw .shape(of: layer) }
        return true
    }

    private static func write(_ data: Data, at offset: Int64, to image: Image) throws {
        var run: Range<Int>?
        func finish() throws {
            guard let piece = run else { return }
            try image.write(Data(data[piece]), at: offset + Int64(piece.lowerBound - data.startIndex))
            run = nil
        }
        for start in stride(from: data.startIndex, to: data.endIndex, by: grain) {
            let piece = start..<min(start + grain, data.endIndex)
            if ContentTree.isZero(data[piece]) {
                try finish()
            } else {
                run = (run?.lowerBound ?? piece.lowerBound)..<piece.upperBound
            }
        }
        try finish()
    }

    /// Makes an image without a layer's name, lets it be filled, and names it: a layer is there whole or not at all.
    private func fill(
        _ layer: LayerID,
        _ size: ByteCount,
        _ what: String,
        _ body: (_ image: String) async throws(BlockStoreFault) -> Void
    ) async throws(BlockStoreFault) {
        let (unfinished, image) = (names.unfinished(), names.image(layer))
        beginMaking(unfinished)
        defer { endMaking(unfinished) }
        let reached = reached
        do throws(BlockStoreFault) {
            try await calls.run(what, changes: true) { try $0.createImage(unfinished, sizeBytes: size.bytes) }
            try await body(unfinished)
            do { try reached(.contentWritten) } catch { throw BlockStoreFault(.io, .unknown, "\(error)") }
        } catch {
            await discard(unfinished)
            var fault = error
            fault.outcome = .notDone
            throw fault
        }
        try await changing(image, what) { cluster in
            try cluster.renameImage(unfinished, to: image)
        }
    }

    private static let making = Mutex<Set<String>>([])
    private func beginMaking(_ image: String) { _ = Self.making.withLock { $0.insert(image) } }
    private func endMaking(_ image: String) { _ = Self.making.withLock { $0.remove(image) } }
    /// Whether a call of this process fills the image now.
    func isBeingMade(_ image: String) -> Bool { Self.making.withLock { $0.contains(image) } }

    private func requireRoom(_ needed: ByteCount) async throws(BlockStoreFault) {
        let free = try await capacity().free
        guard needed <= free else {
            throw BlockStoreFault(
                .noSpace,
                .notDone,
                "The pool '\(pool)' has \(free) free and this needs \(needed). Free space and try again."
            )
        }
    }

    // MARK: What goes out

    package func export(
        _ layer: LayerID,
        as format: SnapshotPorts.ImageFormat,
        progress: @escaping ProgressHandler
    ) async throws(BlockStoreFault) -> ImageStream {
        let (place, size) = try await whereabouts(of: layer)
        switch format {
        case .raw:
            let reader = RawReader(store: self, place: place, size: size, progress: progress)
            return ImageStream(length: size, sha256: nil, chunks: AsyncThrowingStream { try await reader.next() })
        case .qcow2:
            return try await exportConverted(layer, place, progress)
        }
    }

    func read(_ place: PoolMap.Place, offset: Int64, length: Int) async throws(BlockStoreFault) -> Data {
        try await calls.run("read the image \(place.image)", isHeavy: true) { cluster in
            try cluster.withImage(place.image, snapshot: place.point?.name, isReadOnly: true) {
                try $0.read(offset: offset, length: length)
            }
        }
    }

    /// One file that depends on nothing, made on the service's own disk first, so that its length and digest are known.
    private func exportConverted(
        _ layer: LayerID,
        _ place: PoolMap.Place,
        _ progress: @escaping ProgressHandler
    ) async throws(BlockStoreFault) -> ImageStream {
        let needed = try await getLayer(layer).size
        let path = "\(workspace.path)/export-\(RandomName.make())"
        do {
            try await ImageTool(pool: files).convert(
                .rbd(try disk(place.image), snapshot: place.point?.name),
                to: path,
                format: .qcow2
            ) { fraction in
                progress(ByteCount(Int64(fraction * Double(needed.bytes))), needed)
            }
            return try await TemporaryFile.open(path, on: files).stream
        } catch {
            await removeTemporary(path)
            throw BlockStoreFault(error, trying: "export the layer \(layer)", outcome: .notDone)
        }
    }

    private func removeTemporary(_ path: String) async {
        do {
            try await files.run(evenCancelled: true) { try DurableFile.remove(path) }
        } catch {
            logger.warning(
                "a temporary file stays until the next start",
                metadata: ["path": .string(path), "error": .string("\(error)")]
            )
        }
    }

    // MARK: What comes in

    package func inspectImage(
        at path: String,
        format: SnapshotPorts.ImageFormat
    ) async throws(BlockStoreFault) -> SnapshotPorts.ImageFacts {
        var facts = try await ForeignImage(path: path, format: format).inspect(on: files)
        // The cluster counts an object up to its last byte, however little is in it.
        let most = facts.needed.bytes.multipliedReportingOverflow(by: Self.objectSize / Int64(Self.grain))
        facts.needed = most.overflow ? facts.size : min(facts.size, ByteCount(most.partialValue))
        return facts
    }

    /// Converted by a confined program into a raw file on the service's own disk, which knows nothing of the cluster and its
    /// keys, and then copied by us.
    package func importImage(
        at path: String,
        format: SnapshotPorts.ImageFormat,
        to layer: LayerID,
        progress: @escaping ProgressHandler
    ) async throws(BlockStoreFault) {
        if let done = try await findLayer(layer) {
            guard done.parent == nil else { throw .shape(of: layer) }
            return
        }
        let image = ForeignImage(path: path, format: format)
        let facts = try await inspectImage(at: path, format: format)
        try await requireRoom(facts.needed)
        guard format != .raw else { return try await receive(path, facts.size, as: layer, progress) }
        let raw = "\(workspace.path)/import-\(RandomName.make())"
        do {
            let tool = ForeignImage.converter(facts, writingAtMost: facts.size.bytes + (1 << 20), pool: files)
            try await tool.convert(image.source, to: raw, format: .raw)
            try await receive(raw, facts.size, as: layer, progress)
        } catch {
            await removeTemporary(raw)
            throw ForeignImage.conversionFault(error)
        }
        await removeTemporary(raw)
    }

    private func receive(
        _ path: String,
        _ size: ByteCount,
        as layer: LayerID,
        _ progress: @escaping ProgressHandler
    ) async throws(BlockStoreFault) {
        try await fill(layer, size, "import the layer \(layer)") { image throws(BlockStoreFault) in
            try await reading("import the layer \(layer)", changes: true) { cluster, isStopped in
                let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
                guard descriptor >= 0 else {
                    throw BlockStoreFault(.badImage, .notDone, "There is no image at '\(path)'.")
                }
                defer { Glibc.close(descriptor) }
                try cluster.withImage(image, isReadOnly: false) { to in
                    var offset: Int64 = 0
                    while offset < size.bytes {
                        if isStopped() { throw CephFault(errno: ECANCELED, call: "importing") }
                        // Holes are skipped; without any, or on a file system without them, this finds where we are.
                        let data = lseek(descriptor, off_t(offset), 3)
                        if data < 0, errno == ENXIO { break }
                        if data > offset { offset = Int64(data) / Int64(Self.grain) * Int64(Self.grain) }
                        var bytes = Data(count: Int(min(Self.objectSize, size.bytes - offset)))
                        let count = bytes.withUnsafeMutableBytes {
                            pread(descriptor, $0.baseAddress, $0.count, off_t(offset))
                        }
                        guard count >= 0 else { throw CephFault(errno: errno, call: "reading an image") }
                        guard count > 0 else { break }
                        try Self.write(bytes.prefix(count), at: offset, to: to)
                        offset += Int64(count)
                        progress(ByteCount(offset), size)
                    }
                    try to.flush()
                }
            }
        }
        progress(size, size)
    }

    package func importContent(
        _ content: ImageStream,
        to layer: LayerID,
        progress: @escaping ProgressHandler
    ) async throws(BlockStoreFault) {
        let size = content.length
        try Self.requireSize(size)
        if try await isThere(layer, size) { return }
        try await fill(layer, size, "receive the layer \(layer)") { image throws(BlockStoreFault) in
            do {
                var (offset, batch) = (Int64(0), Data())
                for try await chunk in content.chunks {
                    try Task.checkCancellation()
                    guard offset + Int64(batch.count + chunk.count) <= size.bytes else {
                        throw Self.wrongLength("more", size)
                    }
                    batch += chunk
                    guard batch.count >= 16 << 20 else { continue }
                    try await write(batch, at: offset, to: image)
                    offset += Int64(batch.count)
                    batch = Data()
                    progress(ByteCount(offset), size)
                }
                // A cancelled reader sees the end of the stream, not an error.
                try Task.checkCancellation()
                guard offset + Int64(batch.count) == size.bytes else { throw Self.wrongLength("fewer", size) }
                try await write(batch, at: offset, to: image)
            } catch {
                throw BlockStoreFault(error, trying: "receive the layer \(layer)", outcome: .notDone)
            }
        }
        progress(size, size)
    }

    private func write(_ data: Data, at offset: Int64, to image: String) async throws(BlockStoreFault) {
        try await calls.run("write the image \(image)", isHeavy: true, changes: true) { cluster in
            try cluster.withImage(image, isReadOnly: false) { open in
                try Self.write(data, at: offset, to: open)
                try open.flush()
            }
        }
    }

    private static func wrongLength(_ what: String, _ size: ByteCount) -> BlockStoreFault {
        BlockStoreFault(.badImage, .notDone, "The content has \(what) bytes than the \(size) that it should have.")
    }
}

/// Reads a layer from start to end: some megabytes at a time, so that no handle waits for a slow reader.
private actor RawReader {
    private static let piece = 16 << 20
    private static let chunk = 1 << 20

    private let store: RBDBlockStore
    private let place: PoolMap.Place
    private let size: ByteCount
    private let progress: ProgressHandler
    private var offset: Int64 = 0
    private var waiting = Data()

    init(store: RBDBlockStore, place: PoolMap.Place, size: ByteCount, progress: @escaping ProgressHandler) {
        self.store = store
        self.place = place
        self.size = size
        self.progress = progress
    }

    /// The next bytes, or nil at the end.
    func next() async throws -> Data? {
        if waiting.isEmpty {
            guard offset < size.bytes else { return nil }
            let length = Int(min(Int64(Self.piece), size.bytes - offset))
            let data = try await store.read(place, offset: offset, length: length)
            guard data.count == length else {
                throw BlockStoreFault(.io, .notDone, "The layer ended before its size.")
            }
            waiting = data
            offset += Int64(length)
        }
        let chunk = Data(waiting.prefix(Self.chunk))
        waiting = Data(waiting.dropFirst(Self.chunk))
        progress(ByteCount(offset - Int64(waiting.count)), size)
        return chunk
    }
}
