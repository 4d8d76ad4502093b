import Foundation
import Glibc
import Platform
import Synchronization
import Testing

@testable import QEMU

@Suite("qemu-img")
struct ImageToolTests {
    private static let size: Int64 = 4 << 20

    private let tool = Shared.images

    /// A raw file of random bytes with a hole behind them.
    private func makeRaw(_ directory: String, seed: UInt64) throws -> (path: String, content: Data) {
        var random = SeededGenerator(seed: seed)
        let content = random.bytes(1_000_000) + Data(count: Int(Self.size) - 1_000_000)
        let path = "\(directory)/source.raw"
        try content.write(to: URL(fileURLWithPath: path))
        return (path, content)
    }

    @Test(
        "converts there and back without a change, and reports progress",
        arguments: [ImageFormat.qcow2, .vmdk, .vdi, .vhdx]
    )
    func convert(_ format: ImageFormat) async throws {
        try await withTemporaryDirectory { directory in
            let source = try makeRaw(directory, seed: 20)
            let fractions = Fractions()
            try await tool.convert(.file(source.path, .raw), to: "\(directory)/middle", format: format) {
                fractions.note($0)
            }
            try await tool.convert(.file("\(directory)/middle", format), to: "\(directory)/back.raw", format: .raw)
            #expect(
                try Data(contentsOf: URL(fileURLWithPath: "\(directory)/back.raw")).prefix(source.content.count)
                    == source.content
            )
            #expect(fractions.areOrderly)
            #expect(try await tool.inspect("\(directory)/middle", format: format).format == format.rawValue)
        }
    }

    @Test("a raw image whose content looks like another format stays raw")
    func noProbing() async throws {
        try await withTemporaryDirectory { directory in
            let inner = "\(directory)/inner.qcow2"
            try await tool.create(inner, format: .qcow2, sizeBytes: 1 << 30)
            let length = try FileFacts.get(inner).length
            #expect(try await tool.inspect(inner, format: .raw).virtualSizeBytes == (length + 511) / 512 * 512)
            try await tool.convert(.file(inner, .raw), to: "\(directory)/copy.raw", format: .raw)
            let copy = try Data(contentsOf: URL(fileURLWithPath: "\(directory)/copy.raw"))
            #expect(try copy.prefix(Int(length)) == Data(contentsOf: URL(fileURLWithPath: inner)))
        }
    }

    @Test("a backing file in a stranger's header is reported and never opened")
    func foreignBacking() async throws {
        try await withTemporaryDirectory { directory in
            let secret = "\(directory)/secret.raw"
            try Data(repeating: 0x5A, count: 1 << 20).write(to: URL(fileURLWithPath: secret))
            let image = "\(directory)/image.qcow2"
            try await tool.create(
                image,
                format: .qcow2,
                sizeBytes: 1 << 20,
                options: ["backing_file": secret, "backing_fmt": "raw"]
            )
            let header = try await tool.inspect(image, format: .qcow2)
            #expect(header.backingFile == secret)
            #expect(header.backingFormat == "raw")
            #expect(header.refersToOtherFiles)
            try await tool.convert(.file(image, .qcow2), to: "\(directory)/copy.raw", format: .raw)
            #expect(try Data(contentsOf: URL(fileURLWithPath: "\(directory)/copy.raw")) == Data(count: 1 << 20))
            #expect(try await tool.inspect("\(directory)/copy.raw", format: .raw).refersToOtherFiles == false)
        }
    }

    @Test("an external data file in a stranger's header is reported")
    func dataFile() async throws {
        try await withTemporaryDirectory { directory in
            let image = "\(directory)/image.qcow2"
            try await tool.create(
                image,
                format: .qcow2,
                sizeBytes: 1 << 20,
                options: ["data_file": "\(directory)/data", "data_file_raw": "on"]
            )
            let header = try await tool.inspect(image, format: .qcow2)
            #expect(header.dataFile == "\(directory)/data")
            #expect(header.refersToOtherFiles)
        }
    }

    @Test("converts a chain by what we say, whatever its headers say")
    func chain() async throws {
        try await withStorageDaemon { daemon, directory in
            let fixture = try await ChainFixture.make(3, daemon, in: directory, seed: 21)
            // Layers that the daemon has open, and one that names nothing behind it.
            try await tool.convert(.chain(fixture.chain), to: "\(directory)/flat.raw", format: .raw)
            #expect(try Data(contentsOf: URL(fileURLWithPath: "\(directory)/flat.raw")) == fixture.contents[2])
            let depths = Set(try await tool.map(.chain(fixture.chain)).filter(\.data).map(\.depth))
            #expect(depths == [0, 1, 2])
            let measure = try await tool.measure(.chain(fixture.chain), as: .qcow2)
            #expect(measure.requiredBytes > 0)
            #expect(measure.requiredBytes < measure.fullyAllocatedBytes)
        }
    }

    @Test("converts compressed, with options of the format")
    func compressed() async throws {
        try await withTemporaryDirectory { directory in
            let path = "\(directory)/text.raw"
            try Data(String(repeating: "all work and no play\n", count: 50_000).utf8).write(
                to: URL(fileURLWithPath: path)
            )
            let target = "\(directory)/a,b.qcow2"
            try await tool.convert(
                .file(path, .raw),
                to: target,
                format: .qcow2,
                options: ["compression_type": "zstd", "cluster_size": "128k"],
                isCompressed: true
            )
            #expect(try FileFacts.get(target).length < 1 << 20)
            #expect(try await tool.inspect(target, format: .qcow2).clusterSizeBytes == 128 << 10)
        }
    }

    @Test("finds leaks and repairs them; finds damage and leaves it")
    func check() async throws {
        try await withTemporaryDirectory { directory in
            let path = "\(directory)/image.qcow2"
            try await tool.convert(.file(try makeRaw(directory, seed: 22).path, .raw), to: path, format: .qcow2)
            let sound = try await tool.check(path, format: .qcow2)
            #expect(sound.isSound)
            #expect(sound.leakedClusters == 0)
            #expect(sound.allocatedClusters == 16)

            // Forget the second entry of the L2 table, whose place the first entry of the L1 table gives.
            let file = try #require(FileHandle(forUpdatingAtPath: path))
            func word(at offset: UInt64) throws -> UInt64 {
                try file.seek(toOffset: offset)
                return [UInt8](try #require(try file.read(upToCount: 8))).bigEndian(at: 0)
            }
            let table = try word(at: try word(at: 40)) & 0x00FF_FFFF_FFFF_FE00
            try file.seek(toOffset: table + 8)
            try file.write(contentsOf: Data(count: 8))
            #expect(try await tool.check(path, format: .qcow2).leakedClusters == 1)
            #expect(try await tool.check(path, format: .qcow2, repair: .leaks).isSound)
            #expect(try await tool.check(path, format: .qcow2).leakedClusters == 0)

            // Two entries with one cluster.
            let first = try word(at: table)
            try file.seek(toOffset: table + 16)
            try file.write(contentsOf: Data(withUnsafeBytes(of: first.bigEndian) { Array($0) }))
            try file.close()
            let damaged = try await tool.check(path, format: .qcow2)
            #expect(!damaged.isSound)
            #expect(damaged.corruptions > 0)
        }
    }

    @Test("what is no image is a failure with the program's words")
    func noImage() async throws {
        try await withTemporaryDirectory { directory in
            let path = "\(directory)/text"
            try Data("not an image".utf8).write(to: URL(fileURLWithPath: path))
            for operation in [
                { _ = try await self.tool.check(path, format: .qcow2) },
                { _ = try await self.tool.inspect(path, format: .qcow2) },
                { try await self.tool.convert(.file(path, .qcow2), to: "\(directory)/out", format: .raw) },
            ] as [() async throws -> Void] {
                let fault = try await fault(PlatformFault.self, operation)
                #expect(fault.code == .io)
                #expect(fault.message.contains("Image is not in qcow2 format"))
            }
        }
    }

    @Test("resizes, and shrinks only when it may")
    func resize() async throws {
        try await withTemporaryDirectory { directory in
            let path = "\(directory)/image.qcow2"
            try await tool.create(path, format: .qcow2, sizeBytes: Self.size)
            try await tool.resize(path, format: .qcow2, toBytes: 2 * Self.size)
            #expect(try await tool.inspect(path, format: .qcow2).virtualSizeBytes == 2 * Self.size)
            let fault = try await fault(PlatformFault.self) {
                try await tool.resize(path, format: .qcow2, toBytes: Self.size)
            }
            #expect(fault.code == .io)
            try await tool.resize(path, format: .qcow2, toBytes: Self.size, mayShrink: true)
            #expect(try await tool.inspect(path, format: .qcow2).virtualSizeBytes == Self.size)
        }
    }

    @Test("a confined program cannot write more than it may")
    func confined() async throws {
        try await withTemporaryDirectory { directory in
            let limits = Confinement(processorSeconds: 60, addressSpaceBytes: 4 << 30, fileSizeBytes: 512 << 10)
            let confined = ImageTool(confinement: limits, pool: Shared.pool)
            let source = try makeRaw(directory, seed: 23)
            let fault = try await fault(PlatformFault.self) {
                try await confined.convert(.file(source.path, .raw), to: "\(directory)/out.qcow2", format: .qcow2)
            }
            #expect(fault.outcome == .unknown)
            #expect(try FileFacts.get("\(directory)/out.qcow2").length <= 512 << 10)
        }
    }

    /// A source that never answers: an export of a daemon that is stopped once the conversion reads from it.
    private func withSilentSource(_ body: @escaping @Sendable (ImageSource, String) async throws -> Void) async throws {
        try await withStorageDaemon { daemon, directory in
            _ = try await daemon.client()
            let pid = try #require(await daemon.pid)
            kill(pid, SIGSTOP)
            defer { kill(pid, SIGCONT) }
            try await body(.nbd(socket: "\(directory)/qsd/nbd.sock", export: "none"), directory)
        }
    }

    @Test("a conversion that makes no progress is ended")
    func stall() async throws {
        try await withSilentSource { source, directory in
            let fault = try await fault(PlatformFault.self) {
                try await Shared.images.convert(
                    source,
                    to: "\(directory)/out",
                    format: .raw,
                    stallLimit: .milliseconds(50)
                )
            }
            #expect(fault.code == .timedOut)
            #expect(fault.message.contains("made no progress"))
        }
    }

    @Test("a cancelled conversion is ended")
    func cancelled() async throws {
        try await withSilentSource { source, directory in
            let task = Task { try await Shared.images.convert(source, to: "\(directory)/out", format: .raw) }
            task.cancel()
            let fault = try await fault(PlatformFault.self) { try await task.value }
            #expect(fault.code == .cancelled)
        }
    }

    private final class Fractions: Sendable {
        private let list = Mutex<[Double]>([])

        func note(_ fraction: Double) {
            list.withLock { $0.append(fraction) }
        }

        var areOrderly: Bool {
            let seen = list.withLock { $0 }
            return !seen.isEmpty && seen == seen.sorted() && seen.allSatisfy { (0...1).contains($0) }
        }
    }
}
