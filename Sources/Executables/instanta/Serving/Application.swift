import CatalogSQLite
import CloudMCAPI
import CloudStackAPI
import Foundation
import HTTPCommon
import Hummingbird
import HypervisorQEMU
import ImageFetcherHTTP
import Logging
import NIOCore
import NIOPosix
import Platform
import QEMU
import SnapshotDomain
import SnapshotPorts
import SnapshotServices
import Synchronization
import WebConsole

/// The running service: the one place where adapters and faces meet.
struct Service: Sendable {
    let room: EngineRoom
    let credentials: Credentials
    private let firstUser: FirstUser
    /// Where the service is reached, once it listens.
    private let address = ServedAddress()
    fileprivate let hypervisor: QEMUHypervisor
    fileprivate let stores: [LateBlockStore]
    fileprivate let catalog: SQLiteCatalog
    fileprivate let configuration: ServiceConfiguration
    fileprivate let logger: Logger
    /// Held as long as the service lives.
    private let lock: FileLock

    /// Opens the data folder, finds machines and open jobs, and brings order into what a former run left.
    ///
    /// Nothing listens yet: see ``run(onListening:)``.
    static func build(_ configuration: ServiceConfiguration, logger: Logger) async throws -> Service {
        guard configuration.listen.isLoopback || configuration.isBehindProxy else {
            throw SetupFault(
                """
                \(configuration.listen) can be reached from other machines, and passwords would travel in the clear. \
                Listen on 127.0.0.1, or put a TLS proxy before the service and say --behind-proxy.
                """
            )
        }
        let directory = configuration.dataDirectory
        let pool = BlockingPool(name: "setup", width: 1)
        let lock = try await pool.run { try directory.claim() }
        let group = MultiThreadedEventLoopGroup.singleton
        let catalog = try await SQLiteCatalog.open(at: directory.catalog)
        let opening = PoolOpening(
            directory: directory,
            owner: try await pool.run { try directory.identity() },
            group: group,
            logger: logger,
            files: pool,
            isUsed: { pool in try await catalog.read { try $0.poolsWithLayers().contains(pool) } }
        )
        let stores = configuration.allPools.map(opening.store)
        let hypervisor = try await QEMUHypervisor(
            configuration: HypervisorConfiguration(
                dataDirectory: directory.path,
                guestGuard: configuration.guestGuard
            ),
            group: group,
            logger: logger
        )
        try await hypervisor.adopt()
        let uploads = UploadFolder(path: directory.uploads, pool: pool)
        let secrets = SystemSecrets()
        let world = World(
            catalog: catalog,
            stores: stores,
            profiles: configuration.allPools.map { $0.profile(in: directory) },
            hypervisor: hypervisor,
            uploads: uploads,
            images: HTTPImageFetcher(),
            settings: configuration.settings,
            giveBackMemory: { _ = try? await pool.run { FreeMemory.giveBack() } }
        )
        let room = EngineRoom(
            world: world,
            secrets: secrets,
            version: Version.text,
            logger: logger,
            tidiesEvery: configuration.tidiesEvery
        )
        let firstUser = FirstUser(directory: directory, catalog: catalog, secrets: secrets, pool: pool)
        let credentials = try await firstUser.ensure(
            url: "http://\(configuration.listen)",
            service: configuration.serviceCode,
            environment: configuration.firstEnvironment
        )
        try await room.start()
        return Service(
            room: room,
            credentials: credentials,
            firstUser: firstUser,
            hypervisor: hypervisor,
            stores: stores,
            catalog: catalog,
            configuration: configuration,
            logger: logger,
            lock: lock
        )
    }

    private init(
        room: EngineRoom,
        credentials: Credentials,
        firstUser: FirstUser,
        hypervisor: QEMUHypervisor,
        stores: [LateBlockStore],
        catalog: SQLiteCatalog,
        configuration: ServiceConfiguration,
        logger: Logger,
        lock: FileLock
    ) {
        self.room = room
        self.credentials = credentials
        self.firstUser = firstUser
        self.hypervisor = hypervisor
        self.stores = stores
        self.catalog = catalog
        self.configuration = configuration
        self.logger = logger
        self.lock = lock
    }

    private func makeRouter() throws -> Router<IncomingContext> {
        let room = room
        let accounts = Accounts(world: room.world, secrets: SystemSecrets())
        let console = try ConsoleRoutes(
            cloud: room.cloud,
            accounts: accounts,
            configuration: ConsoleConfiguration(
                serviceName: configuration.serviceName,
                serviceCode: configuration.serviceCode,
                isSecure: configuration.isBehindProxy,
                prices: configuration.prices
            )
        )
        let router = makeApplicationRouter(
            configuration: HTTPConfiguration(
                isBehindProxy: configuration.isBehindProxy,
                troubles: { await room.poolTroubles().lasting },
                warnings: { await room.poolTroubles().passing },
                gauges: { await room.gauges() }
            ),
            faces: [CloudMCRoutes.errorFace, CloudStackRoutes.errorFace, console.errorFace]
        )
        CloudMCRoutes(
            cloud: room.cloud,
            accounts: accounts,
            configuration: CloudMCConfiguration(
                serviceCode: configuration.serviceCode,
                serviceName: configuration.serviceName,
                apiFields: { [address] principal, environment throws(ServiceError) in
                    let call = CallContext(principal: principal, requestID: "apiInfo")
                    let keys = try await accounts.queryKey(
                        in: environment,
                        of: principal.user.id,
                        label: try ResourceName("apiInfo"),
                        call
                    )
                    return [
                        .init(key: "endpoint", value: address.url + "/client/api", isSensitive: false),
                        .init(key: "api_key", value: keys.key, isSensitive: false),
                        .init(key: "secret_key", value: keys.secret ?? "", isSensitive: true),
                        .init(key: "project_id", value: environment.description, isSensitive: false),
                        .init(key: "rest_endpoint", value: address.url + "/api/v2", isSensitive: false),
                    ]
                }
            )
        ).add(to: router)
        var queryConfiguration = CloudStackConfiguration(
            findKey: { key, address throws(ServiceError) in
                try await accounts.caller(queryKey: key, address: address).map { caller in
                    CloudStackConfiguration.KeyPair(
                        principal: caller.principal,
                        secret: caller.secret,
                        environment: caller.environment,
                        noteUse: { await accounts.noteUse(of: caller) }
                    )
                }
            },
            accounts: accounts
        )
        queryConfiguration.destroyedLifetime = configuration.settings.destroyedLifetime
        CloudStackRoutes(cloud: room.cloud, configuration: queryConfiguration).add(to: router)
        console.add(to: router)
        return router
    }

