import Foundation
import Platform
import Synchronization
import Testing

@testable import QEMU

@Suite("Block jobs, in a real storage daemon")
struct BlockJobTests {
    @Test("a chain opens with exactly the nodes that it names, and reads as it should")
    func chain() async throws {
        try await withStorageDaemon { daemon, directory in
            let fixture = try await ChainFixture.make(3, daemon, in: directory, seed: 1)
            #expect(try await fixture.nodeNames == ["l0", "f0", "l1", "f1", "l2", "f2"])
            for (layer, content) in zip(fixture.chain.layers, fixture.contents) {
                #expect(try await fixture.read(layer.nodeName) == content)
            }
            let copy = try JSONDecoder().decode(BlockChain.self, from: JSONEncoder().encode(fixture.chain))
            #expect(copy == fixture.chain)
        }
    }

    @Test("an overlay put on top by a snapshot keeps what is below")
    func snapshot() async throws {
        try await withStorageDaemon { daemon, directory in
            let fixture = try await ChainFixture.make(2, daemon, in: directory, seed: 2)
            let overlay = ChainFixture.layer(2, in: directory)
            let options = ["backing_file": "layer1.qcow2", "backing_fmt": "qcow2"]
            try await Shared.images.create(
                overlay.path,
                format: .qcow2,
                sizeBytes: ChainFixture.sizeBytes,
                options: options
            )
            try await fixture.client.execute(
                "blockdev-add",
                BlockChain.blockdevArguments(overlay, over: nil, isWritable: true)
            )
            try await fixture.client.execute("blockdev-snapshot", ["node": "l1", "overlay": "l2"])
            try await daemon.withExport(node: "l2", writable: true) { disk in
                #expect(try await disk.read(offset: 0, length: Int(disk.sizeBytes)) == fixture.contents[1])
                try await disk.write(Data(repeating: 7, count: 1000), at: 0)
            }
            #expect(try await fixture.read("l1") == fixture.contents[1])
            let header = try await Shared.images.inspect(overlay.path, format: .qcow2)
            #expect(header.backingFile == "layer1.qcow2")
        }
    }

    @Test("merging a layer into the one below keeps what is above, and writes the name it was given")
    func commit() async throws {
        try await withStorageDaemon { daemon, directory in
            let fixture = try await ChainFixture.make(4, daemon, in: directory, seed: 3)
            let seen = Progress()
            try await BlockJob(id: "merge", on: fixture.client).run(
                .commit(root: "l3", top: "l2", base: "l1", backingFile: "layer1.qcow2")
            ) { seen.note($0) }
            #expect(try await fixture.read("l3") == fixture.contents[3])
            #expect(try await fixture.read("l1") == fixture.contents[2])
            let header = try await Shared.images.inspect(fixture.chain.layers[3].path, format: .qcow2)
            #expect(header.backingFile == "layer1.qcow2")
            #expect(seen.isOrderly)
            #expect(try await fixture.client.execute("query-jobs") == [])
        }
    }

    @Test("merging the active layer makes the base the active one")
    func commitActive() async throws {
        try await withStorageDaemon { daemon, directory in
            let fixture = try await ChainFixture.make(3, daemon, in: directory, seed: 4)
            try await BlockJob(id: "merge", on: fixture.client).run(.commitActive(root: "l2", base: "l0"))
            #expect(try await fixture.read("l0") == fixture.contents[2])
        }
    }

    @Test("streaming makes a layer independent, or leaves it a base", arguments: [nil, 0])
    func stream(_ base: Int?) async throws {
        try await withStorageDaemon { daemon, directory in
            let fixture = try await ChainFixture.make(3, daemon, in: directory, seed: 5, extendedL2: false)
            let target = base.map { (node: "l\($0)", backingFile: "layer\($0).qcow2") }
            try await BlockJob(id: "flatten", on: fixture.client).run(.stream(node: "l2", base: target))
            #expect(try await fixture.read("l2") == fixture.contents[2])
            let header = try await Shared.images.inspect(fixture.chain.layers[2].path, format: .qcow2)
            #expect(header.backingFile == target?.backingFile)
        }
    }

    @Test("streaming into extended L2 entries works, or is refused where it would end the program")
    func streamExtended() async throws {
        try await withStorageDaemon { daemon, directory in
            let fixture = try await ChainFixture.make(2, daemon, in: directory, seed: 17)
            let job = BlockJob(id: "flatten", on: fixture.client)
            if fixture.client.version.compare("8.2", options: .numeric) == .orderedAscending {
                let fault = try await fault { try await job.run(.stream(node: "l1", base: nil)) }
                #expect(fault.code == .unsupported)
                #expect(fault.outcome == .notDone)
            } else {
                try await job.run(.stream(node: "l1", base: nil))
            }
            #expect(try await fixture.read("l1") == fixture.contents[1])
        }
    }

    @Test("copies into a new image, once and following", arguments: [false, true])
    func copy(_ follows: Bool) async throws {
        try await withStorageDaemon { daemon, directory in
            let fixture = try await ChainFixture.make(2, daemon, in: directory, seed: 6)
            let path = "\(directory)/copy.qcow2"
            try await Shared.images.create(path, format: .qcow2, sizeBytes: ChainFixture.sizeBytes)
            let layer = BlockChainLayer(nodeName: "copy", path: path, fileNodeName: "copy-file")
            try await fixture.client.execute(
                "blockdev-add",
                BlockChain.blockdevArguments(layer, over: nil, isWritable: true)
            )
            let command: BlockJobCommand =
                follows ? .mirror(source: "l1", target: "copy") : .backup(source: "l1", target: "copy")
            try await BlockJob(id: "copy", on: fixture.client).run(command)
            #expect(try await fixture.read("copy") == fixture.contents[1])
        }
    }

