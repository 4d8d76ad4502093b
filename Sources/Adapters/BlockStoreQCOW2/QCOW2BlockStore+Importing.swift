import DiskImages
import Platform
import QEMU
package import SnapshotDomain
package import SnapshotPorts

/// Strangers' images become layers.
extension QCOW2BlockStore {
    package func inspectImage(
        at path: String,
        format: SnapshotPorts.ImageFormat
    ) async throws(BlockStoreFault) -> SnapshotPorts.ImageFacts {
        try await ForeignImage(path: path, format: format).inspect(on: heavy)
    }

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
        let facts = try await inspectImage(at: path, format: format)
        try await requireRoom(facts.needed)
        let length = facts.needed.bytes + facts.needed.bytes / 8 + (64 << 20)
        let confined = ForeignImage.converter(facts, writingAtMost: length, pool: heavy)
        do {
            let image = ForeignImage(path: path, format: format)
            try await convert(image.source, to: layer, needed: facts.needed, confined, progress)
        } catch {
            throw ForeignImage.conversionFault(error)
        }
    }
}
