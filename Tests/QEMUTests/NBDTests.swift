import Foundation
import Glibc
import Platform
import Testing

@testable import QEMU

@Suite("NBD, with a real server")
struct NBDTests {
    private static let size = 8 << 20

    /// Exports a new qcow2 image for as long as `body` runs.
    private func withDisk(
        writable: Bool = true,
        sizeBytes: Int = NBDTests.size,
        _ body: @escaping @Sendable (NBDClient, StorageDaemon) async throws -> Void
    ) async throws {
        try await withStorageDaemon { daemon, directory in
            let path = "\(directory)/disk.qcow2"
            try await Shared.images.create(path, format: .qcow2, sizeBytes: Int64(sizeBytes))
            let layer = BlockChainLayer(nodeName: "disk", path: path, fileNodeName: "disk-file")
            let client = try await daemon.client()
            try await client.execute("blockdev-add", BlockChain.blockdevArguments(layer, over: nil, isWritable: true))
            try await daemon.withExport(node: "disk", writable: writable) { try await body($0, daemon) }
        }
    }

    @Test("reads back what a random sequence of writes, zeros and flushes left", arguments: [11, 12, 13] as [UInt64])
    func model(seed: UInt64) async throws {
        try await withDisk { disk, _ in
            var random = SeededGenerator(seed: seed)
            var model = Data(count: Self.size)
            #expect(disk.sizeBytes == Int64(Self.size))
            #expect(!disk.isReadOnly)
            for _ in 0..<200 {
                let length = Int.random(in: 1...100_000, using: &random)
                let offset = Int.random(in: 0...Self.size - length, using: &random)
                switch Int.random(in: 0..<10, using: &random) {
                case 0..<4:
                    let data = random.bytes(length)
                    try await disk.write(data, at: Int64(offset), forceUnitAccess: Bool.random(using: &random))
                    model.replaceSubrange(offset..<offset + length, with: data)
                case 4..<6:
                    let keepsSpace = Bool.random(using: &random)
                    try await disk.writeZeroes(offset: Int64(offset), length: length, keepsSpace: keepsSpace)
                    model.resetBytes(in: offset..<offset + length)
                case 6:
                    try await disk.flush()
                default:
                    let read = try await disk.read(offset: Int64(offset), length: length)
                    #expect(read == model[offset..<offset + length], "seed \(seed)")
                }
            }
            #expect(try await disk.read(offset: 0, length: Self.size) == model, "seed \(seed)")
        }
    }

    @Test("reads a whole disk in order, with many requests under way")
    func chunks() async throws {
        try await withDisk { disk, _ in
            var random = SeededGenerator(seed: 14)
            let data = random.bytes(3_000_001)
            try await disk.write(data, at: 1_000_000)
            var whole = Data()
            try await disk.forEachChunk(in: 0..<disk.sizeBytes, chunkBytes: 300_000, window: 5) { offset, chunk in
                #expect(offset == Int64(whole.count))
                whole += chunk
            }
            #expect(whole == Data(count: 1_000_000) + data + Data(count: Self.size - 4_000_001))
        }
    }

    @Test("moves as much in one request as the protocol allows, and no more")
    func largest() async throws {
        try await withDisk(sizeBytes: 40 << 20) { disk, _ in
            var random = SeededGenerator(seed: 15)
            let data = random.bytes(NBDClient.maximumRequestBytes)
            try await disk.write(data, at: 1)
            #expect(try await disk.read(offset: 1, length: data.count) == data)
            let fault = try await fault(NBDFault.self) { _ = try await disk.read(offset: 0, length: data.count + 1) }
            #expect(fault.code == .invalidRequest)
            #expect(fault.outcome == .notDone)
        }
    }

