import Foundation
import Glibc
import Platform
import QEMU
import SnapshotDomain
import SnapshotPorts

/// Empty overlays made by hand, with the least work that is durable: the bytes, fsync, rename, fsync of the folder.
struct BareOverlays: Sendable {
    let folder: String
    private let model: ImageModel

    /// Makes the folder if need be, and learns what an overlay of this size looks like.
    init(folder: String, gibibytes: Int) async throws {
        self.folder = folder
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        model = try await ImageModel(gibibytes: gibibytes, isOverlay: true, in: folder)
    }

    func path(_ layer: LayerID) -> String { "\(folder)/\(ImageModel.name(layer))" }

    /// Makes one overlay, durably; blocks.
    func make(_ layer: LayerID, on backing: LayerID) throws {
        let temporary = "\(folder)/.\(layer).tmp"
        try model.write(to: temporary, on: backing, isDurable: true)
        guard rename(temporary, path(layer)) == 0 else { throw BenchFault("cannot rename \(temporary)") }
        try DurableFile.sync(directory: folder)
    }

    func node(_ layer: LayerID) -> BlockChainLayer {
        let node = LayerNode(layer)
        return BlockChainLayer(nodeName: node.name, path: path(layer), fileNodeName: node.fileName)
    }

    /// What a machine opens as one disk; base first.
    func source(_ layers: [LayerID]) throws -> DiskSource {
        try DiskSource(BlockChain(layers.map(node)))
    }
}
