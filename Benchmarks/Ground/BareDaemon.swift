import Foundation
import NIOPosix
import Platform
import QEMU
import SnapshotDomain

/// Overlays made by QEMU's own means: `blockdev-create` in a storage daemon that is already running.
struct BareDaemon: Sendable {
    private let daemon: StorageDaemon
    private let folder: String
    private let thread = BlockingPool(name: "bare-daemon", width: 1)

    init(folder: String) {
        self.folder = folder
        daemon = StorageDaemon(
            directory: "\(folder)/daemon",
            group: MultiThreadedEventLoopGroup.singleton,
            pool: thread,
            logger: Bench.silence
        )
    }

    /// Makes a durable overlay on a layer of which only the name matters.
    func makeOverlay(gibibytes: Int64) async throws -> Duration {
        let client = try await daemon.client()
        let layer = LayerID.random()
        let path = "\(folder)/\(layer).qcow2"
        let node = LayerNode(layer).fileName
        let start = ContinuousClock.now
        let job = BlockJob(id: "create", on: client)
        try await job.run(.create(["driver": "file", "filename": .string(path), "size": 0]))
        try await client.execute(
            "blockdev-add",
            ["driver": "file", "node-name": .string(node), "filename": .string(path)]
        )
        try await job.run(
            .create([
                "driver": "qcow2", "file": .string(node), "size": .integer(gibibytes << 30), "cluster-size": 16384,
                "backing-file": .string("\(LayerID.random()).qcow2"), "backing-fmt": "qcow2",
            ])
        )
        try await client.execute("blockdev-del", ["node-name": .string(node)])
        try await thread.run { [folder] in
            try DurableFile.sync(file: path)
            try DurableFile.sync(directory: folder)
        }
        return ContinuousClock.now - start
    }

    func stop() async {
        await daemon.shutdown()
    }
}