    @Test("creates and formats an image")
    func create() async throws {
        try await withStorageDaemon { daemon, directory in
            let client = try await daemon.client()
            let path = "\(directory)/new.qcow2"
            try await BlockJob(id: "create", on: client).run(
                .create(["driver": "file", "filename": .string(path), "size": 0])
            )
            try await client.execute(
                "blockdev-add",
                ["driver": "file", "node-name": "file", "filename": .string(path)]
            )
            try await BlockJob(id: "format", on: client).run(
                .create(["driver": "qcow2", "file": "file", "size": .integer(1 << 30)])
            )
            try await client.execute("blockdev-del", ["node-name": "file"])
            #expect(try await Shared.images.inspect(path, format: .qcow2).virtualSizeBytes == 1 << 30)
            #expect(try await client.execute("query-jobs") == [])
        }
    }

    @Test("a job that cannot start is refused and leaves nothing")
    func refused() async throws {
        try await withStorageDaemon { daemon, _ in
            let client = try await daemon.client()
            let job = BlockJob(id: "odd", on: client)
            let fault = try await fault { try await job.run(.stream(node: "none", base: nil)) }
            #expect(fault.code == .refused("GenericError"))
            #expect(fault.outcome == .notDone)
            #expect(try await client.execute("query-jobs") == [])
        }
    }

    @Test("a job that fails tells why, and is forgotten")
    func failed() async throws {
        try await withStorageDaemon { daemon, directory in
            let fixture = try await ChainFixture.make(1, daemon, in: directory, seed: 7)
            try await fixture.client.execute(
                "blockdev-add",
                [
                    "driver": "blkdebug", "node-name": "broken",
                    "image": ["driver": "null-co", "size": .integer(ChainFixture.sizeBytes)],
                    "inject-error": [["event": "none", "iotype": "write", "errno": 5]],
                ]
            )
            let job = BlockJob(id: "copy", on: fixture.client)
            let fault = try await fault { try await job.run(.backup(source: "l0", target: "broken")) }
            #expect(fault.code == .jobFailed)
            #expect(fault.outcome == .unknown)
            #expect(fault.message == "the job copy (blockdev-backup) failed: Input/output error")
            #expect(try await fixture.client.execute("query-jobs") == [])
        }
    }

    /// Copies with one block at a time and long pauses.
    private func slowCopy(_ fixture: ChainFixture) async throws -> BlockJobCommand {
        try await fixture.client.execute(
            "blockdev-add",
            ["driver": "null-co", "node-name": "sink", "size": .integer(ChainFixture.sizeBytes)]
        )
        return BlockJobCommand(
            "blockdev-backup",
            ["device": "l0", "target": "sink", "sync": "full", "speed": 1]
        )
    }

    @Test("cancelling the task cancels the job and waits until it is gone")
    func cancelled() async throws {
        try await withStorageDaemon { daemon, directory in
            let fixture = try await ChainFixture.make(1, daemon, in: directory, seed: 8)
            let command = try await slowCopy(fixture)
            let started = Eventual<Void>()
            let task = Task {
                try await BlockJob(id: "slow", on: fixture.client).run(command) { _ in started.settle(()) }
            }
            await started.value()
            task.cancel()
            let fault = try await fault { try await task.value }
            #expect(fault.code == .cancelled)
            #expect(try await fixture.client.execute("query-jobs") == [])
            try await fixture.client.execute("blockdev-del", ["node-name": "sink"])
        }
    }

    @Test("running a job again joins the one that runs already")
    func joins() async throws {
        try await withStorageDaemon { daemon, directory in
            let fixture = try await ChainFixture.make(1, daemon, in: directory, seed: 9)
            let command = try await slowCopy(fixture)
            var arguments = command.arguments
            arguments["job-id"] = "slow"
            arguments["auto-dismiss"] = false
            // As an earlier run of the program did, which did not live to see the end.
            try await fixture.client.execute(command.name, arguments)
            let joined = Eventual<Void>()
            let task = Task {
                try await BlockJob(id: "slow", on: fixture.client).run(command) { _ in joined.settle(()) }
            }
            await joined.value()
            #expect(try await fixture.client.execute("query-jobs").array?.count == 1)
            try await fixture.client.execute("block-job-set-speed", ["device": "slow", "speed": 0])
            try await task.value
            #expect(try await fixture.client.execute("query-jobs") == [])
        }
    }

    @Test("a daemon that dies during a job leaves its outcome unknown")
    func daemonDies() async throws {
        try await withStorageDaemon { daemon, directory in
            let fixture = try await ChainFixture.make(1, daemon, in: directory, seed: 10)
            let command = try await slowCopy(fixture)
            let started = Eventual<Void>()
            let task = Task {
                try await BlockJob(id: "slow", on: fixture.client).run(command) { _ in started.settle(()) }
            }
            await started.value()
            kill(try #require(await daemon.pid), SIGKILL)
            let fault = try await fault { try await task.value }
            #expect(fault.code == .closed)
            #expect(fault.outcome == .unknown)
        }
    }

    /// What a job reported.
    private final class Progress: Sendable {
        private let reports = Mutex<[BlockJobProgress]>([])

        func note(_ progress: BlockJobProgress) {
            reports.withLock { $0.append(progress) }
        }

        var isOrderly: Bool {
            let done = reports.withLock { $0 }.map(\.doneBytes)
            return !done.isEmpty && done == done.sorted()
        }
    }
}
