import Foundation
import Glibc
import NIOPosix
import Platform
import Testing

@testable import QEMU

/// What tests of this target share: the event loops, a pool for file work and a limit for things that should be quick.
enum Shared {
    static let group = MultiThreadedEventLoopGroup.singleton
    static let pool = BlockingPool(name: "tests", width: 2)
    static let limit = Duration.seconds(30)
    static let images = ImageTool(pool: pool)
}

/// Lends a new directory and removes it with all its content, also after a failure.
func withTemporaryDirectory<T>(_ body: (String) async throws -> T) async throws -> T {
    // Short: sockets live here, and their paths have at most 107 bytes.
    let path = "\(NSTemporaryDirectory())/iq-\(RandomName.make(length: 8))".replacing("//", with: "/")
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try await body(path)
}

/// Gives others their turn until something is so; fails after ten seconds.
func until(_ what: Comment, _ isSo: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(10)
    while try await !isSo() {
        try #require(ContinuousClock.now < deadline, what)
        await Task.yield()
    }
}

/// The fault of a given type that `body` must throw.
func fault<Fault: Error>(_ type: Fault.Type = QMPFault.self, _ body: () async throws -> Void) async throws -> Fault {
    let error = await #expect(throws: Fault.self) { try await body() }
    return try #require(error)
}

/// A QEMU without a guest, and its monitor.
struct Machine {
    let process: ChildProcess
    let socket: String
    let client: QMPClient

    /// Starts one for as long as `body` runs.
    static func run<T>(_ arguments: [String] = [], _ body: (Machine) async throws -> T) async throws -> T {
        try await withTemporaryDirectory { directory in
            let socket = "\(directory)/qmp"
            let process = try await ChildProcess.start(
                Spawn(
                    "qemu-system-x86_64",
                    [
                        "-machine", "none", "-nodefaults", "-no-user-config", "-display", "none", "-S",
                        "-qmp", "unix:\(socket),server=on,wait=off",
                    ] + arguments,
                    endsWithParent: true
                )
            )
            let result: Result<T, any Error>
            do {
                let client = try await connect(socket)
                defer { client.close() }
                result = .success(try await body(Machine(process: process, socket: socket, client: client)))
            } catch {
                result = .failure(error)
            }
            process.signal(SIGKILL)
            _ = await process.wait()
            return try result.get()
        }
    }

    /// Connects as soon as the program listens.
    static func connect(_ socket: String) async throws -> QMPClient {
        let deadline = ContinuousClock.now + Shared.limit
        while true {
            do {
                return try await QMPClient.connect(socket, group: Shared.group)
            } catch {
                guard error.code == .unreachable, ContinuousClock.now < deadline else { throw error }
                await Task.yield()
            }
        }
    }
}

/// Runs a storage daemon of the test's own for as long as `body` runs.
func withStorageDaemon<T>(_ body: (StorageDaemon, String) async throws -> T) async throws -> T {
    try await withTemporaryDirectory { directory in
        let daemon = StorageDaemon(directory: "\(directory)/qsd", group: Shared.group, pool: Shared.pool)
        let result: Result<T, any Error>
        do {
            result = .success(try await body(daemon, directory))
        } catch {
            result = .failure(error)
        }
        await daemon.shutdown()
        return try result.get()
    }
}

/// A generator whose numbers are the same for the same seed, so that a failure can be repeated.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    /// SplitMix64.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    mutating func bytes(_ count: Int) -> Data {
        var bytes = Data(capacity: count)
        while bytes.count < count {
            withUnsafeBytes(of: next()) { bytes.append(contentsOf: $0.prefix(count - bytes.count)) }
        }
        return bytes
    }
}
