package import Platform
package import QEMU
import SnapshotDomain
package import SnapshotPorts

/// A stranger's image: looked at with our own reader first, then by QEMU in confinement, then converted in confinement.
package struct ForeignImage: Sendable {
    /// More than any honest image needs to be looked at, less than what harms the host.
    private static let inspection = Confinement(
        processorSeconds: 120,
        addressSpaceBytes: 4 << 30,
        fileSizeBytes: 1 << 20
    )
    private static let sectorSize: Int64 = 512
    private static let advice = "convert it with 'qemu-img convert' where it comes from, and import the result"

    package let path: String
    package let format: SnapshotPorts.ImageFormat

    package init(path: String, format: SnapshotPorts.ImageFormat) {
        self.path = path
        self.format = format
    }

    /// What a program of QEMU's opens.
    package var source: ImageSource {
        switch format {
        case .raw: .file(path, .raw)
        case .qcow2: .file(path, .qcow2)
        }
    }

    /// Looks at the image without trusting it.
    ///
    /// - Parameter pool: Whose threads wait for the disk.
    /// - Returns: What it is, and what a qcow2 layer of it takes at most.
    /// - Throws: ``BlockStoreFault`` with code `badImage` for whatever is wrong with it.
    package func inspect(on pool: BlockingPool) async throws(BlockStoreFault) -> SnapshotPorts.ImageFacts {
        let (path, format) = (path, format)
        let size: ByteCount
        do {
            size = try await pool.run { () throws -> ByteCount in
                guard let facts = try FileFacts.find(path), !facts.isDirectory else {
                    throw BlockStoreFault(.badImage, .notDone, "There is no image at '\(path)'.")
                }
                guard facts.length > 0 else { throw Self.refusal("it is empty; upload it again") }
                switch format {
                case .raw: return ByteCount(facts.length).rounded(upTo: Self.sectorSize)
                case .qcow2: return try Self.trustworthySize(of: path, length: facts.length)
                }
            }
        } catch {
            throw BlockStoreFault(error, trying: "look at an image")
        }
        guard size <= VolumeLimits.largest else {
            throw Self.refusal("its disk of \(size) is larger than the \(VolumeLimits.largest) that a volume can have")
        }
        let confined = ImageTool(confinement: Self.inspection, pool: pool)
        do {
            if format == .qcow2 {
                let check = try await confined.check(path, format: .qcow2)
                guard check.isSound else {
                    throw Self.refusal(
                        "it is damaged in \(check.corruptions + check.checkErrors) places; repair it with 'qemu-img check -r all'"
                    )
                }
            }
            let measure = try await confined.measure(source, as: .qcow2)
            return .init(format: format, size: size, needed: ByteCount(measure.requiredBytes))
        } catch let fault as BlockStoreFault {
            throw fault
        } catch {
            throw Self.fault(error, "it could not be examined within bounds; \(Self.advice)")
        }
    }

    /// A `qemu-img` that is confined for converting an image of these facts.
    ///
    /// - Parameters:
    ///   - facts: What ``inspect(on:)`` returned.
    ///   - length: The length that its result may have.
    ///   - pool: Whose threads wait for the disk.
    /// - Returns: The tool.
    package static func converter(
        _ facts: SnapshotPorts.ImageFacts,
        writingAtMost length: Int64,
        pool: BlockingPool
    ) -> ImageTool {
        ImageTool(
            confinement: Confinement(
                // Enough for ten megabytes a second, decompressed by one processor.
                processorSeconds: 600 + Int(facts.needed.bytes / (10 << 20)),
                addressSpaceBytes: 4 << 30,
                fileSizeBytes: length
            ),
            pool: pool
        )
    }

    /// What the failure of a conversion says of the image.
    package static func conversionFault(_ error: any Error) -> BlockStoreFault {
        if let fault = error as? BlockStoreFault, fault.code != .io || fault.outcome == .unknown { return fault }
        return fault(error, "it could not be converted; \(advice)")
    }

    /// The size of the disk in a qcow2 file; refuses everything that could make QEMU open another file.
    private static func trustworthySize(of path: String, length: Int64) throws -> ByteCount {
        let header: QCOW2Header
        do {
            header = try QCOW2Header(ofFile: path, length: length)
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

    static func refusal(_ reason: String, cause: String? = nil) -> BlockStoreFault {
        BlockStoreFault(.badImage, .notDone, "The image is refused: \(reason).", cause: cause)
    }

    /// What a confined program's failure says of the image: it is bad, unless the failure is of another kind.
    private static func fault(_ error: any Error, _ reason: String) -> BlockStoreFault {
        let fault = BlockStoreFault(error, trying: "examine an image", outcome: .notDone)
        guard fault.code == .io else { return fault }
        return refusal(reason, cause: fault.cause)
    }
}
