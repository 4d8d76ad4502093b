import DiskImages
import Foundation
import Platform
import QEMU
import SnapshotDomain
import SnapshotPorts
import TestKit
import Testing

@testable import BlockStoreQCOW2

@Suite("Empty layers")
struct BlankLayerTests {
    /// Sizes at the edges of what one table, one cluster of tables and one block of reference counts cover.
    static let sizes: [Int64] = [
        512, 1 << 20, (32 << 20) - 512, 32 << 20, (32 << 20) + 512, 64 << 30, (64 << 30) + 512, 100 << 30, 1 << 40,
        16 << 40,
    ]

    @Test("are what QEMU takes for sound qcow2 files", arguments: sizes)
    func soundness(_ size: Int64) async throws {
        try await withGround { ground in
            let layer = LayerID.random()
            try await ground.store.createLayer(layer, size: ByteCount(size))
            let path = ground.file(of: layer)
            let check = try await Shared.images.check(path, format: .qcow2)
            #expect(check.isSound)
            #expect(check.leakedClusters == 0)
            let description = try await Shared.images.inspect(path, format: .qcow2)
            #expect(description.virtualSizeBytes == size)
            #expect(description.clusterSizeBytes == BlankLayer.clusterSize)
            #expect(description.backingFile == nil)
            #expect(!description.hasExtendedL2)
            #expect(description.actualSizeBytes < 64 << 10)
        }
    }

    @Test("can be written at both ends", arguments: sizes)
    func writing(_ size: Int64) async throws {
        try await withGround { ground in
            let (base, layer) = (LayerID.random(), LayerID.random())
            try await ground.store.createLayer(base, size: ByteCount(size))
            try await ground.store.createLayer(layer, on: base, size: ByteCount(size), through: nil)
            try await ground.write([Fill(1, 0..<512), Fill(2, size - 512..<size)], to: base)
            try await ground.write([Fill(3, 0..<512)], to: layer)
            let check = try await Shared.images.check(ground.file(of: layer), format: .qcow2)
            #expect(check.isSound)
            #expect(check.leakedClusters == 0)
        }
    }

    @Test("name what they stand on, relative and with its format")
    func backing() async throws {
        try await withGround { ground in
            let (base, layer) = (LayerID.random(), LayerID.random())
            try await ground.store.createLayer(base, size: .gibibytes(1))
            try await ground.store.createLayer(layer, on: base, size: .gibibytes(2), through: nil)
            let description = try await Shared.images.inspect(ground.file(of: layer), format: .qcow2)
            #expect(description.backingFile == "\(base).qcow2")
            #expect(description.backingFormat == "qcow2")
            #expect(description.virtualSizeBytes == 2 << 30)
        }
    }

    @Test("read as what is below them to QEMU's compare")
    func compare() async throws {
        try await withGround { ground in
            let (base, layer) = (LayerID.random(), LayerID.random())
            try await ground.store.createLayer(base, size: .mebibytes(40))
            try await ground.write([Fill(7, 1_000_000..<39_000_000)], to: base)
            try await ground.store.createLayer(layer, on: base, size: .mebibytes(40), through: nil)
            let done = try await ChildProcess.run(
                Spawn(
                    "qemu-img",
                    ["compare", "-f", "qcow2", "-F", "qcow2", ground.file(of: base), ground.file(of: layer)]
                ),
                timeout: Shared.limit
            )
            #expect(done.status.isSuccess, "\(done.outputText)")
        }
    }

    @Test("have sizes that qcow2 can have", arguments: [0, -512, 511, 1_000, (16 << 40) + 512] as [Int64])
    func impossibleSize(_ size: Int64) async throws {
        try await withGround { ground in
            let layer = LayerID.random()
            await #expect(throws: BlockStoreFault.self) {
                try await ground.store.createLayer(layer, size: ByteCount(size))
            }
            let found = try await ground.store.findLayer(layer)
            #expect(found == nil)
        }
    }
}

@Suite("Headers of qcow2 files")
struct HeaderTests {
    /// A small honest header, as our writer makes it.
    static func honest(backing: String? = "11111111-1111-1111-1111-111111111111.qcow2") -> Data {
        let blank = BlankLayer(size: .mebibytes(64), backing: backing)
        return blank.pieces[0].bytes + Data(count: Int(BlankLayer.clusterSize) - blank.pieces[0].bytes.count)
    }

    static let honestLength = BlankLayer(size: .mebibytes(64), backing: nil).length

    static func reading(_ data: Data, length: Int64 = honestLength) throws -> QCOW2Header {
        try QCOW2Header(start: data, fileLength: length)
    }

    static func patched(_ offset: Int, _ value: some FixedWidthInteger) -> Data {
        var data = honest()
        var bytes = Data()
        bytes.appendBigEndian(value)
        data.replaceSubrange(offset..<offset + bytes.count, with: bytes)
        return data
    }

    @Test("say what our writer wrote")
    func honesty() throws {
        let header = try Self.reading(Self.honest())
        #expect(header.size == 64 << 20)
        #expect(header.backingFile == "11111111-1111-1111-1111-111111111111.qcow2")
        #expect(header.backingFormat == "qcow2")
        #expect(header.clusterBits == 14)
        #expect(!header.isEncrypted && !header.namesDataFile && header.incompatibleFeatures == 0)
        let base = try Self.reading(Self.honest(backing: nil))
        #expect(base.backingFile == nil)
    }

    @Test("are refused, and never crash the reader, wherever the file is cut")
    func truncation() {
        let honest = Self.honest()
        for length in 0..<112 {
            #expect(throws: QCOW2Flaw.self) {
                try Self.reading(honest.prefix(length), length: Int64(length))
            }
        }
        #expect(throws: QCOW2Flaw.self) { try Self.reading(honest, length: Int64(honest.count)) }
    }

    @Test(
        "are refused when a number is out of bounds",
        arguments: [
            (0, 0x5146_4900), (4, 1), (4, 4), (20, 8), (20, 22), (20, 63), (36, 0), (36, 1), (36, UInt32.max), (56, 0),
            (56, UInt32.max), (60, 65_537), (96, 7), (100, 8), (100, 105), (100, UInt32.max), (16, 1_024),
            (16, UInt32.max),
        ] as [(Int, UInt32)]
    )
    func bounds(_ offset: Int, _ value: UInt32) {
        #expect(throws: QCOW2Flaw.self) { try Self.reading(Self.patched(offset, value)) }
    }

    @Test(
        "are refused when something lies outside of the file",
        arguments: [
            (8, 1 << 40), (8, .max), (24, 1 << 60), (24, .max), (40, 1 << 40), (40, .max), (40, 7), (48, 1 << 62),
            (48, 12),
        ] as [(Int, UInt64)]
    )
    func outside(_ offset: Int, _ value: UInt64) {
        #expect(throws: QCOW2Flaw.self) { try Self.reading(Self.patched(offset, value)) }
    }

    @Test("are refused when an extension of 4 GiB is announced")
    func hugeExtension() {
        #expect(throws: QCOW2Flaw.self) { try Self.reading(Self.patched(108, UInt32.max)) }
    }

    @Test("never crash the reader, whatever they hold")
    func noise() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2_000 {
            var data = Self.honest().prefix(512)
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                data[Int.random(in: 4..<512, using: &random)] = .random(in: 0...255, using: &random)
            }
            _ = try? QCOW2Header(start: data, fileLength: .random(in: 0...1 << 20, using: &random))
        }
    }
}
