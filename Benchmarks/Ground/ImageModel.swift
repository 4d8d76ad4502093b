import Foundation
import Glibc
import Platform
import SnapshotDomain

/// An empty disk image as bytes, to be written many times.
///
/// The bytes are those that `qemu-img` writes, so that nothing of ours is measured against itself. Only the name of the
/// backing file changes from one image to the next, never its length.
struct ImageModel: Sendable {
    /// The 4 KiB blocks that are not zero.
    private let blocks: [(offset: Int, bytes: Data)]
    private let length: Int
    /// Where the name of the backing file stands; nil without one.
    private let nameOffset: Int?

    static func name(_ layer: LayerID) -> String { "\(layer).qcow2" }

    /// Has `qemu-img` make one in a folder, and learns it.
    init(gibibytes: Int, isOverlay: Bool, in folder: String) async throws {
        let path = "\(folder)/model-\(RandomName.make())"
        let backing = Self.name(.random())
        let made = try await ChildProcess.run(
            Spawn(
                "qemu-img",
                ["create", "-q", "-u", "-f", "qcow2", "-o", "cluster_size=16k"]
                    + (isOverlay ? ["-b", backing, "-F", "qcow2"] : []) + [path, "\(gibibytes)G"]
            ),
            timeout: .seconds(30)
        )
        guard made.status.isSuccess, let whole = FileManager.default.contents(atPath: path) else {
            throw BenchFault("qemu-img cannot make an image: \(made.errorsText)")
        }
        try FileManager.default.removeItem(atPath: path)
        length = whole.count
        nameOffset = isOverlay ? whole.range(of: Data(backing.utf8))?.lowerBound : nil
        guard !isOverlay || nameOffset != nil else { throw BenchFault("qemu-img wrote no backing name") }
        blocks = stride(from: 0, to: whole.count, by: 4_096).compactMap { offset in
            let block = whole[offset..<min(offset + 4_096, whole.count)]
            return block.contains { $0 != 0 } ? (offset, Data(block)) : nil
        }
    }

    /// Writes the image; blocks.
    func write(to path: String, on backing: LayerID?, isDurable: Bool) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw BenchFault("cannot create \(path)") }
        defer { close(file) }
        for (offset, block) in blocks {
            var bytes = block
            if offset == 0, let nameOffset, let backing {
                let name = Data(Self.name(backing).utf8)
                bytes.replaceSubrange(nameOffset..<nameOffset + name.count, with: name)
            }
            let written = bytes.withUnsafeBytes { pwrite(file, $0.baseAddress, $0.count, off_t(offset)) }
            guard written == bytes.count else { throw BenchFault("cannot write \(path)") }
        }
        guard ftruncate(file, off_t(length)) == 0, !isDurable || fsync(file) == 0 else {
            throw BenchFault("cannot make \(path) durable")
        }
    }
}
