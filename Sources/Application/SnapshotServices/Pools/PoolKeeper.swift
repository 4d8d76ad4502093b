import Logging
import SnapshotDomain
import Synchronization

/// Brings pools into service: at the start, and each time when one is back.
///
/// Every pool has a task of its own, so that one that hangs holds up no other.
final class PoolKeeper: Sendable {
    /// How long a start waits for a pool that answers to be compared with the catalog.
    ///
    /// It goes on behind.
    private static let startPatience = Duration.seconds(30)

    private let world: World
    private let engine: JobEngine
    private let collector: Collector
    private let logger: Logger
    /// Pools that are being examined: one that hangs in it is not examined twice.
    private let turns = Occupied()

    init(world: World, engine: JobEngine, collector: Collector, logger: Logger) {
        self.world = world
        self.engine = engine
        self.collector = collector
        self.logger = logger
    }

    /// Examines all pools that answer, and leaves the others for later.
    func open() async {
        await withTaskGroup { group in
            for pool in world.stores.keys {
                group.addTask {
                    _ = try? await promptly(within: Self.startPatience) {
                        await self.world.watch.look(at: pool)
                        await self.bringBack(pool)
                    }
                }
            }
        }
        for pool in world.stores.keys {
            guard let trouble = world.trouble(with: pool) else { continue }
            logger.error(
                "a pool is down; the service goes on with it when it is back",
                metadata: ["pool": .stringConvertible(pool), "reason": .string(trouble.message)]
            )
        }
    }

    /// Looks at every pool again and again, until cancelled.
    func run(every interval: Duration) async {
        await withTaskGroup { group in
            for pool in world.stores.keys {
                group.addTask {
                    while !Task.isCancelled {
                        try? await Task.sleep(for: interval)
                        guard !Task.isCancelled else { return }
                        await self.keep(pool)
                    }
                }
            }
        }
    }

    private func keep(_ pool: PoolID) async {
        let before = world.watch.condition(of: pool)
        await world.watch.listen(to: pool)
        let now = world.watch.condition(of: pool)
        if let trouble = now?.trouble, before?.trouble == nil {
            logger.error(
                "a pool is down; work on it waits",
                metadata: ["pool": .stringConvertible(pool), "reason": .string(trouble)]
            )
        }
        await bringBack(pool)
    }

    /// Compares a pool that answers with the catalog, if that is due, and lets work on it go on.
    private func bringBack(_ pool: PoolID) async {
        guard let condition = world.watch.condition(of: pool), !condition.isReady, condition.trouble == nil,
            turns.take(pool)
        else { return }
        defer { turns.leave(pool) }
        do {
            try await collector.holding(pool) {
                try await Reconciler(world: world, engine: engine, logger: logger).reconcile(pool)
            }
            world.watch.markReady(pool)
            world.ledger.invalidate()
            try await collector.disturbEverything(in: pool)
            logger.info("a pool is in service", metadata: ["pool": .stringConvertible(pool)])
        } catch is CancellationError {
            return
        } catch {
            // It is tried again with the next look.
            logger.error(
                "a pool could not be examined",
                metadata: ["pool": .stringConvertible(pool), "error": .string("\(error)")]
            )
        }
    }
}

/// Which pools somebody is busy with.
private final class Occupied: Sendable {
    private let pools = Mutex<Set<PoolID>>([])

    func take(_ pool: PoolID) -> Bool { pools.withLock { $0.insert(pool).inserted } }

    func leave(_ pool: PoolID) { pools.withLock { _ = $0.remove(pool) } }
}
