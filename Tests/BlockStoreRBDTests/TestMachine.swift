import Foundation
import Glibc
import Platform
import QEMU
import SnapshotDomain
import SnapshotPorts
import Synchronization
import TestKit
import Testing

/// A real QEMU with real disks and no guest: its processors never run, and the test writes through the disks' devices in
/// the guest's place.
final class TestMachine: ContractMachine {
    private static let slots = 4

    let process: ChildProcess
    private let connection: Mutex<QMPClient>
    private let directory: String
    /// What `qemu-io` prints: it knows no monitor.
    private let output: String
    private let instance = InstanceID.random()
    private let diskCount = Mutex(0)
    /// Says which layers the machine's disks are.
    private let store: any BlockStore

    init(directory: String, store: any BlockStore) async throws {
        self.store = store
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
        connection = Mutex(try await Self.connect(socket, process))
    }

    var client: QMPClient { connection.withLock { $0 } }

    /// Connects anew, as a service does after its restart.
    func reconnect() async throws {
        client.close()
        let fresh = try await Self.connect("\(directory)/qmp", process)
        connection.withLock { $0 = fresh }
    }

    private static func connect(_ socket: String, _ process: ChildProcess) async throws -> QMPClient {
        let deadline = ContinuousClock.now + Shared.limit
        while true {
            do {
                return try await QMPClient.connect(socket, group: Shared.group)
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

    /// Ends it in good order: what its disks still hold is written.
    func quit() async throws {
        do {
            try await client.execute("quit")
        } catch {
            // It may end before it answers.
        }
        let status = await process.wait(within: Shared.limit)
        await kill()
        try #require(status == .exited(0), "the machine ended with \(String(describing: status))")
    }

    /// Ends it as a crash would.
    func kill() async {
        process.signal(SIGKILL)
        _ = await process.wait()
        client.close()
        try? FileManager.default.removeItem(atPath: directory)
    }

    var channel: any LiveBlockChannel { QEMUBlockChannel(instance: instance, client: client) }

    /// Opens a disk as the hypervisor does.
    func attach(_ source: DiskSource) async throws {
        let disk = try #require(try source.rbdDisk())
        let number = diskCount.withLock { count in
            defer { count += 1 }
            return count
        }
        try await client.execute("blockdev-add", disk.blockdevArguments())
        try await client.execute(
            "device_add",
            [
                "driver": "virtio-blk-pci", "id": "disk\(number)", "bus": "port\(number)",
                "drive": .string(disk.nodeName),
            ]
        )
    }

    func write(_ fill: Fill, toDisk disk: Int) async throws {
        try await io(Ground.command("write", fill), onDisk: disk)
    }

    func expect(_ fill: Fill, onDisk disk: Int) async throws {
        try await io(Ground.command("read", fill), onDisk: disk)
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
        return try await Shared.pool.run { try String(contentsOfFile: output, encoding: .utf8) }
    }

    func activeLayers() async throws -> [LayerID] {
        var layers: [LayerID] = []
        for handle in try await writtenDisks() {
            if let layer = try await store.writtenLayer(through: handle) { layers.append(layer) }
        }
        return layers
    }

    func openLayers() async throws -> Set<LayerID> {
        try await store.openLayers(through: try await openDisks())
    }

    func writtenDisks() async throws -> [DiskHandle] {
        let devices = try await client.execute("query-block")
        return (devices.array ?? []).compactMap { device in
            device["inserted"]?["node-name"]?.string.flatMap(DiskHandle.init(node:))
        }
    }

    func openDisks() async throws -> Set<DiskHandle> {
        let nodes = try await client.execute("query-named-block-nodes", ["flat": true])
        return Set((nodes.array ?? []).compactMap { $0["node-name"]?.string.flatMap(DiskHandle.init(node:)) })
    }
}
