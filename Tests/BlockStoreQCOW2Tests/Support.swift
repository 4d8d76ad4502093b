import BlockStoreQCOW2
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

/// What tests of this target share.
enum Shared {
    static let group = MultiThreadedEventLoopGroup.singleton
    static let pool = BlockingPool(name: "tests", width: 2)
    static let images = ImageTool(pool: pool)
    static let limit = Duration.seconds(60)
    /// Shows what happens at random: `INSTANTA_MODEL_SEED` repeats it.
    static let logger = Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() }
}

/// Lends a new directory and removes it with all its content, also after a failure.
func withTemporaryDirectory<T>(_ body: (String) async throws -> T) async throws -> T {
    // Short: sockets live here, and their paths have at most 107 bytes.
    let path = "\(NSTemporaryDirectory())/ib-\(RandomName.make(length: 8))".replacing("//", with: "/")
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try await body(path)
}

/// Lends a store in a new pool, and checks afterwards that no file was damaged and nothing left lying around.
func withGround(
    reached: @escaping @Sendable (CrashPoint) throws -> Void = { _ in },
    _ body: (Ground) async throws -> Void
) async throws {
    try await withTemporaryDirectory { directory in
        let ground = try await Ground(directory: directory, reached: reached)
        do {
            try await body(ground)
        } catch {
            await ground.qcow2.close()
            throw error
        }
        try await ground.expectSoundFiles()
        // The daemon of an export that was dropped ends behind the back of whoever dropped it.
        try await until("everything half-made is gone") { try ground.leftovers().isEmpty }
        await ground.qcow2.close()
        let folders = try FileManager.default.contentsOfDirectory(atPath: ground.temporaryFolder)
        #expect(folders == [])
    }
}

/// A qcow2 store in a folder of its own.
///
/// Contents are written and read by QEMU's own tools, which find what is below a layer by what its header says.
final class Ground: BlockStoreGround {
    let directory: String
    private let reached: @Sendable (CrashPoint) throws -> Void
    private let current: Mutex<QCOW2BlockStore>

    init(directory: String, reached: @escaping @Sendable (CrashPoint) throws -> Void) async throws {
        self.directory = directory
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        self.reached = reached
        current = Mutex(try await Self.open(directory, reached))
    }

    private static func open(
        _ directory: String,
        _ reached: @escaping @Sendable (CrashPoint) throws -> Void
    ) async throws -> QCOW2BlockStore {
        try await QCOW2BlockStore.open(
            pool: .local,
            at: "\(directory)/pool",
            quarantine: "\(directory)/quarantine",
            runtime: "\(directory)/run",
            group: Shared.group,
            logger: Shared.logger,
            reached: reached
        )
    }

    var qcow2: QCOW2BlockStore { current.withLock { $0 } }
    var store: any BlockStore { qcow2 }

    var layersFolder: String { "\(directory)/pool/layers" }
    var temporaryFolder: String { "\(directory)/pool/tmp" }

    func file(of layer: LayerID) -> String { "\(layersFolder)/\(layer).qcow2" }

    // MARK: The contract's ground

    func write(_ fills: [Fill], to layer: LayerID) async throws {
        let commands = fills.flatMap { ["-c", $0.command("write")] }
        let done = try await ChildProcess.run(
            Spawn("qemu-io", ["-f", "qcow2"] + commands + [file(of: layer)]),
            timeout: Shared.limit
        )
        try #require(done.status.isSuccess, "\(done.errorsText)")
    }

    func read(_ layer: LayerID) async throws -> DiskModel {
        let target = "\(directory)/content-\(RandomName.make())"
        let done = try await ChildProcess.run(
            Spawn("qemu-img", ["convert", "-U", "-f", "qcow2", "-O", "raw", file(of: layer), target]),
            timeout: Shared.limit
        )
        defer { unlink(target) }
        try #require(done.status.isSuccess, "\(done.errorsText)")
        return DiskModel(bytes: try await Shared.pool.run { try Data(contentsOf: URL(fileURLWithPath: target)) })
    }

    func withMachine(writing layers: [LayerID], _ body: (any ContractMachine) async throws -> Void) async throws {
        try await withTestMachine(writing: layers) { try await body($0) }
    }

    func withTestMachine(writing layers: [LayerID], _ body: (TestMachine) async throws -> Void) async throws {
        try await makeMachine("vm-\(RandomName.make(length: 6))").use(layers, of: store, body)
    }

    func makeMachine(_ name: String) async throws -> TestMachine {
        try await TestMachine(directory: "\(directory)/\(name)", reading: .nodeNames, limit: Shared.limit)
    }

    func restart() async throws {
        await qcow2.close()
        let store = try await Self.open(directory, reached)
        current.withLock { $0 = store }
    }

    func bytesOnDisk() async throws -> ByteCount {
        let done = try await ChildProcess.run(Spawn("du", ["-s", "-B", "512", layersFolder]), timeout: Shared.limit)
        let folder = try await Shared.pool.run { [layersFolder] in try FileFacts.get(layersFolder).allocatedBytes }
        let blocks = try #require(Int64(done.outputText.prefix { $0.isNumber }), "\(done.outputText)")
        return ByteCount(blocks * 512 - folder)
    }

    func litter(named name: String) async throws {
        try await Shared.pool.run { [layersFolder] in
            try Data("litter".utf8).write(to: URL(fileURLWithPath: "\(layersFolder)/\(name)"))
        }
    }

    func makeFile(_ stream: ImageStream) async throws -> String {
        var bytes = Data()
        for try await chunk in stream.chunks { bytes += chunk }
        #expect(ByteCount(Int64(bytes.count)) == stream.length)
        let path = "\(directory)/file-\(RandomName.make())"
        try await Shared.pool.run { [bytes] in try bytes.write(to: URL(fileURLWithPath: path)) }
        if let digest = stream.sha256 {
            let sum = try await ChildProcess.run(Spawn("sha256sum", [path]), timeout: Shared.limit)
            #expect(sum.outputText.prefix(64) == digest.map { String(format: "%02x", $0) }.joined())
        }
        return path
    }

    // MARK: What must hold at the end

    /// Sees that QEMU finds no damage in any layer.
    func expectSoundFiles() async throws {
        for layer in try await store.inventory().layers {
            let check = try await Shared.images.check(file(of: layer.id), format: .qcow2)
            #expect(check.isSound, "the file of the layer \(layer.id) is damaged")
        }
    }

    /// What is half made, and the folders of daemons: nothing, once all calls have returned and all streams are dropped.
    func leftovers() throws -> [String] {
        func names(_ path: String) throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: path) }
        let made = try names(temporaryFolder).flatMap { try names("\(temporaryFolder)/\($0)") }
        return try made + names("\(directory)/run")
    }
}

/// The storage daemons that were started for one directory, found by their command lines.
func daemons(of directory: String) -> [pid_t] {
    let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return processes.compactMap { pid_t($0) }.filter { pid in
        let line = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()
        let words = line.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        return words.first?.hasSuffix("qemu-storage-daemon") == true && words.contains { $0.contains(directory) }
    }
}

/// Gives others their turn until something is so; fails after a minute.
func until(_ what: Comment, _ isSo: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + Shared.limit
    while try await !isSo() {
        try #require(ContinuousClock.now < deadline, what)
        await Task.yield()
    }
}