    /// Serves until the task is cancelled or the process is asked to end; then lets go of everything.
    ///
    /// Machines run on.
    ///
    /// - Parameter onListening: Told the port that was really taken.
    /// - Throws: When it cannot listen, or when the server fails.
    func run(onListening: @escaping @Sendable (Int) async -> Void) async throws {
        let application = Application(
            router: try makeRouter(),
            configuration: ApplicationConfiguration(
                address: .hostname(configuration.listen.host, port: configuration.listen.port),
                serverName: "instanta"
            ),
            onServerRunning: { channel in
                let port = channel.localAddress?.port ?? configuration.listen.port
                await announce(port)
                await onListening(port)
            },
            logger: logger
        )
        defer { lock.release() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await hypervisor.run() }
            group.addTask { await room.run() }
            group.addTask { try await application.runService() }
            // The server ends when it is asked to; the rest then follows.
            defer { group.cancelAll() }
            try await group.waitForServer()
        }
        await hypervisor.disconnect()
        for store in stores { await PoolOpening.close(store) }
        try await catalog.close()
    }
}

extension Service {
    /// Whether the first user still signs in with the password of the credentials file.
    ///
    /// False, too, when that cannot be found out: the service does not depend on it.
    var isFirstPasswordValid: Bool {
        get async {
            do {
                return try await firstUser.hasPassword(credentials)
            } catch {
                return false
            }
        }
    }

    /// Notes where the service is reached: a port that was left to the system is known only now.
    private func announce(_ port: Int) async {
        var listen = configuration.listen
        listen.port = port
        address.url = "http://\(listen)"
        do {
            try await firstUser.note(url: address.url)
        } catch {
            logger.error(
                "the credentials file does not say where the service is reached",
                metadata: ["error": .string("\(error)"), "url": .string(address.url)]
            )
        }
    }
}

/// The address that was really taken; empty before the service listens.
private final class ServedAddress: Sendable {
    private let text = Mutex("")

    var url: String {
        get { text.withLock(\.self) }
        set { text.withLock { $0 = newValue } }
    }
}

extension ThrowingTaskGroup<Void, any Error> {
    /// The first child that ends is the server, or one that failed.
    fileprivate mutating func waitForServer() async throws {
        try await next()
        cancelAll()
        while let result = await nextResult() {
            if case .failure(let error) = result, !(error is CancellationError) { throw error }
        }
    }
}

extension EngineRoom {
    /// Which pools cannot be worked with: if none can, the service cannot; if some can, it is ready for those.
    func poolTroubles() async -> (lasting: [String], passing: [String]) {
        await withTaskGroup { group in
            for pool in world.stores.keys { group.addTask { await self.world.watch.look(at: pool) } }
        }
        let troubles = world.stores.keys.sorted { $0.description < $1.description }.compactMap { pool -> String? in
            guard let condition = world.watch.condition(of: pool), !condition.isReady else { return nil }
            return "pool \(pool): \(condition.trouble ?? "It is being compared with the catalog.")"
        }
        return troubles.count == world.stores.count ? (troubles, []) : ([], troubles)
    }

    func gauges() async -> [Gauge] {
        let counts = engine.counts
        var gauges = [
            Gauge("instanta_jobs_running", help: "Jobs that run.", value: Double(counts.running)),
            Gauge("instanta_jobs_waiting", help: "Jobs that wait.", value: Double(counts.waiting)),
        ]
        for pool in world.stores.keys.sorted(by: { $0.description < $1.description }) {
            gauges.append(
                Gauge(
                    "instanta_pool_ready",
                    help: "Whether the pool can be worked with.",
                    labels: [("pool", pool.description)],
                    value: world.watch.isReady(pool) ? 1 : 0
                )
            )
        }
        // Left out when the catalog cannot be read: a zero would be a lie.
        if let damaged = try? await world.catalog.read({ try $0.damagedSnapshotCount() }) {
            gauges.append(
                Gauge("instanta_snapshots_damaged", help: "Snapshots found damaged.", value: Double(damaged))
            )
        }
        if let images = try? await world.catalog.read({ try $0.listMemoryImages() }) {
            gauges.append(
                Gauge(
                    "instanta_saved_memory_bytes",
                    help: "What saved memory takes in the data directory.",
                    value: Double(images.reduce(Int64(0)) { $0 + $1.size.bytes })
                )
            )
        }
        return gauges
    }
}
