import BlockStoreQCOW2
import CatalogSQLite
import Foundation
import HypervisorQEMU
import ImageFetcherHTTP
import Logging
import NIOPosix
import Platform
import SnapshotDomain
import SnapshotPorts
import Synchronization
import TestKit
import Testing

@testable import SnapshotServices

/// The product without its faces: a catalog, a pool and machines of its own, all real.
///
/// The machines have blank or patterned disks and stay in their firmware. The clock stands still until it is turned. Every
/// call to a port can be made to fail (``faults``), and every step of a job can be the last (``crashes``).
final class TestCloud: Sendable {
    private struct Live {
        var room: EngineRoom
        var running: Task<Void, Never>
    }

    let folder: String
    let faults = CallFaults()
    /// Of the pool `fast`.
    let absence = Absence()
    let crashes = CrashSchedule()
    let time = ManualTime()
    let settings: Settings
    let uploads: TestUploads
    /// A source of one raw image of a mebibyte.
    let images: ImageServer
    /// Where most tests work, and another one.
    let home: Environment
    let abroad: Environment
    private let adapters: Adapters
    private let watching: Task<Void, Never>
    private let live: Mutex<Live>

    private struct Adapters {
        var catalog: SQLiteCatalog
        var store: QCOW2BlockStore
        var fast: QCOW2BlockStore
        var hypervisor: QEMUHypervisor
    }

    static let logger: Logger = {
        var logger = Logger(label: "test")
        logger.logLevel = ProcessInfo.processInfo.environment["INSTANTA_TEST_LOG"] == nil ? .critical : .debug
        return logger
    }()

    /// What was found out about KVM, as its cache keeps it.
    ///
    /// Finding out takes a second, too long for every test.
    private static let verdict = Mutex<Data?>(nil)

    fileprivate init(folder: String, settings: Settings) async throws {
        self.folder = folder
        self.settings = settings
        uploads = try TestUploads(folder: "\(folder)/uploads")
        images = try ImageServer.start { .image(Data(repeating: 0x77, count: 1 << 20), version: "1", for: $0) }
        let catalog = try await SQLiteCatalog.open(at: "\(folder)/catalog.sqlite")
        let store = try await QCOW2BlockStore.open(
            pool: .local,
            at: "\(folder)/pool",
            quarantine: "\(folder)/quarantine",
            runtime: "\(folder)/run",
            group: MultiThreadedEventLoopGroup.singleton,
            logger: Self.logger
        )
        let fast = try await QCOW2BlockStore.open(
            pool: .fast,
            at: "\(folder)/fast",
            quarantine: "\(folder)/quarantine",
            runtime: "\(folder)/run",
            group: MultiThreadedEventLoopGroup.singleton,
            logger: Self.logger
        )
        let hypervisor = try await Self.hypervisor(in: folder)
        adapters = Adapters(catalog: catalog, store: store, fast: fast, hypervisor: hypervisor)
        watching = Task { await hypervisor.run() }
        home = Environment(id: .random(), name: try EnvironmentName("home"), description: "", createdAt: time.now)
        abroad = Environment(id: .random(), name: try EnvironmentName("abroad"), description: "", createdAt: time.now)
        try await catalog.write { [home, abroad] writer in
            try writer.insert(home)
            try writer.insert(abroad)
        }
        let room = Self.room(adapters, uploads, time, settings, faults, absence, crashes)
        try await room.start()
        live = Mutex(Live(room: room, running: Task { await room.run() }))
    }

    private static func hypervisor(in folder: String) async throws -> QEMUHypervisor {
        var configuration = HypervisorConfiguration(
            dataDirectory: folder,
            guestGuard: [Self.executable, "guest-guard"],
            runtimeFolder: "\(folder)/links"
        )
        // Nor does anybody in it let go of a disk, and no test shall wait long for that.
        configuration.limits.detach = .milliseconds(300)
        configuration.limits.factsAge = .zero
        if let verdict = verdict.withLock(\.self) {
            try verdict.write(to: URL(fileURLWithPath: configuration.acceleratorCache))
        }
        let hypervisor = try await QEMUHypervisor(
            configuration: configuration,
            group: MultiThreadedEventLoopGroup.singleton,
            logger: logger
        )
        _ = await hypervisor.accelerator
        if let found = FileManager.default.contents(atPath: configuration.acceleratorCache) {
            verdict.withLock { $0 = found }
        }
        return hypervisor
    }

