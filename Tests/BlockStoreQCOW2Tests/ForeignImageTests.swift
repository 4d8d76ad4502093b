import DiskImages
import Foundation
import Platform
import QEMU
import SnapshotDomain
import SnapshotPorts
import TestKit
import Testing

@testable import BlockStoreQCOW2

/// What a stranger may upload.
private struct Trap: CustomTestStringConvertible, Sendable {
    let testDescription: String
    /// A word that the refusal must have, so that a person knows what is wrong.
    let word: String
    /// Makes the image; the directory holds a secret that must not be read.
    let make: @Sendable (_ path: String, _ secret: String) async throws -> Void

    static let all: [Trap] = [
        Trap(testDescription: "a backing file", word: "backing file") { path, secret in
            try await image(path, "-b", secret, "-F", "raw", "8M")
        },
        Trap(testDescription: "a backing file that is a nest of JSON", word: "backing file") { path, secret in
            let inner = #"json:{"driver":"raw","file":{"driver":"file","filename":"\#(secret)"}}"#
            try await image(path, "-u", "-b", inner, "-F", "raw", "8M")
        },
        Trap(testDescription: "a backing file on the network", word: "backing file") { path, _ in
            try await image(path, "-u", "-b", "nbd://127.0.0.1:1/x", "-F", "raw", "8M")
        },
        Trap(testDescription: "a billion laughs in its backing name", word: "backing file") { path, secret in
            let nested = (0..<20).reduce(secret) { name, _ in #"json:{"file.filename":"\#(name)"}"# }
            try await image(path, "8M")
            try patch(path) { data in
                let name = Data(nested.utf8.prefix(1_023))
                data.replaceSubrange(1_024..<1_024 + name.count, with: name)
                data.replace(8, UInt64(1_024))
                data.replace(16, UInt32(name.count))
            }
        },
        Trap(testDescription: "a data file", word: "another file") { path, secret in
            try await image(path, "-o", "data_file=\(secret).data,data_file_raw=on", "8M")
        },
        Trap(testDescription: "encryption", word: "encrypted") { path, _ in
            try await image(path, "8M")
            try patch(path) { $0.replace(32, UInt32(2)) }
        },
        Trap(testDescription: "a disk of 1 EiB", word: "size") { path, _ in
            try await image(path, "8M")
            try patch(path) { $0.replace(24, UInt64(1) << 60) }
        },
        Trap(testDescription: "a disk of 17 TiB", word: "larger") { path, _ in try await image(path, "17T") },
        Trap(testDescription: "no disk at all", word: "no bytes") { path, _ in try await image(path, "0") },
        Trap(testDescription: "a header that is cut", word: "ends") { path, _ in
            try await image(path, "8M")
            try patch(path) { $0 = $0.prefix(60) }
        },
        Trap(testDescription: "tables that are cut", word: "cut short") { path, _ in
            try await image(path, "8M")
            try patch(path) { $0 = $0.prefix(70_000) }
        },
        Trap(testDescription: "data that is cut", word: "refused") { path, _ in
            try await image(path, "8M")
            _ = try await run("qemu-io", "-f", "qcow2", "-c", "write -P 7 0 8M", path)
            try patch(path) { $0 = $0.prefix($0.count / 2) }
        },
        Trap(testDescription: "a header extension of 4 GiB", word: "extension") { path, _ in
            try await image(path, "8M")
            try patch(path) { $0.replace(108 + 8, UInt32.max) }
        },
        Trap(testDescription: "features from the future", word: "features") { path, _ in
            try await image(path, "8M")
            try patch(path) { $0.replace(72, UInt64(1) << 17) }
        },
        Trap(testDescription: "a mark of damage", word: "corrupt") { path, _ in
            try await image(path, "8M")
            try patch(path) { $0.replace(72, UInt64(2)) }
        },
        Trap(testDescription: "a table of 32 GiB", word: "table") { path, _ in
            try await image(path, "8M")
            try patch(path) { $0.replace(36, UInt32.max) }
        },
        Trap(testDescription: "clusters that overlap its own tables", word: "damaged") { path, _ in
            try await image(path, "8M")
            _ = try await run("qemu-io", "-f", "qcow2", "-c", "write -P 7 0 64k", path)
            try patch(path) { data in
                // The first entry of the L2 table, to which the first of the L1 table points, now means the header.
                let l1 = Int(BigEndianReader(data).uint64(40) ?? 0)
                let l2 = Int((BigEndianReader(data).uint64(l1) ?? 0) & 0x00FF_FFFF_FFFF_FE00)
                data.replace(l2, UInt64(1) << 63 | 65_536)
            }
        },
        Trap(testDescription: "nothing", word: "empty") { path, _ in try Data().write(to: URL(fileURLWithPath: path)) },
        Trap(testDescription: "zeros", word: "does not begin") { path, _ in
            try Data(count: 1 << 20).write(to: URL(fileURLWithPath: path))
        },
    ]

    private static func image(_ path: String, _ arguments: String...) async throws {
        let size = arguments.last ?? ""
        try await run("qemu-img", ["create", "-q", "-f", "qcow2"] + arguments.dropLast() + [path, size])
    }

    private static func run(_ program: String, _ arguments: String...) async throws {
        try await run(program, arguments)
    }

    private static func run(_ program: String, _ arguments: [String]) async throws {
        let done = try await ChildProcess.run(Spawn(program, arguments), timeout: Shared.limit)
        try #require(done.status.isSuccess, "\(done.errorsText)")
    }

    private static func patch(_ path: String, _ change: (inout Data) -> Void) throws {
        var data = try Data(contentsOf: URL(fileURLWithPath: path))
        change(&data)
        // Indices from 0 again, whatever was cut.
        try Data(data).write(to: URL(fileURLWithPath: path))
    }
}

extension Data {
    fileprivate mutating func replace(_ offset: Int, _ value: some FixedWidthInteger) {
        var bytes = Data()
        bytes.appendBigEndian(value)
        replaceSubrange(offset..<offset + bytes.count, with: bytes)
    }
}

@Suite("Strangers' images")
struct ForeignImageTests {
    @Test("are refused with a reason, and leave nothing", arguments: Trap.all)
    fileprivate func refusal(_ trap: Trap) async throws {
        try await withGround { ground in
            let secret = "\(ground.directory)/secret"
            try Data(repeating: 42, count: 8 << 20).write(to: URL(fileURLWithPath: secret))
            let path = "\(ground.directory)/image"
            try await trap.make(path, secret)
            let layer = LayerID.random()
            let calls: [() async throws -> Void] = [
                { _ = try await ground.store.inspectImage(at: path, format: .qcow2) },
                { try await ground.store.importImage(at: path, format: .qcow2, to: layer) { _, _ in } },
            ]
            for call in calls {
                let fault = await #expect(throws: BlockStoreFault.self) { try await call() }
                #expect(fault?.code == .badImage)
                #expect(fault?.outcome == .notDone)
                #expect(fault?.message.contains(trap.word) == true, "\(String(describing: fault))")
            }
            let found = try await ground.store.inventory()
            #expect(found.layers.isEmpty && found.unknown.isEmpty)
            // Neither read, nor written by an option of the image.
            let isKept = try Data(contentsOf: URL(fileURLWithPath: secret)) == Data(repeating: 42, count: 8 << 20)
            #expect(isKept)
        }
    }

