import Foundation
import Glibc
import Logging
import NIOPosix
import Platform
import QEMU
import SnapshotDomain
import SnapshotPorts
import Synchronization
import TestKit
import Testing

@testable import HypervisorQEMU

/// What tests of this target share.
enum Shared {
    static let group = MultiThreadedEventLoopGroup.singleton
    static let limit = Duration.seconds(60)

    static var logger: Logger {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }

    /// The shipped program, which runs the guard of a freeze.
    ///
    /// Built beside the tests.
    static let executable: String = {
        let environment = ProcessInfo.processInfo.environment
        if let named = environment["INSTANTA_EXECUTABLE"] { return named }
        let tests = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return (tests as NSString).deletingLastPathComponent + "/instanta"
    }()

    static let guardCommand = [executable, "guest-guard"]

    /// What was found out about KVM, as the cache keeps it.
    ///
    /// Finding out takes a second, too long for every test.
    static let verdict = Mutex<Data?>(nil)
}

/// Lends a new directory and removes it with all its content, also after a failure.
func withTemporaryDirectory<T>(deep: Bool = false, _ body: (String) async throws -> T) async throws -> T {
    let path = "\(NSTemporaryDirectory())/ih-\(RandomName.make(length: 8))".replacing("//", with: "/")
    let inner = deep ? "\(path)/\(String(repeating: "deep/", count: 20))end" : path
    try FileManager.default.createDirectory(atPath: inner, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try await body(inner)
}

/// Gives others their turn until something is so.
func until(_ what: Comment, within limit: Duration = Shared.limit, _ isSo: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !isSo() {
        try #require(ContinuousClock.now < deadline, what)
        try await Task.sleep(for: .milliseconds(5))
    }
}

/// The fault that `body` must throw.
func fault(_ body: () async throws -> Void) async throws -> HypervisorFault {
    let error = await #expect(throws: HypervisorFault.self) { try await body() }
    return try #require(error)
}

/// Layers as qcow2 files in a folder, made by `qemu-img`.
struct TestDisks: Sendable {
    let folder: String

    func path(_ layer: LayerID) -> String { "\(folder)/\(layer).qcow2" }

    /// Makes a layer, blank or on another file.
    func makeLayer(on backing: String? = nil, size: String = "64M") async throws -> LayerID {
        let layer = LayerID.random()
        let base = backing.map { ["-b", $0, "-F", "qcow2"] } ?? []
        let arguments = ["create", "-q", "-f", "qcow2"] + base + [path(layer)] + (backing == nil ? [size] : [])
        let made = try await ChildProcess.run(Spawn("qemu-img", arguments), timeout: Shared.limit)
        try #require(made.status.isSuccess, "qemu-img: \(made.errorsText)")
        return layer
    }

    /// Describes a disk of the given layers, the active one first.
    func disk(slot: Int, layers: [LayerID]) throws -> MachineDisk {
        let chain = BlockChain(
            layers.reversed().map { layer in
                let node = LayerNode(layer)
                return BlockChainLayer(nodeName: node.name, path: path(layer), fileNodeName: node.fileName)
            }
        )
        return MachineDisk(slot: slot, volume: .random(), source: try DiskSource(chain))
    }
}

/// A hypervisor in a directory of its own.
actor QEMUGround: HypervisorGround {
    let directory: String
    nonisolated let disks: TestDisks
    private let configuration: HypervisorConfiguration
    private var current: QEMUHypervisor
    private var running: Task<Void, Never>

    init(directory: String, change: @Sendable (inout HypervisorConfiguration) -> Void = { _ in }) async throws {
        self.directory = directory
        disks = TestDisks(folder: directory)
        var configuration = HypervisorConfiguration(
            dataDirectory: "\(directory)/data",
            guestGuard: Shared.guardCommand,
            runtimeFolder: "\(NSTemporaryDirectory())/ih-sockets-\(RandomName.make(length: 8))"
        )
        // Nobody in a blank machine lets go of a disk, and no test shall wait long for that.
        configuration.limits.detach = .milliseconds(300)
        configuration.limits.factsAge = .zero
        change(&configuration)
        self.configuration = configuration
        if let verdict = Shared.verdict.withLock(\.self) {
            try FileManager.default.createDirectory(atPath: "\(directory)/data", withIntermediateDirectories: true)
            try verdict.write(to: URL(fileURLWithPath: configuration.acceleratorCache))
        }
        let hypervisor = try await Self.open(configuration)
        current = hypervisor
        running = Task { await hypervisor.run() }
    }

    private static func open(_ configuration: HypervisorConfiguration) async throws -> QEMUHypervisor {
        try await QEMUHypervisor(configuration: configuration, group: Shared.group, logger: Shared.logger)
    }

    var hypervisor: any Hypervisor { current }

    /// Stops what runs, whatever the test did.
    func close() async {
        for instance in (try? await current.inventory()) ?? [] {
            try? await current.stop(instance, mode: .forced)
            try? await folder(of: instance).findProcess()?.terminate(grace: .zero)
        }
        await letGo()
        if let verdict = FileManager.default.contents(atPath: configuration.acceleratorCache) {
            Shared.verdict.withLock { $0 = verdict }
        }
        try? FileManager.default.removeItem(atPath: configuration.runtimeFolder)
    }

    private func letGo() async {
        running.cancel()
        await running.value
        await current.disconnect()
    }

    func restart() async throws {
        _ = try await restart {}
    }

    /// Puts a new hypervisor in place of the present one, after `away`, when there is none.
    ///
    /// - Returns: The events of the new one from its first moment on.
    func restart(afterLettingGo away: @Sendable () async throws -> Void) async throws -> AsyncStream<MachineEvent> {
        await letGo()
        try await away()
        let hypervisor = try await Self.open(configuration)
        let events = await hypervisor.events()
        try await hypervisor.adopt()
        current = hypervisor
        running = Task { await hypervisor.run() }
        return events
    }

    nonisolated func folder(of instance: InstanceID) -> MachineFolder {
        MachineFolder(id: instance, machines: configuration.machines, sockets: configuration.machines)
    }

    func makeDisk(slot: Int, beside sibling: ContractDisk?) async throws -> ContractDisk {
        let base =
            if let shared = sibling?.handles.last?.layer?.layer { shared } else { try await disks.makeLayer() }
        let layers = [try await disks.makeLayer(on: disks.path(base)), base]
        return ContractDisk(
            disk: try disks.disk(slot: slot, layers: layers),
            handles: layers.map { DiskHandle(LayerNode($0)) }
        )
    }

    func makeBrokenDisk(slot: Int) throws -> MachineDisk {
        let layer = LayerID.random()
        try Data("no disk".utf8).write(to: URL(fileURLWithPath: disks.path(layer)))
        return try disks.disk(slot: slot, layers: [layer])
    }

    func crash(_ instance: InstanceID) async throws {
        let process = try #require(folder(of: instance).findProcess())
        try process.signal(SIGKILL)
        #expect(try await process.waitForExit(within: Shared.limit))
    }
}

/// Lends a hypervisor, and afterwards ends every machine of it.
func withGround<T: Sendable>(
    deep: Bool = false,
    change: @Sendable (inout HypervisorConfiguration) -> Void = { _ in },
    _ body: (QEMUGround) async throws -> T
) async throws -> T {
    try await withTemporaryDirectory(deep: deep) { directory in
        let ground = try await QEMUGround(directory: directory, change: change)
        let result: Result<T, any Error>
        do {
            result = .success(try await body(ground))
        } catch {
            result = .failure(error)
        }
        await shielded { await ground.close() }
        return try result.get()
    }
}

extension QEMUGround {
    nonisolated func describe(
        _ disks: [MachineDisk],
        network: NetworkMode = .isolated,
        name: String = "web 01"
    ) throws -> MachineDescription {
        MachineDescription(
            id: .random(),
            name: try ResourceName(name),
            cpuCount: 1,
            memory: .mebibytes(192),
            macAddress: "52:54:00:12:34:56",
            network: network,
            disks: disks
        )
    }
}

/// Tests with a real QEMU, one after the other: each takes most of a core.
@Suite("QEMU hypervisor", .serialized)
struct QEMUHypervisorTests {}
