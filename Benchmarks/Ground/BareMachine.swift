import Foundation
import HypervisorQEMU
import NIOPosix
import Platform
import QEMU
import SnapshotDomain
import SnapshotPorts

/// A machine like the service's, whose disks are driven by bare QMP commands.
///
/// It is started by the same command line and from the same image, with a root disk and a data disk of 1 GiB. Its monitor
/// is the second one that every machine has.
final class BareMachine: Sendable {
    let folder: String
    private let hypervisor: QEMUHypervisor
    private let instance: InstanceID
    private let client: QMPClient
    private let overlays: BareOverlays
    private let thread = BlockingPool(name: "bare", width: 1)
    private let active: Active
    private let log: DurableLog

    /// The layer that the data disk writes now.
    private actor Active {
        var layer: LayerID

        init(_ layer: LayerID) { self.layer = layer }

        func replace(with next: LayerID) { layer = next }
    }

    /// Boots one in a folder of its own, with a short path, from a copy of the layer that the service's machine stands on.
    init(folder: String, image: String) async throws {
        let overlays = try await BareOverlays(folder: "\(folder)/layers", gibibytes: 1)
        self.overlays = overlays
        log = try DurableLog("\(folder)/log")
        let base = LayerID.random()
        try FileManager.default.copyItem(atPath: image, toPath: overlays.path(base))
        let (root, blank, data) = (LayerID.random(), LayerID.random(), LayerID.random())
        try await Self.image([
            "create", "-q", "-f", "qcow2", "-b", overlays.path(base), "-F", "qcow2", overlays.path(root),
        ])
        try await Self.image(["create", "-q", "-f", "qcow2", "-o", "cluster_size=16k", overlays.path(blank), "1G"])
        try overlays.make(data, on: blank)
        hypervisor = try await QEMUHypervisor(
            configuration: HypervisorConfiguration(dataDirectory: folder, guestGuard: ["/bin/false"]),
            group: MultiThreadedEventLoopGroup.singleton,
            logger: Bench.silence
        )
        let id = InstanceID.random()
        instance = id
        try await hypervisor.start(
            MachineDescription(
                id: id,
                name: try ResourceName("bare01"),
                cpuCount: 1,
                memory: .mebibytes(256),
                macAddress: "52:54:00:12:34:56",
                network: .user,
                disks: [
                    MachineDisk(slot: 0, volume: .random(), source: try overlays.source([base, root])),
                    MachineDisk(slot: 1, volume: .random(), source: try overlays.source([blank, data])),
                ]
            )
        )
        self.folder = "\(folder)/machines/\(id)"
        active = Active(data)
        do {
            client = try await QMPClient.connect(
                "\(self.folder)/qmp-spare",
                group: MultiThreadedEventLoopGroup.singleton
            )
        } catch {
            try? await hypervisor.stop(id, mode: .forced)
            throw error
        }
    }

    func waitForHeartbeat() async throws {
        for _ in 0..<1_200 {
            if Heartbeats(console: "\(folder)/console.log", counter: "root").count > 2 { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw BenchFault("the bare machine does not come up")
    }

    /// Takes a snapshot of the data disk: a durable overlay, `blockdev-add`, `transaction`.
    ///
    /// Unless told otherwise it also writes its intent and its outcome to a log, each with an fsync, as anyone must who wants to
    /// know after a crash what became of it.
    func takeSnapshot(isRecorded: Bool = true) async throws -> Duration {
        let (old, new) = (await active.layer, LayerID.random())
        let start = ContinuousClock.now
        try await thread.run { [overlays, log] in
            if isRecorded { try log.append(4_096) }
            try overlays.make(new, on: old)
        }
        try await client.execute(
            "blockdev-add",
            BlockChain.blockdevArguments(overlays.node(new), over: nil, isWritable: true)
        )
        let nodes: JSONValue = ["node": .string(LayerNode(old).name), "overlay": .string(LayerNode(new).name)]
        try await client.execute("transaction", ["actions": [["type": "blockdev-snapshot", "data": nodes]]])
        if isRecorded { try await thread.run { [log] in try log.append(4_096) } }
        let time = ContinuousClock.now - start
        await active.replace(with: new)
        return time
    }

    /// Switches the machine off.
    func stop() async {
        client.close()
        try? await hypervisor.stop(instance, mode: .forced)
        await hypervisor.disconnect()
    }

    private static func image(_ words: [String]) async throws {
        let run = try await ChildProcess.run(Spawn("qemu-img", words), timeout: .seconds(60))
        guard run.status.isSuccess else { throw BenchFault("qemu-img: \(run.errorsText)") }
    }
}
