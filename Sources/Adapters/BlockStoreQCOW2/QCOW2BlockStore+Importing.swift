import Foundation
import Platform
import QEMU
package import SnapshotDomain
package import SnapshotPorts

/// Strangers' images: looked at with our own reader first, then by QEMU in confinement, then converted in confinement.
extension QCOW2BlockStore {
    /// More than any honest image needs to be looked at, less than what harms the host.
    private static let inspection = Confinement(
        processorSeconds: 120,
        addressSpaceBytes: 4 << 30,
        fileSizeBytes: 1 << 20
    )
    private static let advice = "convert it with 'qemu-img convert' where it comes from, and import the result"

    package func inspectImage(
        at path: String,
        format: SnapshotPorts.ImageFormat
    ) async throws(BlockStoreFault) -> SnapshotPorts.ImageFacts {
        let size = try await onDisk("look at an image") { () throws -> ByteCount in
            guard let facts = try FileFacts.find(path), !facts.isDirectory else {
                throw BlockStoreFault(.badImage, .notDone, "There is no image at '\(path)'.")
            }
            guard facts.length > 0 else { throw Self.refusal("it is empty; upload it again") }
            switch format {
            case .raw: return ByteCount(facts.length).rounded(upTo: BlankLayer.sectorSize)
            case .qcow2: return try Self.trustworthySize(of: path, length: facts.length)
            }
        }
        guard size <= VolumeLimits.largest else {
            throw Self.refusal("its disk of \(size) is larger than the \(VolumeLimits.largest) that a volume can have")
        }
        let confined = ImageTool(confinement: Self.inspection, pool: heavy)
        do {
            if format == .qcow2 {
                let check = try await confined.check(path, format: .qcow2)
                guard check.isSound else {
                    throw Self.refusal(
                        "it is damaged in \(check.corruptions + check.checkErrors) places; repair it with 'qemu-img check -r all'"
                    )
                }
            }
            let measure = try await confined.measure(Self.source(path, format), as: .qcow2)
            return .init(format: format, size: size, needed: ByteCount(measure.requiredBytes))
        } catch let fault as BlockStoreFault {
            throw fault
        } catch {
            throw Self.fault(error, "it could not be examined within bounds; \(Self.advice)")
        }
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
        let confined = ImageTool(
            confinement: Confinement(
                // Enough for ten megabytes a second, decompressed by one processor.
                processorSeconds: 600 + Int(facts.needed.bytes / (10 << 20)),
                addressSpaceBytes: 4 << 30,
                fileSizeBytes: facts.needed.bytes + facts.needed.bytes / 8 + (64 << 20)
            ),
            pool: heavy
        )
        do {
            try await convert(Self.source(path, format), to: layer, needed: facts.needed, confined, progress)
        } catch let fault as BlockStoreFault where fault.code != .io || fault.outcome == .unknown {
            throw fault
        } catch {
            throw Self.fault(error, "it could not be converted; \(Self.advice)")
        }
    }

    private static func source(_ path: String, _ format: SnapshotPorts.ImageFormat) -> ImageSource {
        switch format {
        case .raw: .file(path, .raw)
        case .qcow2: .file(path, .qcow2)
        }
    }

    /// The size of the disk in a qcow2 file; refuses everything that could make QEMU open another file.
    private static func trustworthySize(of path: String, length: Int64) throws -> ByteCount {
        let header: QCOW2Header
        do {
            header = try LayerFolder.header(at: path, length: length)
        } catch let flaw as QCOW2Flaw {
            throw refusal("\(flaw.reason); upload it again, or \(advice)")
        }
        typealias Feature = QCOW2Header.Incompatible
        let reason: String? =
            if header.backingFile != nil {
                "it refers to a backing file"
            } else if header.incompatibleFeatures & Feature.dataFile != 0 || header.namesDataFile {
                "it keeps its data in another file"
            } else if header.isEncrypted {
                "it is encrypted"
            } else if header.incompatibleFeatures & ~Feature.known != 0 {
                "it needs features of the format that this service does not know"
            } else if header.incompatibleFeatures & Feature.corrupt != 0 {
                "it is marked as corrupt"
            } else if header.size == 0 {
                "its disk has no bytes"
            } else {
                nil
            }
        if let reason { throw refusal("\(reason); \(advice)") }
        return ByteCount(header.size)
    }

    private static func refusal(_ reason: String, cause: String? = nil) -> BlockStoreFault {
        BlockStoreFault(.badImage, .notDone, "The image is refused: \(reason).", cause: cause)
    }

    /// What a confined program's failure says of the image: it is bad, unless the failure is of another kind.
    private static func fault(_ error: any Error, _ reason: String) -> BlockStoreFault {
        let fault = BlockStoreFault(error, trying: "examine an image", outcome: .notDone)
        guard fault.code == .io else { return fault }
        return refusal(reason, cause: fault.cause)
    }
}
