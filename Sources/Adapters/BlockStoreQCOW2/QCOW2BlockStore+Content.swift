import DiskImages
import Foundation
import Platform
import QEMU
package import SnapshotDomain
package import SnapshotPorts

/// Whole contents: digests, copies and exports of layers at rest.
extension QCOW2BlockStore {
    package func digest(
        of layer: LayerID,
        progress: @escaping ProgressHandler
    ) async throws(BlockStoreFault) -> ContentDigest {
        let heavy = heavy
        do {
            return try await withContent(of: layer) { disk in
                let size = ByteCount(disk.sizeBytes)
                var tree = ContentTree(size: size)
                for run in try await Self.runsWithData(of: disk) {
                    let range =
                        run.lowerBound
                        * ContentTree.chunkSize..<min(run.upperBound * ContentTree.chunkSize, disk.sizeBytes)
                    try await disk.forEachChunk(in: range, chunkBytes: Int(ContentTree.chunkSize), window: 4) {
                        offset,
                        data in
                        try Task.checkCancellation()
                        tree = try await heavy.run { [tree] in
                            var next = tree
                            next.add(data, number: offset / ContentTree.chunkSize)
                            return next
                        }
                        progress(ByteCount(offset + Int64(data.count)), size)
                    }
                }
                progress(size, size)
                return tree.finish()
            }
        } catch {
            throw BlockStoreFault(error, trying: "read the layer \(layer)", outcome: .notDone)
        }
    }

    /// The numbers of the chunks that may hold something, as ranges in order.
    private static func runsWithData(of disk: NBDClient) async throws -> [Range<Int64>] {
        // One question covers less than 4 GiB.
        let window: Int64 = (4 << 30) - (1 << 20)
        var runs: [Range<Int64>] = []
        var offset: Int64 = 0
        while offset < disk.sizeBytes {
            let length = Int(min(window, disk.sizeBytes - offset))
            for extent in try await disk.blockStatus(offset: offset, length: length) {
                let end = min(offset + extent.length, disk.sizeBytes)
                if !extent.isZero, end > offset {
                    let run = offset / ContentTree.chunkSize..<(end - 1) / ContentTree.chunkSize + 1
                    if let last = runs.last, last.upperBound >= run.lowerBound {
                        runs[runs.count - 1] = last.lowerBound..<max(last.upperBound, run.upperBound)
                    } else {
                        runs.append(run)
                    }
                }
                offset = max(offset, end)
            }
        }
        return runs
    }

    // MARK: Copies

    package func copyLayer(
        _ source: LayerID,
        to copy: LayerID,
        progress: @escaping ProgressHandler
    ) async throws(BlockStoreFault) {
        let original = try await getLayer(source)
        if let done = try await findLayer(copy) {
            guard done.parent == nil, done.size == original.size else { throw .shape(of: copy) }
            let layers = folder.layers
            return try await onDisk("make the layer \(copy) durable") { try DurableFile.sync(directory: layers) }
        }
        let chain = try await storedChain(of: source)
        let needed = try await room(for: chain)
        try await requireRoom(needed)
        let image = ImageSource.chain(blockChain(chain))
        do {
            try await convert(image, to: copy, needed: needed, tool, progress)
        } catch {
            throw BlockStoreFault(error, trying: "copy the layer \(source)")
        }
    }

    /// Converts into a new layer: in `tmp/`, durable there, then by its name.
    func convert(
        _ source: ImageSource,
        to layer: LayerID,
        needed: ByteCount,
        _ tool: ImageTool,
        _ progress: @escaping ProgressHandler
    ) async throws {
        let folder = folder
        let temporary = folder.temporaryFile("convert")
        do {
            try await tool.convert(
                source,
                to: temporary,
                format: .qcow2,
                options: ["cluster_size": "\(BlankLayer.clusterSize)"]
            ) { fraction in
                progress(ByteCount(Int64(fraction * Double(needed.bytes))), needed)
            }
            try reached(.imageConverted)
        } catch {
            await removeTemporary(temporary)
            throw BlockStoreFault(error, trying: "convert an image", outcome: .notDone)
        }
        // Not to be stopped by a cancellation that comes too late to save any work.
        try await quick.run(evenCancelled: true) { try folder.rename(temporary, to: layer) }
    }

    // MARK: Exports

    package func export(
        _ layer: LayerID,
        as format: SnapshotPorts.ImageFormat,
        progress: @escaping ProgressHandler
    ) async throws(BlockStoreFault) -> ImageStream {
        switch format {
        case .raw:
            // The disk byte by byte, straight from the layers: nothing is written anywhere.
            let size = try await getLayer(layer).size
            let reader = ContentReader(store: self, layer: layer, size: size, progress: progress)
            return ImageStream(length: size, sha256: nil, chunks: AsyncThrowingStream { try await reader.next() })
        case .qcow2:
            return try await exportConverted(layer, progress)
        }
    }

    /// One file that depends on nothing, made in `tmp/` first, so that its length and digest are known.
    private func exportConverted(
        _ layer: LayerID,
        _ progress: @escaping ProgressHandler
    ) async throws(BlockStoreFault) -> ImageStream {
        let chain = try await storedChain(of: layer)
        let needed = try await room(for: chain)
        try await requireRoom(needed)
        let path = folder.temporaryFile("export")
        do {
            try await tool.convert(.chain(blockChain(chain)), to: path, format: .qcow2) { fraction in
                progress(ByteCount(Int64(fraction * Double(needed.bytes))), needed)
            }
            return try await TemporaryFile.open(path, on: heavy).stream
        } catch {
            await removeTemporary(path)
            throw BlockStoreFault(error, trying: "export the layer \(layer)", outcome: .notDone)
        }
    }

    // MARK: Room

    func requireRoom(_ needed: ByteCount) async throws(BlockStoreFault) {
        let free = try await capacity().free
        guard needed <= free else {
            throw BlockStoreFault(
                .noSpace,
                .notDone,
                "The pool '\(pool)' has \(free) free and this needs \(needed). Free space and try again."
            )
        }
    }

    /// What one layer with the content of a chain takes at most.
    private func room(for chain: [LayerID]) async throws(BlockStoreFault) -> ByteCount {
        var sum = ByteCount.zero
        for layer in chain { sum += try await getLayer(layer).allocated }
        return sum
    }
}
