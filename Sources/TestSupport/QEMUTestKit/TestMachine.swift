import Foundation
import Glibc
import NIOPosix
package import Platform
package import QEMU
package import SnapshotDomain
package import SnapshotPorts
import Synchronization
package import TestKit

/// A real QEMU with real disks and no guest: its processors never run, and the test writes through the disks' devices in
/// the guest's place.
package final class TestMachine: ContractMachine {
    /// Which layer of a pool a handle of the machine leads to.
    ///
    /// Where a node is a layer, the node's own name says it, so that a store is not asked about itself.
    package struct Reading: Sendable {
        let written: @Sendable (DiskHandle) async throws -> LayerID?
        let open: @Sendable (Set<DiskHandle>) async throws -> Set<LayerID>

        package static let nodeNames = Reading(
            written: { $0.layer?.layer },
            open: { Set($0.compactMap { $0.layer?.layer }) }
        )

        /// For a store whose layers change behind one node.
        package static func store(_ store: any BlockStore) -> Reading {
            Reading(
                written: { try await store.writtenLayer(through: $0) },
                open: { try await store.openLayers(through: $0) }
            )
        }
    }

    private static let slots = 4
    private static let pool = BlockingPool(name: "test-machines", width: 2)

    package let process: ChildProcess
    private let connection: Mutex<QMPClient>
    private let directory: String
    /// What `qemu-io` prints: it knows no monitor.
    private let output: String
    private let instance = InstanceID.random()
    private let diskCount = Mutex(0)
    private let reading: Reading
    /// How long it may take to listen, and to end.
    private let limit: Duration

    package init(directory: String, reading: Reading, limit: Duration) async throws {
        self.reading = reading
        self.limit = limit
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        self.directory = directory
        let socket = "\(directory)/qmp"
        let ports = (0..<Self.slots).flatMap { ["-device", "pcie-root-port,id=port\($0),chassis=\($0 + 1)"] }
        output = "\(directory)/output"
        process = try await ChildProcess.start(
            Spawn(
                // By lines, so that what a command says is in the file when the monitor answers.
                "stdbuf",
                [
                    "-oL", "qemu-system-x86_64", "-machine", "q35", "-accel", "tcg", "-m", "16", "-nodefaults",
                    "-no-user-config", "-display",
                    "none",
                    "-S", "-qmp", "unix:\(socket),server=on,wait=off",
                ] + ports,
                output: .file(output),
                endsWithParent: true
            )
        )
        connection = Mutex(try await Self.connect(socket, process, limit))
    }

    package var client: QMPClient { connection.withLock { $0 } }

    /// Connects anew, as a service does after its restart.
    package func reconnect() async throws {
        client.close()
        let fresh = try await Self.connect("\(directory)/qmp", process, limit)
        connection.withLock { $0 = fresh }
    }

    private static func connect(
        _ socket: String,
        _ process: ChildProcess,
        _ limit: Duration
    ) async throws -> QMPClient {
        let deadline = ContinuousClock.now + limit
        while true {
            do {
                return try await QMPClient.connect(socket, group: MultiThreadedEventLoopGroup.singleton)
            } catch {
                guard [.unreachable, .timedOut].contains(error.code), ContinuousClock.now < deadline,
                    process.status == nil
                else {
                    process.signal(SIGKILL)
                    throw error
                }
                await Task.yield()
            }
        }
    }

    /// Opens layers as disks, and ends the machine after the body: in good order, or as a crash would when the body failed.
    package func use(
        _ layers: [LayerID],
        of store: any BlockStore,
        _ body: (TestMachine) async throws -> Void
    ) async throws {
        do {
            for layer in layers { try await attach(try await store.diskSource(for: [layer])) }
            try await body(self)
        } catch {
            await kill()
            throw error
        }
        try await quit()
    }

    /// Ends it in good order: what its disks still hold is written.
    package func quit() async throws {
        do {
            try await client.execute("quit")
        } catch {
            // It may end before it answers.
        }
        let status = await process.wait(within: limit)
        await kill()
        guard status == .exited(0) else {
            throw BlockStoreContract.Broken(description: "the machine ended with \(String(describing: status))")
        }
    }

    /// Ends it as a crash would.
    package func kill() async {
        process.signal(SIGKILL)
        _ = await process.wait()
        client.close()
        try? FileManager.default.removeItem(atPath: directory)
    }

    package var channel: any LiveBlockChannel { QEMUBlockChannel(instance: instance, client: client) }

    /// Opens a disk as the hypervisor does: what an earlier disk has open is used by both.
    package func attach(_ source: DiskSource) async throws {
        guard let disk = try OpenableDisk(source) else {
            throw BlockStoreContract.Broken(description: "QEMU cannot open a disk of the kind '\(source.scheme)'")
        }
        let open = Set(try await openDisks().compactMap { $0.layer?.layer })
        for arguments in disk.blockdevArguments() {
            if let layer = arguments["node-name"]?.string.flatMap(LayerNode.layer(named:)), open.contains(layer) {
                continue
            }
            try await client.execute("blockdev-add", arguments)
        }
        let number = diskCount.withLock { count in
            defer { count += 1 }
            return count
        }
        try await client.execute(
            "device_add",
            [
                "driver": "virtio-blk-pci", "id": "disk\(number)", "bus": "port\(number)",
                "drive": .string(disk.topNode),
            ]
        )
    }

    package func write(_ fill: Fill, toDisk disk: Int) async throws {
        try await io(fill.command("write"), onDisk: disk)
    }

    package func expect(_ fill: Fill, onDisk disk: Int) async throws {
        try await io(fill.command("read"), onDisk: disk)
    }

    private func io(_ command: String, onDisk disk: Int) async throws {
        let before = try await said()
        let line = "qemu-io -d /machine/peripheral/disk\(disk)/virtio-backend \"\(command)\""
        let answer = try await client.execute("human-monitor-command", ["command-line": .string(line)])
        let text = (answer.string ?? "") + String(try await said().dropFirst(before.count))
        guard text.contains("bytes at offset"), !text.contains("failed"), !text.contains("error") else {
            throw BlockStoreContract.Broken(description: "'\(command)' on disk \(disk) says: \(text)")
        }
    }

    private func said() async throws -> String {
        let output = output
        return try await Self.pool.run { try String(contentsOfFile: output, encoding: .utf8) }
    }

    package func activeLayers() async throws -> [LayerID] {
        var layers: [LayerID] = []
        for handle in try await writtenDisks() {
            if let layer = try await reading.written(handle) { layers.append(layer) }
        }
        return layers
    }

    package func openLayers() async throws -> Set<LayerID> {
        try await reading.open(try await openDisks())
    }

    package func writtenDisks() async throws -> [DiskHandle] {
        let devices = try await client.execute("query-block")
        return (devices.array ?? []).compactMap { device in
            device["inserted"]?["node-name"]?.string.flatMap(DiskHandle.init(node:))
        }
    }

    package func openDisks() async throws -> Set<DiskHandle> {
        let nodes = try await client.execute("query-named-block-nodes", ["flat": true])
        return Set((nodes.array ?? []).compactMap { $0["node-name"]?.string.flatMap(DiskHandle.init(node:)) })
    }
}

extension Fill {
    /// What makes `qemu-io` write it, or read and compare it.
    package func command(_ verb: String) -> String {
        "\(verb) -P \(byte) \(range.lowerBound) \(range.count)"
    }
}