    @Test("are taken as they are when raw, whatever they look like")
    func rawIsRaw() async throws {
        try await withGround { ground in
            let path = "\(ground.directory)/image"
            _ = try await ChildProcess.run(
                Spawn("qemu-img", ["create", "-q", "-f", "qcow2", "-u", "-b", "/etc/passwd", "-F", "raw", path, "8M"]),
                timeout: Shared.limit
            )
            let layer = LayerID.random()
            try await ground.store.importImage(at: path, format: .raw, to: layer) { _, _ in }
            let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
            var model = DiskModel(bytes: bytes)
            model.grow(to: model.size.rounded(upTo: 512))
            let content = try await ground.read(layer)
            let difference = content.firstDifference(from: model)
            #expect(difference == nil)
        }
    }

    @Test(
        "may be compressed, of old versions, or hold snapshots of their own: what they show is imported",
        arguments: [
            ["-c"], ["-c", "-o", "compression_type=zstd"], ["-o", "compat=0.10"], ["-o", "extended_l2=on"],
            ["-o", "cluster_size=2M"], ["-o", "cluster_size=512"], [],
        ]
    )
    func variants(_ options: [String]) async throws {
        try await withGround { ground in
            let fills = [Fill(5, 100_000..<3_000_000), Fill(6, 8_000_000..<8_388_608)]
            let source = LayerID.random()
            try await ground.store.createLayer(source, size: .mebibytes(8))
            try await ground.write(fills, to: source)
            let path = "\(ground.directory)/image"
            let convert = ["convert", "-O", "qcow2"] + options + [ground.file(of: source), path]
            for arguments in [convert, ["snapshot", "-c", "own", path]] {
                let done = try await ChildProcess.run(Spawn("qemu-img", arguments), timeout: Shared.limit)
                try #require(done.status.isSuccess, "\(done.errorsText)")
            }
            let layer = LayerID.random()
            let facts = try await ground.store.inspectImage(at: path, format: .qcow2)
            #expect(facts.size == .mebibytes(8))
            try await ground.store.importImage(at: path, format: .qcow2, to: layer) { _, _ in }
            let content = try await ground.read(layer)
            let difference = content.firstDifference(from: DiskModel(size: .mebibytes(8), fills))
            #expect(difference == nil)
            let stored = try await ground.store.findLayer(layer)
            #expect(try #require(stored).allocated <= facts.needed)
            let description = try await Shared.images.inspect(ground.file(of: layer), format: .qcow2)
            #expect(description.clusterSizeBytes == BlankLayer.clusterSize)
            #expect(description.internalSnapshotCount == 0)
        }
    }
}

@Suite("Damage in a pool")
struct DamageTests {
    @Test("is reported as such, and kept apart from honest layers")
    func damage() async throws {
        try await withGround { ground in
            let (honest, cut, stray) = (LayerID.random(), LayerID.random(), LayerID.random())
            for layer in [honest, cut, stray] { try await ground.store.createLayer(layer, size: .mebibytes(4)) }
            try Data(count: 100).write(to: URL(fileURLWithPath: ground.file(of: cut)))
            let done = try await ChildProcess.run(
                Spawn(
                    "qemu-img",
                    ["rebase", "-u", "-f", "qcow2", "-b", "/etc/passwd", "-F", "raw", ground.file(of: stray)]
                ),
                timeout: Shared.limit
            )
            try #require(done.status.isSuccess, "\(done.errorsText)")
            let inventory = try await ground.store.inventory()
            #expect(inventory.layers.map(\.id) == [honest])
            #expect(Set(inventory.unknown.map(\.name)) == ["\(cut).qcow2", "\(stray).qcow2"])
            for layer in [cut, stray] {
                let fault = await #expect(throws: BlockStoreFault.self) { try await ground.store.findLayer(layer) }
                #expect(fault?.code == .damaged)
                await #expect(throws: BlockStoreFault.self) { try await ground.store.diskSource(for: [layer]) }
                await #expect(throws: BlockStoreFault.self) {
                    try await ground.store.createLayer(.random(), on: layer, size: .mebibytes(4), through: nil)
                }
            }
            for item in inventory.unknown {
                let place = try await ground.store.quarantine(item)
                #expect(FileManager.default.fileExists(atPath: place))
            }
        }
    }