    /// The shipped program, which runs the guard of a pause; built beside the tests.
    private static let executable: String = {
        if let named = ProcessInfo.processInfo.environment["INSTANTA_EXECUTABLE"] { return named }
        let tests = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return (tests as NSString).deletingLastPathComponent + "/instanta"
    }()

    private static func room(
        _ adapters: Adapters,
        _ uploads: TestUploads,
        _ time: ManualTime,
        _ settings: Settings,
        _ faults: CallFaults,
        _ absence: Absence,
        _ crashes: CrashSchedule,
        pools: Set<PoolID> = [.local, .fast],
        looksEvery: Duration = .seconds(86_400)
    ) -> EngineRoom {
        EngineRoom(
            world: World(
                catalog: FaultyCatalog(adapters.catalog, faults),
                stores: [
                    FaultyBlockStore(adapters.store, faults), FaultyBlockStore(adapters.fast, faults, absence: absence),
                ].filter { pools.contains($0.pool) },
                hypervisor: FaultyHypervisor(adapters.hypervisor, faults),
                uploads: uploads,
                images: FaultyImageFetcher(HTTPImageFetcher(), faults),
                time: time,
                settings: settings
            ),
            secrets: TestSecrets(),
            version: "test",
            logger: logger,
            observer: crashes,
            tidiesEvery: .seconds(86_400),
            looksEvery: looksEvery
        )
    }

    // The ports as they are, without injected faults.
    var catalog: any Catalog { adapters.catalog }
    var store: any BlockStore { adapters.store }
    var hypervisor: any Hypervisor { adapters.hypervisor }
    var fast: any BlockStore { adapters.fast }
    var pools: [any BlockStore] { [adapters.store, adapters.fast] }

    var room: EngineRoom { live.withLock(\.room) }
    var cloud: LocalCloud { room.cloud }
    var engine: JobEngine { room.engine }
    var world: World { room.world }

    /// The operator's call, under a name that no other call has.
    var call: CallContext { CallContext(principal: .service, requestID: RandomName.make()) }

    // MARK: Ending and beginning again

    /// Lets go of the engine as the end of the service does; machines run on.
    func stopRoom() async {
        let running = live.withLock(\.running)
        running.cancel()
        await running.value
    }

    /// Puts a new engine over what the former one left, as a new start of the service does.
    ///
    /// - Parameters:
    ///   - pools: Those that are configured.
    ///   - looksEvery: How often pools are looked at: by default never, so that no call comes between those that are counted.
    /// - Throws: What fails the test.
    func startRoom(
        pools: Set<PoolID> = [.local, .fast],
        looksEvery: Duration = .seconds(86_400)
    ) async throws {
        let room = Self.room(
            adapters,
            uploads,
            time,
            settings,
            faults,
            absence,
            crashes,
            pools: pools,
            looksEvery: looksEvery
        )
        try await room.start()
        live.withLock { $0 = Live(room: room, running: Task { await room.run() }) }
    }

    /// Names the process of a machine's present run.
    func pidFile(of instance: InstanceID) -> String { "\(folder)/machines/\(instance)/pid" }

    /// Ends the program of a machine as a crash would, and waits until everybody sees it.
    func killMachine(_ instance: InstanceID) async throws {
        let pidFile = pidFile(of: instance)
        guard let process = RunningProcess.find(pidFile: pidFile, marker: pidFile) else { return }
        try process.signal(9)
        #expect(try await process.waitForExit(within: patience))
        try await until("the machine is seen to be off") { await hypervisor.status(of: instance).isStopped }
    }