    @Test("tells data from holes, and trimming makes a hole")
    func extents() async throws {
        try await withDisk { disk, _ in
            try await disk.write(Data(repeating: 1, count: 1 << 20), at: 1 << 20)
            func ranges() async throws -> [(Range<Int64>, isHole: Bool)] {
                var found: [(Range<Int64>, isHole: Bool)] = []
                var offset: Int64 = 0
                while offset < disk.sizeBytes {
                    for extent in try await disk.blockStatus(offset: offset, length: Int(disk.sizeBytes - offset)) {
                        #expect(extent.isHole == extent.isZero)
                        found.append((extent.offset..<extent.offset + extent.length, extent.isHole))
                        offset = extent.offset + extent.length
                    }
                }
                return found
            }
            let before = try await ranges()
            let mebibyte: Int64 = 1 << 20
            let expected: [Range<Int64>] = [0..<mebibyte, mebibyte..<2 * mebibyte, 2 * mebibyte..<8 * mebibyte]
            #expect(before.map(\.0) == expected)
            #expect(before.map(\.isHole) == [true, false, true])
            try await disk.trim(offset: 1 << 20, length: 1 << 20)
            let after = try await ranges()
            #expect(after.allSatisfy { $0.isHole })
        }
    }

    @Test("refuses what lies outside of the disk, without asking the server")
    func outside() async throws {
        try await withDisk { disk, _ in
            let size = Int64(Self.size)
            for (offset, length) in [(size, 1), (size - 1, 2), (-1, 1), (Int64.max, 1), (0, 0)] {
                let fault = try await fault(NBDFault.self) { _ = try await disk.read(offset: offset, length: length) }
                #expect(fault.code == .invalidRequest)
            }
        }
    }

    @Test("a read-only export does not take writes")
    func readOnly() async throws {
        try await withDisk(writable: false) { disk, _ in
            #expect(disk.isReadOnly)
            let fault = try await fault(NBDFault.self) { try await disk.write(Data([1]), at: 0) }
            #expect(fault.code == .invalidRequest)
            #expect(fault.outcome == .notDone)
            #expect(try await disk.read(offset: 0, length: 1) == Data([0]))
        }
    }

    @Test("an export that is not there is unreachable, and so is a socket")
    func noExport() async throws {
        try await withStorageDaemon { daemon, directory in
            _ = try await daemon.client()
            let names = ["\(directory)/qsd/nbd.sock": "no export none", "\(directory)/none": "nobody answers"]
            for (path, reason) in names {
                let fault = try await fault(NBDFault.self) { _ = try await NBDClient.connect(path, export: "none") }
                #expect(fault.code == .unreachable)
                #expect(fault.message.contains(reason))
            }
        }
    }

    @Test("a server killed during a request leaves its outcome unknown, and later ones undone")
    func killed() async throws {
        await #expect(throws: (any Error).self) {
            try await withDisk { disk, daemon in
                let pid = try #require(await daemon.pid)
                kill(pid, SIGSTOP)
                let underWay = Task { try await disk.write(Data([1]), at: 0) }
                let other = Task { try await disk.flush() }
                kill(pid, SIGKILL)
                for task in [underWay, other] {
                    let fault = try await fault(NBDFault.self) { try await task.value }
                    #expect(fault.code == .closed)
                }
                let late = try await fault(NBDFault.self) { _ = try await disk.read(offset: 0, length: 1) }
                #expect(late.code == .closed)
                #expect(late.outcome == .notDone)
            }
        }
    }

    @Test("an export ends with the body that used it, also when that fails")
    func exportEnds() async throws {
        struct Odd: Error {}
        try await withStorageDaemon { daemon, directory in
            let fixture = try await ChainFixture.make(1, daemon, in: directory, seed: 16)
            await #expect(throws: Odd.self) {
                try await daemon.withExport(node: "l0", writable: true) { _ in throw Odd() }
            }
            #expect(try await fixture.client.execute("query-block-exports") == [])
            // Refused while something uses the node.
            try await fixture.client.execute("blockdev-del", ["node-name": "l0"])
        }
    }
}

@Suite("NBD, with a peer that follows a script")
struct NBDScriptTests {
    private static let greeting = Data("NBDMAGICIHAVEOPT".utf8) + Data([0, 3])

    private static func optionReply(_ option: UInt32, _ type: UInt32, _ body: [UInt8] = []) -> Data {
        var bytes: [UInt8] = []
        bytes.append(bigEndian: NBDProtocol.optionReplyMagic)
        bytes.append(bigEndian: option)
        bytes.append(bigEndian: type)
        bytes.append(bigEndian: UInt32(body.count))
        return Data(bytes + body)
    }

