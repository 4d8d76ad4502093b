import Foundation
package import Logging
import SnapshotDomain
package import SnapshotPorts

/// Everything that runs behind the faces, put together and started in the right order.
///
/// ```
///  start: machines are found ─► open jobs resume ─► each pool that answers is compared with the catalog ─► collect, keep house
///  later: a pool that did not answer is compared when it does, and what waits for it goes on
///  stop:  jobs stop where they are (they resume at the next start); machines run on
/// ```
package final class EngineRoom: Sendable {
    package let cloud: LocalCloud
    package let engine: JobEngine
    package let collector: Collector
    package let world: World
    private let logger: Logger
    private let tidiesEvery: Duration
    private let looksEvery: Duration
    private let keeper: PoolKeeper

    package init(
        world: World,
        secrets: any Secrets,
        version: String,
        logger: Logger,
        observer: (any StepObserver)? = nil,
        tidiesEvery: Duration = .seconds(60),
        looksEvery: Duration = .seconds(5)
    ) {
        self.world = world
        self.logger = logger
        self.tidiesEvery = tidiesEvery
        self.looksEvery = looksEvery
        collector = Collector(world: world, logger: logger)
        engine = JobEngine(world: world, logger: logger, collector: collector, observer: observer)
        keeper = PoolKeeper(world: world, engine: engine, collector: collector, logger: logger)
        cloud = LocalCloud(world: world, engine: engine, secrets: secrets, version: version)
    }

    /// Brings order into what a former run left.
    ///
    /// When it returns, the faces may open.
    ///
    /// Open jobs run on behind it; what they work on is left to them.
    package func start() async throws {
        try await engine.resume()
        let reconciler = Reconciler(world: world, engine: engine, logger: logger)
        try await reconciler.reconcileMachines()
        await keeper.open()
        do {
            try await reconciler.reconcileMemory()
        } catch {
            logger.error("the saved memory could not be examined", metadata: ["error": .string("\(error)")])
        }
        world.ledger.invalidate()
        await world.giveBackMemory()
    }

    /// Works until cancelled, and then until nothing of ours runs any more.
    package func run() async {
        await withTaskGroup { group in
            group.addTask { await self.collector.run() }
            group.addTask { await self.keepHouse() }
            group.addTask { await self.keeper.run(every: self.looksEvery) }
            group.addTask { await self.watchMachines() }
            group.addTask { await self.thawGuests() }
            await group.waitForAll()
        }
        await engine.shutdown()
    }

    private func keepHouse() async {
        let housekeeper = Housekeeper(world: world, cloud: cloud, collector: collector, logger: logger)
        while !Task.isCancelled {
            await housekeeper.tidy()
            try? await Task.sleep(for: tidiesEvery)
        }
    }

    /// A guard outlives the service and thaws by itself; this is for guests whose guard was killed, too.
    private func thawGuests() async {
        let instances = (try? await world.catalog.read { try $0.allInstances(in: nil) }) ?? []
        for instance in instances where await world.hypervisor.status(of: instance.id) == .running {
            await world.hypervisor.thawIfFrozen(instance.id)
        }
    }

    private func watchMachines() async {
        for await event in await world.hypervisor.events() {
            do {
                try await note(event)
            } catch {
                logger.error("a machine's event could not be recorded", metadata: ["error": .string("\(error)")])
            }
        }
    }

    private func note(_ event: MachineEvent) async throws {
        switch event {
        case .trouble(let id, let reason):
            logger.warning(
                "a machine has trouble",
                metadata: [
                    "instance.id": .stringConvertible(id), "reason": .string(reason),
                ]
            )
            try await log(id, "instances.trouble", .failed, reason)
        case .ended(let id, let isByGuest, let reason):
            // A job that works on the machine ended it, or will start it again.
            guard engine.activity(on: .instance(id)).changingKind?.decidesPower != true else { return }
            let written = try await world.activeLayers(of: id)
            try await world.catalog.write { writer in
                try writer.setPower(.stopped, of: id)
                _ = try writer.noteSizes(of: written)
            }
            world.ledger.invalidate()
            try await log(
                id,
                isByGuest ? "instances.powered_off" : "instances.crashed",
                isByGuest ? .succeeded : .failed,
                reason
            )
            collector.disturb(
                Set(try await world.catalog.read { try $0.volumes(of: id).map(\.activeLayer) })
            )
        }
    }

    private func log(
        _ id: InstanceID,
        _ event: String,
        _ status: ActivityEntry.Status,
        _ message: String
    ) async throws {
        let now = world.time.now
        let environment = try await world.catalog.write { writer -> EnvironmentID? in
            guard let instance = try writer.findInstance(id) else { return nil }
            try writer.append(
                ActivityEntry(
                    environment: instance.environment,
                    actor: Principal.service.actor,
                    event: event,
                    subjectKind: "instances",
                    subjectID: id.description,
                    subjectName: instance.name.description,
                    job: nil,
                    status: status,
                    message: message,
                    createdAt: now
                )
            )
            return instance.environment
        }
        if let environment { world.feed.publish([.instance(id)], in: environment) }
    }
}