    fileprivate func close() async {
        await stopRoom()
        for instance in (try? await hypervisor.inventory()) ?? [] {
            try? await hypervisor.stop(instance, mode: .forced)
            let pidFile = pidFile(of: instance)
            try? await RunningProcess.find(pidFile: pidFile, marker: pidFile)?.terminate(grace: .zero)
        }
        watching.cancel()
        await watching.value
        await adapters.hypervisor.disconnect()
        await adapters.store.close()
        await adapters.fast.close()
        images.stop()
        try? await adapters.catalog.close()
    }
}

extension PoolID {
    /// The other pool of every cloud.
    static let fast: PoolID = {
        guard let pool = PoolID("fast") else { fatalError("'fast' is a name of a pool") }
        return pool
    }()
}

extension Settings {
    /// Nobody in a blank machine shuts it down: waiting is in vain.
    static let forTests: Settings = {
        var settings = Settings()
        settings.gracefulStop = .milliseconds(50)
        settings.reserve = .mebibytes(1)
        settings.catalogPause = .milliseconds(5)
        settings.poolPatience = .milliseconds(500)
        return settings
    }()
}

/// Lends a cloud, and ends everything of it afterwards, also after a failure.
func withCloud<Value: Sendable>(
    settings: Settings = .forTests,
    _ body: (TestCloud) async throws -> Value
) async throws -> Value {
    try await withTemporaryFolder { folder in
        let cloud = try await TestCloud(folder: folder, settings: settings)
        let result: Result<Value, any Error>
        do {
            result = .success(try await body(cloud))
        } catch {
            result = .failure(error)
        }
        // Also when the test was cancelled: nothing may stay behind.
        await Task { await cloud.close() }.value
        return try result.get()
    }
}

/// Digests that are no secret: 32 bytes that begin with the key.
struct TestSecrets: Secrets {
    func makeKey() -> String { RandomName.make(length: 32) }
    func digest(of key: String) -> Data { Data((key + String(repeating: " ", count: 32)).utf8.prefix(32)) }
    func makeVerifier(for password: String) async throws -> String { password }
    func verify(_ password: String, against verifier: String) async throws -> Bool { password == verifier }
}

/// A folder of uploads.
struct TestUploads: UploadArea {
    let folder: String

    init(folder: String) throws {
        self.folder = folder
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    func makePath() async throws -> String { "\(folder)/\(RandomName.make())" }

    func discard(_ path: String) async { try? remove { belongs($0, to: path) } }

    func sweep(keeping paths: Set<String>) async throws {
        try remove { name in !paths.contains { belongs(name, to: $0) } }
    }

    var present: [String] { get throws { try FileManager.default.contentsOfDirectory(atPath: folder) } }

    private func belongs(_ name: String, to path: String) -> Bool {
        let upload = URL(fileURLWithPath: path).lastPathComponent
        return name == upload || name.hasPrefix(upload + ".")
    }

    private func remove(where isWanted: (String) -> Bool) throws {
        for name in try present where isWanted(name) { try FileManager.default.removeItem(atPath: "\(folder)/\(name)") }
    }
}

/// Where the next crash is: counts the steps that jobs reach, and ends the world at one of them.
final class CrashSchedule: StepObserver {
    private struct State {
        var reached: [StepName] = []
        var target: Int?
    }

    private let state = Mutex(State())

    /// Counts the steps from now on.
    func startCounting() {
        state.withLock { $0 = State() }
    }

    func stopCounting() -> [StepName] {
        state.withLock(\.reached)
    }

    /// Ends the world at the n-th step from now on; the first is 0.
    func arm(_ number: Int) {
        state.withLock { $0 = State(target: number) }
    }

    func disarm() {
        state.withLock { $0 = State() }
    }

    /// Whether the armed crash came.
    var hasCrashed: Bool {
        state.withLock { state in state.target.map { $0 < state.reached.count } ?? false }
    }

    func reached(_ step: StepName) throws {
        let isLast = state.withLock { state in
            state.reached.append(step)
            return state.target == state.reached.count - 1
        }
        if isLast { throw SimulatedCrash() }
    }
}
