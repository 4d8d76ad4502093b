import Ceph
import Foundation
import Glibc
import Logging
import NIOPosix
import Platform
import QEMU
import QEMUTestKit
import SnapshotDomain
import SnapshotPorts
import Synchronization
import TestKit
import Testing

@testable import BlockStoreRBD

/// What tests of this target share.
enum Shared {
    static let group = MultiThreadedEventLoopGroup.singleton
    static let pool = BlockingPool(name: "tests", width: 4)
    static let limit = Duration.seconds(90)
    static let logger = Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() }
    static let cephPool = "volumes"

    /// Runs a program to its end, and fails with its words.
    @discardableResult
    static func run(_ program: String, _ arguments: [String]) async throws -> String {
        let done = try await ChildProcess.run(Spawn(program, arguments), timeout: limit)
        try #require(done.status.isSuccess, "\(program) \(arguments): \(done.errorsText)")
        return done.outputText
    }
}

/// One real cluster for all tests of a run. It ends with the process, however that ends.
actor TestCluster {
    static let shared = TestCluster()

    private let directory = "\(NSTemporaryDirectory())/instanta-ceph-\(getpid())".replacing("//", with: "/")
    private var started: Task<String, any Error>?

    private static var script: String {
        // Tests/BlockStoreRBDTests/Support.swift lies two folders below the scripts' neighbour.
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
            .appendingPathComponent("scripts/test-cluster").path
    }

    /// The path of the configuration file of the running cluster.
    func configuration() async throws -> String {
        if let started { return try await started.value }
        let task = Task { [directory] in try await Self.start(directory) }
        started = task
        return try await task.value
    }

    private static func start(_ directory: String) async throws -> String {
        let text = try await Shared.run(script, ["start", directory, "\(getpid())"])
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Ends a daemon as a crash would.
    func kill(_ daemon: String) async throws {
        try await Shared.run(Self.script, ["kill", directory, daemon])
    }

    /// Brings back what was killed.
    func revive() async throws {
        try await Shared.run(Self.script, ["start", directory])
    }

    func address() async throws -> ClusterAddress {
        ClusterAddress(configuration: try await configuration(), user: "volumes", pool: Shared.cephPool)
    }
}

/// Lends a new directory and removes it with all its content, also after a failure.
func withTemporaryDirectory<T>(_ body: (String) async throws -> T) async throws -> T {
    // Short: sockets live here, and their paths have at most 107 bytes.
    let path = "\(NSTemporaryDirectory())/ir-\(RandomName.make(length: 8))".replacing("//", with: "/")
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try await body(path)
}

/// Lends a store with names of its own in the shared pool, and checks afterwards that nothing half-made is left.
func withGround(
    patience: ClusterPatience = ClusterPatience(),
    reached: @escaping @Sendable (CrashPoint) throws -> Void = { _ in },
    _ body: (Ground) async throws -> Void
) async throws {
    try await withTemporaryDirectory { directory in
        let ground = try await Ground(directory: directory, patience: patience, reached: reached)
        do {
            try await body(ground)
        } catch {
            await ground.rbd.close()
            throw error
        }
        let images = try await ground.images()
        #expect(images.filter { $0.contains("-new.") } == [])
        await ground.rbd.close()
        let folders = try FileManager.default.contentsOfDirectory(atPath: "\(directory)/tmp")
        #expect(folders == [])
    }
}

/// A store on the shared cluster.
///
/// Contents are written and read by QEMU's own tools, and sizes are Ceph's.
final class Ground: BlockStoreGround {
    let directory: String
    let address: ClusterAddress
    let prefix = "t\(RandomName.make(length: 8))"
    private let patience: ClusterPatience
    private let reached: @Sendable (CrashPoint) throws -> Void
    private let current: Mutex<RBDBlockStore>

    init(
        directory: String,
        patience: ClusterPatience,
        reached: @escaping @Sendable (CrashPoint) throws -> Void
    ) async throws {
        self.directory = directory
        self.patience = patience
        self.reached = reached
        address = try await TestCluster.shared.address()
        current = Mutex(try await Self.open(address, prefix, directory, patience, reached))
    }

    private static func open(
        _ address: ClusterAddress,
        _ prefix: String,
        _ directory: String,
        _ patience: ClusterPatience,
        _ reached: @escaping @Sendable (CrashPoint) throws -> Void
    ) async throws -> RBDBlockStore {
        try await RBDBlockStore.open(
            pool: .local,
            at: address,
            prefix: prefix,
            temporary: "\(directory)/tmp",
            patience: patience,
            logger: Shared.logger,
            reached: reached
        )
    }

    var rbd: RBDBlockStore { current.withLock { $0 } }
    var store: any BlockStore { rbd }

    /// All images that bear our names.
    func images() async throws -> [String] {
        let text = try await Shared.run("rbd", ["-c", address.configuration, "--id", "volumes", "ls", address.pool])
        return text.split(separator: "\n").map(String.init).filter { $0.hasPrefix(prefix) }
    }

    private func source(of layer: LayerID, isWritten: Bool) async throws -> String {
        let (place, _) = try await rbd.whereabouts(of: layer)
        if isWritten { try #require(place.point == nil, "only what is on top is written") }
        var file: [String: JSONValue] = [
            "driver": "rbd", "pool": .string(address.pool), "image": .string(place.image),
            "conf": .string(address.configuration), "user": .string(address.user),
        ]
        if let point = place.point { file["snapshot"] = .string(point.name) }
        return "json:" + JSONValue.object(["driver": "raw", "file": .object(file)]).text
    }

    // MARK: The contract's ground

    func write(_ fills: [Fill], to layer: LayerID) async throws {
        let commands = fills.flatMap { ["-c", $0.command("write")] }
        try await Shared.run("qemu-io", commands + [try await source(of: layer, isWritten: true)])
    }

    func read(_ layer: LayerID) async throws -> DiskModel {
        let target = "\(directory)/content-\(RandomName.make())"
        defer { unlink(target) }
        try await Shared.run(
            "qemu-img",
            ["convert", "-U", "-O", "raw", try await source(of: layer, isWritten: false), target]
        )
        return DiskModel(bytes: try await Shared.pool.run { try Data(contentsOf: URL(fileURLWithPath: target)) })
    }

    func withMachine(writing layers: [LayerID], _ body: (any ContractMachine) async throws -> Void) async throws {
        try await withTestMachine(writing: layers) { try await body($0) }
    }

    func withTestMachine(writing layers: [LayerID], _ body: (TestMachine) async throws -> Void) async throws {
        try await makeMachine("vm-\(RandomName.make(length: 6))").use(layers, of: store, body)
    }

    func makeMachine(_ name: String) async throws -> TestMachine {
        try await TestMachine(directory: "\(directory)/\(name)", reading: .store(store), limit: Shared.limit)
    }

    func restart() async throws {
        await rbd.close()
        let store = try await Self.open(address, prefix, directory, patience, reached)
        current.withLock { $0 = store }
    }

    /// What Ceph's own program counts, image by image and snapshot by snapshot.
    func bytesOnDisk() async throws -> ByteCount {
        struct Usage: Decodable {
            struct Entry: Decodable { var usedSize: Int64 }
            var images: [Entry]
        }
        var sum: Int64 = 0
        for image in try await images() {
            let text = try await Shared.run(
                "rbd",
                [
                    "-c", address.configuration, "--id", "volumes", "du", "--exact", "--format", "json",
                    "\(address.pool)/\(image)",
                ]
            )
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            let usage = try decoder.decode(Usage.self, from: Data(text.utf8))
            sum += usage.images.reduce(0) { $0 + $1.usedSize }
        }
        return ByteCount(sum)
    }

    func litter(named name: String) async throws {
        try await Shared.run(
            "rbd",
            [
                "-c", address.configuration, "--id", "volumes", "create", "--size", "1M",
                "\(address.pool)/\(prefix).\(name)",
            ]
        )
    }

    func makeFile(_ stream: ImageStream) async throws -> String {
        var bytes = Data()
        for try await chunk in stream.chunks { bytes += chunk }
        #expect(ByteCount(Int64(bytes.count)) == stream.length)
        let path = "\(directory)/file-\(RandomName.make())"
        try await Shared.pool.run { [bytes] in try bytes.write(to: URL(fileURLWithPath: path)) }
        return path
    }
}