    /// A handshake of a server without structured replies, with an export called "x" of 1 KiB.
    private static var simpleHandshake: [ScriptedServer.Step] {
        var export: [UInt8] = []
        export.append(bigEndian: UInt16(0))
        export.append(bigEndian: UInt64(1024))
        export.append(bigEndian: UInt16(1))
        let answer = optionReply(7, 3, export) + optionReply(7, 1)
        return [
            .send(greeting),
            .receive(4 + 16) { _ in optionReply(8, 1 << 31 | 1) },
            .receive(16 + 4 + 1 + 2) { _ in answer },
        ]
    }

    private static func reply(to request: [UInt8], error: UInt32, _ data: Data = Data()) -> Data {
        var bytes: [UInt8] = []
        bytes.append(bigEndian: NBDProtocol.simpleReplyMagic)
        bytes.append(bigEndian: error)
        bytes += request[8..<16]
        return Data(bytes) + data
    }

    @Test("understands simple replies, in any order")
    func simpleReplies() async throws {
        let script =
            Self.simpleHandshake + [
                // Both requests before any answer, and the answers in reverse.
                .receive(56) { requests in
                    let (first, second) = (Array(requests[..<28]), Array(requests[28...]))
                    let offset = { (request: [UInt8]) in
                        UInt8(truncatingIfNeeded: request.bigEndian(UInt64.self, at: 16))
                    }
                    return Self.reply(to: second, error: 0, Data(repeating: offset(second), count: 8))
                        + Self.reply(to: first, error: 0, Data(repeating: offset(first), count: 8))
                },
                .receive(28) { Self.reply(to: $0, error: 28) },
            ]
        try await ScriptedServer.serve(script) { path in
            let disk = try await NBDClient.connect(path, export: "x")
            #expect(disk.sizeBytes == 1024)
            async let first = disk.read(offset: 1, length: 8)
            async let second = disk.read(offset: 2, length: 8)
            #expect(try await first == Data(repeating: 1, count: 8))
            #expect(try await second == Data(repeating: 2, count: 8))
            let full = try await fault(NBDFault.self) { try await disk.flush() }
            #expect(full.code == .refused(ENOSPC))
            let unable = try await fault(NBDFault.self) { _ = try await disk.blockStatus(offset: 0, length: 8) }
            #expect(unable.code == .invalidRequest)
            disk.close()
        }
    }

    @Test(
        "a peer that is no NBD server is a violation",
        arguments: ["HTTP/1.1 400 Bad Request", "NBDMAGIC but then nothing"]
    )
    func noServer(_ greeting: String) async throws {
        try await ScriptedServer.serve([.send(Data(greeting.utf8))]) { path in
            let fault = try await fault(NBDFault.self) { _ = try await NBDClient.connect(path, export: "x") }
            #expect(fault.code == .protocolViolation)
            #expect(fault.outcome == .notDone)
        }
    }

    @Test("a reply that fits no request ends the connection")
    func strayReply() async throws {
        let script =
            Self.simpleHandshake + [.receive(28) { _ in Self.reply(to: [UInt8](repeating: 9, count: 28), error: 0) }]
        try await ScriptedServer.serve(script) { path in
            let disk = try await NBDClient.connect(path, export: "x")
            let fault = try await fault(NBDFault.self) { _ = try await disk.read(offset: 0, length: 8) }
            #expect(fault.code == .protocolViolation)
            #expect(fault.outcome == .unknown)
        }
    }

    @Test("a chunk outside of the request ends the connection instead of our process")
    func wildChunk() async throws {
        let script =
            Self.simpleHandshake + [
                .receive(28) { request in
                    var bytes: [UInt8] = []
                    bytes.append(bigEndian: NBDProtocol.structuredReplyMagic)
                    bytes.append(bigEndian: NBDProtocol.chunkIsLast)
                    bytes.append(bigEndian: NBDProtocol.ChunkType.offsetData)
                    bytes += request[8..<16]
                    bytes.append(bigEndian: UInt32(16))
                    bytes.append(bigEndian: UInt64.max - 3)
                    return Data(bytes) + Data(count: 8)
                }
            ]
        try await ScriptedServer.serve(script) { path in
            let disk = try await NBDClient.connect(path, export: "x")
            let fault = try await fault(NBDFault.self) { _ = try await disk.read(offset: 0, length: 8) }
            #expect(fault.code == .protocolViolation)
        }
    }
}