    @Test("in the shared folder for sockets is noticed")
    func stolenRuntimeFolder() async throws {
        try await withTemporaryDirectory { directory in
            let long = String(repeating: "x", count: 100)
            let folder = RuntimeFolder(preferred: "\(directory)/\(long)", fallback: directory)
            try folder.make()
            try folder.make()
            try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: folder.path)
            #expect(throws: BlockStoreFault.self) { try folder.make() }
            try FileManager.default.removeItem(atPath: folder.path)
            try FileManager.default.createSymbolicLink(atPath: folder.path, withDestinationPath: directory)
            #expect(throws: BlockStoreFault.self) { try folder.make() }
        }
    }

    @Test("is named when a layer that others stand on is gone")
    func missing() async throws {
        try await withGround { ground in
            let (base, layer) = (LayerID.random(), LayerID.random())
            try await ground.store.createLayer(base, size: .mebibytes(4))
            try await ground.store.createLayer(layer, on: base, size: .mebibytes(4), through: nil)
            try FileManager.default.removeItem(atPath: ground.file(of: base))
            let fault = await #expect(throws: BlockStoreFault.self) { try await ground.store.diskSource(for: [layer]) }
            #expect(fault?.code == .damaged)
            #expect(fault?.message.contains("\(base)") == true)
            try await ground.store.deleteLayer(layer)
        }
    }

    @Test(
        "is no excuse to set things aside outside of the pool",
        arguments: ["../x", "", ".", "..", "a/b", "/etc/passwd"]
    )
    func names(_ name: String) async throws {
        try await withGround { ground in
            let item = UnknownItem(name: name, allocated: .zero, reason: "a test")
            let fault = await #expect(throws: BlockStoreFault.self) { try await ground.store.quarantine(item) }
            #expect(fault?.code == .notFound)
        }
    }

    @Test("are not blamed for a program that is missing", arguments: [true, false])
    func missingProgram(_ isConfined: Bool) async throws {
        let limits = Confinement(processorSeconds: 60, addressSpaceBytes: 4 << 30, fileSizeBytes: 1 << 20)
        let pool = BlockingPool(name: "missing", width: 1)
        let tool = ImageTool(program: "no-such-program", confinement: isConfined ? limits : nil, pool: pool)
        let failure = await #expect(throws: PlatformFault.self) {
            try await tool.measure(.file("/dev/null", .raw), as: .qcow2)
        }
        let fault = BlockStoreFault(try #require(failure), trying: "examine an image")
        #expect(fault.code == .unavailable, "\(fault)")
        #expect(fault.message.contains("instanta doctor"))
    }
}
