import DiskImages
import Foundation
import Platform
import QEMU
package import SnapshotDomain
package import SnapshotPorts

/// Contents that come from elsewhere as a stream of raw bytes.
extension QCOW2BlockStore {
    package func importContent(
        _ content: ImageStream,
        to layer: LayerID,
        progress: @escaping ProgressHandler
    ) async throws(BlockStoreFault) {
        let size = content.length
        try requireSize(size)
        if let done = try await findLayer(layer) {
            guard done.parent == nil, done.size == size else { throw .shape(of: layer) }
            let layers = folder.layers
            return try await onDisk("make the layer \(layer) durable") { try DurableFile.sync(directory: layers) }
        }
        let folder = folder
        let temporary = folder.temporaryFile("receive")
        do {
            try await quick.run { try folder.writeBlank(size: size, on: nil, to: temporary) }
            try await receive(content, in: temporary, of: layer, progress)
            try await quick.run { try DurableFile.sync(file: temporary) }
            try reached(.imageConverted)
        } catch {
            await removeTemporary(temporary)
            throw BlockStoreFault(error, trying: "receive the layer \(layer)", outcome: .notDone)
        }
        // Not to be stopped by a cancellation that comes too late to save any work.
        try await onDisk("name the layer \(layer)", evenCancelled: true) { try folder.rename(temporary, to: layer) }
    }

    private func receive(
        _ content: ImageStream,
        in file: String,
        of layer: LayerID,
        _ progress: @escaping ProgressHandler
    ) async throws {
        let size = content.length
        var node = node(layer)
        node.path = file
        let name = node.nodeName
        try await withDaemon(opening: BlockChain([node]), isTopWritable: true) { daemon, _ in
            try await daemon.withExport(node: name, writable: true) { disk in
                var offset: Int64 = 0
                for try await chunk in content.chunks {
                    try Task.checkCancellation()
                    guard offset + Int64(chunk.count) <= size.bytes else { throw Self.wrongLength("more", size) }
                    for run in Self.runsWithData(of: chunk) {
                        try await disk.write(Data(chunk[run]), at: offset + Int64(run.lowerBound - chunk.startIndex))
                    }
                    offset += Int64(chunk.count)
                    progress(ByteCount(offset), size)
                }
                // A cancelled reader sees the end of the stream, not an error.
                try Task.checkCancellation()
                guard offset == size.bytes else { throw Self.wrongLength("fewer", size) }
                try await disk.flush()
            }
        }
    }

    private static func wrongLength(_ what: String, _ size: ByteCount) -> BlockStoreFault {
        BlockStoreFault(.badImage, .notDone, "The content has \(what) bytes than the \(size) that it should have.")
    }

    /// The parts of a chunk that hold something, in whole clusters.
    private static func runsWithData(of chunk: Data) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        for start in stride(from: chunk.startIndex, to: chunk.endIndex, by: Int(BlankLayer.clusterSize)) {
            let piece = start..<min(start + Int(BlankLayer.clusterSize), chunk.endIndex)
            guard !isZero(chunk[piece]) else { continue }
            if let last = runs.last, last.upperBound == piece.lowerBound {
                runs[runs.count - 1] = last.lowerBound..<piece.upperBound
            } else {
                runs.append(piece)
            }
        }
        return runs
    }

    /// By comparing the bytes with themselves, one further: the library does that a vector at a time.
    private static func isZero(_ bytes: Data) -> Bool {
        bytes.withUnsafeBytes { buffer in
            guard let start = buffer.baseAddress, buffer.count > 1 else { return buffer.allSatisfy { $0 == 0 } }
            return buffer[0] == 0 && memcmp(start, start + 1, buffer.count - 1) == 0
        }
    }
}
