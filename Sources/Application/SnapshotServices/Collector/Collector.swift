import Foundation
package import Logging
package import SnapshotDomain
package import SnapshotPorts
import Synchronization

/// Brings every pool back to holding only what is pinned.
///
/// A loop over the present tree, not a list of things to do: it asks the tree for the next step, takes it, and asks again.
/// Whatever happens in between — a crash, a new clone, a revert — the next question is about what is there then. Each step is
/// repeatable, and its intent is in the catalog (`doomed`) before storage is touched, so a step cut short is finished by the next
/// round of the loop, whichever step the tree then asks for.
///
/// Each pool has a worker of its own: one that is slow or hangs keeps no other from being collected.
///
/// It makes way: a merge ends as soon as a job wants one of its layers, and begins again when the job is done.
package final class Collector: Sendable {
    private struct State {
        /// Of pools that have yet to be looked up.
        var dirty: Set<LayerID> = []
        var workers: [PoolID: Worker] = [:]
        /// Steps that somebody's use of these layers put off.
        var postponed: Set<LayerID> = []
        /// Volumes of which the log says already that their chains stay too long.
        var deep: Set<VolumeID> = []
        /// Where collecting stopped because something failed.
        var stumbled: Set<LayerID> = []
        var isStopped = false
        var settlers: [Int: Settler] = [:]
        var nextSettler = 0
        var wake: AsyncStream<Void>.Continuation?
    }

    /// What one pool's worker has to do.
    private struct Worker {
        var dirty: Set<LayerID> = []
        var current: Task<Void, any Error>?
        var wake: AsyncStream<Void>.Continuation
    }

    /// Somebody who waits until some layers have been looked at.
    private struct Settler {
        var remaining: Set<LayerID>
        var progress: ProgressHandler
        var done: AsyncStream<Void>.Continuation
    }

    private let world: World
    private let logger: Logger
    private let state = Mutex(State())
    /// Held by whoever works on a pool: its worker for a look at one place, or its examination.
    private let turns = Turns<PoolID>()

    package init(world: World, logger: Logger) {
        self.world = world
        self.logger = logger
        world.leases.observe { [weak self] layers in self?.retry(layers) }
    }

    /// Says that there may be something to collect around some layers.
    package func disturb(_ layers: Set<LayerID>) {
        let wake = state.withLock { state in
            state.dirty.formUnion(layers)
            return state.wake
        }
        // Not under the lock: a task is woken and cancelled under a lock of its own, and its cancellation takes ours.
        wake?.yield()
    }

    private func retry(_ freed: Set<LayerID>) {
        let ready = state.withLock { state in
            let ready = state.postponed.intersection(freed)
            state.postponed.subtract(ready)
            return ready
        }
        if !ready.isEmpty { disturb(ready) }
    }

    /// Goes on where something failed.
    package func retryFailed() {
        let layers = state.withLock { state in
            defer { state.stumbled = [] }
            return state.stumbled
        }
        if !layers.isEmpty { disturb(layers) }
    }

    /// Looks at everything in a pool once, as after a start.
    package func disturbEverything(in pool: PoolID) async throws {
        let bases = try await world.catalog.read { reader in
            try reader.layerTree(of: pool).layers.values.filter { $0.parent == nil }.map(\.id)
        }
        disturb(Set(bases))
    }

    /// Runs a body while nothing of a pool is collected.
    func holding<Value>(_ pool: PoolID, _ body: () async throws -> Value) async throws -> Value {
        try await turns.alone(on: pool, body)
    }

    /// Works until cancelled.
    package func run() async {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let streams = world.stores.mapValues { _ in
            AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        }
        let hasWork = state.withLock { state in
            state.wake = continuation
            state.workers = streams.mapValues { Worker(wake: $0.continuation) }
            return !state.dirty.isEmpty
        }
        if hasWork { continuation.yield() }
        await withTaskCancellationHandler {
            await withTaskGroup { group in
                group.addTask { for await _ in stream { await self.sort() } }
                for (pool, stream) in streams {
                    group.addTask { for await _ in stream.stream { await self.drain(pool) } }
                }
            }
        } onCancel: {
            continuation.finish()
            for stream in streams.values { stream.continuation.finish() }
            let current = state.withLock { state in
                state.isStopped = true
                return state.workers.values.compactMap(\.current)
            }
            for task in current { task.cancel() }
        }
        dismissSettlers()
    }

    /// Collects around some layers now, and returns when nothing is left to do there that can be done now.
    ///
    /// Cancelling the caller ends the wait and not the work.
    ///
    /// - Parameters:
    ///   - layers: Where to look.
    ///   - progress: Told of the bytes that merges copy meanwhile.
    package func settle(around layers: Set<LayerID>, progress: @escaping ProgressHandler) async {
        let (stream, done) = AsyncStream.makeStream(of: Void.self)
        let ticket = state.withLock { state -> Int? in
            guard state.wake != nil, !state.isStopped, !layers.isEmpty else { return nil }
            state.nextSettler += 1
            state.settlers[state.nextSettler] = Settler(remaining: layers, progress: progress, done: done)
            return state.nextSettler
        }
        disturb(layers)
        guard let ticket else { return }
        for await _ in stream {}
        state.withLock { $0.settlers[ticket] = nil }
    }

    /// Gives each layer to the worker of its pool.
    private func sort() async {
        let layers = state.withLock { state in
            defer { state.dirty = [] }
            return state.dirty
        }
        guard !layers.isEmpty else { return }
        let pools: [LayerID: PoolID]
        do {
            pools = try await world.catalog.read { reader in
                try layers.reduce(into: [:]) { $0[$1] = try reader.findLayer($1)?.pool }
            }
        } catch {
            logger.warning("collecting has to wait for the catalog", metadata: ["error": .string("\(error)")])
            state.withLock { $0.stumbled.formUnion(layers) }
            return note(layers)
        }
        let woken = state.withLock { state in
            for (layer, pool) in pools { state.workers[pool]?.dirty.insert(layer) }
            return Set(pools.values).compactMap { state.workers[$0]?.wake }
        }
        for wake in woken { wake.yield() }
        // What is gone, or in a pool that is not configured, needs no more than this look.
        note(layers.filter { layer in pools[layer].map { world.stores[$0] == nil } ?? true })
    }

    private func drain(_ pool: PoolID) async {
        while let layer = state.withLock({ $0.isStopped ? nil : $0.workers[pool]?.dirty.popFirst() }) {
            // When the pool is back, everything in it is looked at.
            if world.watch.isReady(pool) {
                try? await holding(pool) { await converge(around: layer, in: pool) }
            }
            note([layer])
        }
    }

    /// Tells those who wait for it that some layers have been looked at.
    private func note(_ layers: Set<LayerID>) {
        let settled = state.withLock { state in
            for id in state.settlers.keys { state.settlers[id]?.remaining.subtract(layers) }
            return state.settlers.values.filter(\.remaining.isEmpty)
        }
        for settler in settled { settler.done.finish() }
    }

    private func dismissSettlers() {
        let settlers = state.withLock { Array($0.settlers.values) }
        for settler in settlers { settler.done.finish() }
    }

    /// Takes steps in one connected tree until none is left or one fails.
    private func converge(around layer: LayerID, in pool: PoolID) async {
        var avoided: Set<LayerID> = []
        var place = layer
        while !Task.isCancelled {
            do {
                guard let (step, tree) = try await nextStep(around: place, in: pool, avoiding: avoided) else { return }
                defer { world.ledger.invalidate() }
                switch try await take(step, in: tree, of: pool) {
                case .done: place = step.whereToGoOn(from: place, in: tree)
                case .putOff(let layers):
                    // Look at the rest, and come back to them later.
                    avoided.formUnion(layers)
                }
            } catch is CancellationError {
                return
            } catch {
                logger.warning(
                    "collecting stopped; it goes on with the next change or housekeeping",
                    metadata: [
                        "layer.id": .stringConvertible(place), "error": .string("\(error)"),
                    ]
                )
                state.withLock { [place] in _ = $0.stumbled.insert(place) }
                return
            }
        }
    }

    private func nextStep(
        around layer: LayerID,
        in pool: PoolID,
        avoiding avoided: Set<LayerID>
    ) async throws -> (CollectionStep, LayerTree)? {
        let tree = try await world.catalog.read { try $0.layerTree(around: layer) }
        guard tree.layers.count > 0 else { return nil }
        let room = try await world.room(in: pool)
        reportDepth(in: tree, room: room)
        let weigh = { (open: [LayerID: Set<InstanceID>]) in
            tree.nextCollectionStep(
                openIn: open,
                held: self.layersInUse(in: tree).union(avoided),
                room: room,
                policy: self.world.settings.collection
            )
        }
        // A machine can only forbid a step or change its kind. To be asked for its layers makes its guest wait, so it is asked
        // only when there is something to do.
        guard weigh([:]) != nil else { return nil }
        let step = weigh(try await openLayers(in: tree))
        return step.map { ($0, tree) }
    }

    /// Says once of each volume that its chain is too long and the pool too full to end that.
    private func reportDepth(in tree: LayerTree, room: ByteCount) {
        let deep = Set(tree.volumesWithoutRoom(room, policy: world.settings.collection))
        let all = tree.layers.keys.compactMap { tree.volume(writing: $0) }
        let news = state.withLock { state in
            let news = deep.subtracting(state.deep)
            state.deep.subtract(all)
            state.deep.formUnion(deep)
            return news
        }
        for volume in news {
            logger.warning(
                """
                a volume stands on too many layers, which slows its reads, and the pool has no room to make it \
                independent; delete snapshots, or add space
                """,
                metadata: ["volume.id": .stringConvertible(volume)]
            )
        }
    }

    /// The layers of a tree that somebody uses now; their end of use brings the collector back here.
    ///
    /// A layer counts only if it was still in use after it was noted as postponed: else its release could come in between,
    /// and nobody would look again.
    private func layersInUse(in tree: LayerTree) -> Set<LayerID> {
        var noted: Set<LayerID> = []
        while true {
            let held = world.leases.held.filter { tree.layers[$0] != nil }
            if held.isSubset(of: noted) { return held }
            postpone(held)
            noted.formUnion(held)
        }
    }

    private func openLayers(in tree: LayerTree) async throws -> [LayerID: Set<InstanceID>] {
        let volumes = tree.layers.keys.compactMap { tree.volume(writing: $0) }
        let instances = try await world.catalog.read { reader in
            Set(try volumes.compactMap { try reader.findVolume($0)?.attachment?.instance })
        }
        let pools = Set(tree.layers.values.map(\.pool))
        var open: [LayerID: Set<InstanceID>] = [:]
        for instance in instances where await world.hypervisor.isAlive(instance) {
            for pool in pools {
                for layer in try await world.openLayers(of: instance, in: pool) {
                    open[layer, default: []].insert(instance)
                }
            }
        }
        return open
    }

    // MARK: Steps

    private enum StepResult {
        case done
        /// Somebody uses the layers, or the step cannot be taken as long as a machine has them open.
        case putOff(Set<LayerID>)
    }

    private func take(_ step: CollectionStep, in tree: LayerTree, of pool: PoolID) async throws -> StepResult {
        logger.debug("collecting", metadata: ["step": .string("\(step)")])
        switch step {
        case .unlink(let layer):
            return try await alone([layer], of: pool) { [self] in try await unlink(layer, in: tree) }
        case .fold(let child, let parent):
            return try await alone([child, parent], of: pool) { [self] in try await fold(child, into: parent, in: tree)
            }
        case .pull(let layer, let ancestor):
            let between = tree.chain(of: layer).prefix { $0 != ancestor }
            return try await alone(Set(between), of: pool) { [self] in
                try await pull(layer, past: Array(between.dropFirst()), to: ancestor, in: tree)
            }
        case .advance(let volume, let layer):
            // A few milliseconds, and awkward to take back: nobody needs it to make way.
            return try await alone([layer], of: pool, makesWay: false) { [self] in
                try await advance(volume, from: layer, in: tree)
            }
        }
    }

    /// Runs a step as a task that a waiting job can cancel.
    private func alone(
        _ layers: Set<LayerID>,
        of pool: PoolID,
        makesWay: Bool = true,
        _ body: @escaping @Sendable () async throws -> Void
    ) async throws -> StepResult {
        let task = Mutex<Task<Void, any Error>?>(nil)
        let makeWay: @Sendable () -> Void = { if makesWay { task.withLock { $0 }?.cancel() } }
        // Before asking: a release between a refusal and the note would be missed.
        postpone(layers)
        guard let ticket = world.leases.takeAlone(layers, makeWay: makeWay) else { return .putOff(layers) }
        state.withLock { $0.postponed.subtract(layers) }
        defer { world.leases.release(ticket) }
        let started = Task { try await body() }
        task.withLock { $0 = started }
        let isStopped = state.withLock { state in
            state.workers[pool]?.current = makesWay ? started : nil
            return state.isStopped
        }
        if isStopped && makesWay { started.cancel() }
        do {
            try await started.value
            return .done
        } catch let fault as BlockStoreFault where fault.code == .unavailable && fault.outcome == .notDone {
            // Such as a QEMU that cannot do this on a live disk: the end of the machine brings the layers back here.
            logger.info("a merge waits until a machine stops", metadata: ["error": .string("\(fault)")])
            return .putOff(layers)
        } catch  where started.isCancelled {
            postpone(layers)
            return .putOff(layers)
        }
    }

    /// Comes back to some layers when whoever uses them, or waits for them, has had them.
    private func postpone(_ layers: Set<LayerID>) {
        state.withLock { $0.postponed.formUnion(layers) }
    }

    private func unlink(_ layer: LayerID, in tree: LayerTree) async throws {
        guard let row = tree.layers[layer], try await doom(layer, successor: nil) else { return }
        try await world.store(row.pool).deleteLayer(layer)
        try await world.catalog.write { try $0.deleteLayer(layer) }
    }

    private func fold(_ child: LayerID, into parent: LayerID, in tree: LayerTree) async throws {
        guard let row = tree.layers[child], try await doom(parent, successor: child) else { return }
        let store = try world.store(row.pool)
        try await store.foldLayer(
            child,
            into: parent,
            through: try await channel(for: [child, parent], in: tree),
            progress: report
        )
        let stored = try await store.findLayer(child)
        // A machine that has them open may have written their headers anew.
        var above: [StoredLayer] = []
        for layer in tree.children(of: child) {
            if let found = try await store.findLayer(layer) { above.append(found) }
        }
        try await world.catalog.write { [above] writer in
            guard var folded = try writer.findLayer(child), let gone = try writer.findLayer(parent) else { return }
            folded.parent = gone.parent
            folded.allocated = stored?.allocated ?? folded.allocated + gone.allocated
            try writer.update(folded)
            try writer.deleteLayer(parent)
            _ = try writer.noteSizes(of: above)
        }
    }

    private func pull(
        _ layer: LayerID,
        past hidden: [LayerID],
        to ancestor: LayerID?,
        in tree: LayerTree
    ) async throws {
        guard let row = tree.layers[layer] else { return }
        let store = try world.store(row.pool)
        try await store.pullLayer(
            layer,
            downTo: ancestor,
            through: try await channel(for: [layer] + hidden, in: tree),
            progress: report
        )
        let stored = try await store.findLayer(layer)
        try await world.catalog.write { writer in
            guard var pulled = try writer.findLayer(layer) else { return }
            pulled.parent = ancestor
            pulled.allocated = stored?.allocated ?? pulled.allocated
            try writer.update(pulled)
        }
        // What it stood on may be free now, and need not be connected with it any more.
        disturb(Set(hidden))
    }

    /// Puts a running machine's active layer to rest under a fresh one, as a snapshot would, but pins nothing.
    ///
    /// The fresh layer's row is the intent. If the process dies in between, the reconciler asks the machine which layer it
    /// writes, and keeps or drops the row accordingly.
    private func advance(_ id: VolumeID, from layer: LayerID, in tree: LayerTree) async throws {
        guard let row = tree.layers[layer], let channel = try await channel(for: [layer], in: tree) else { return }
        let store = try world.store(row.pool)
        let fresh = Layer(
            id: .random(),
            pool: row.pool,
            parent: layer,
            size: row.size,
            allocated: .zero,
            phase: .building
        )
        let switches = [LayerSwitch(from: layer, to: fresh.id)]
        try await world.catalog.write { try $0.insert(fresh) }
        do {
            try await store.createLayer(fresh.id, on: layer, size: row.size, through: channel)
            try await store.prepareSwitch(switches, through: channel)
            try await store.finishSwitch(switches, through: channel)
        } catch {
            guard error.outcome == .notDone else { throw error }
            try await store.abandonSwitch(switches, through: channel)
            try await store.deleteLayer(fresh.id)
            try await world.catalog.write { try $0.deleteLayer(fresh.id) }
            throw error
        }
        let stored = try await store.findLayer(fresh.id)
        try await world.catalog.write { writer in
            guard var volume = try writer.findVolume(id), var active = try writer.findLayer(fresh.id) else { return }
            volume.activeLayer = fresh.id
            active.phase = .ready
            active.allocated = stored?.allocated ?? .zero
            try writer.update(active)
            try writer.update(volume)
        }
    }

    /// Records that a layer will go, unless something came to need it meanwhile.
    ///
    /// - Parameters:
    ///   - layer: The layer to go.
    ///   - successor: The only layer that may stand on it; nil for none.
    /// - Returns: Whether it will.
    /// - Throws: What the catalog throws.
    private func doom(_ layer: LayerID, successor: LayerID?) async throws -> Bool {
        try await world.catalog.write { writer in
            let tree = try writer.layerTree(around: layer)
            let expected = successor.map { [$0] } ?? []
            guard var row = tree.layers[layer], !tree.isPinned(layer), tree.children(of: layer) == expected else {
                return false
            }
            row.phase = .doomed
            try writer.update(row)
            return true
        }
    }

    private func channel(for layers: [LayerID], in tree: LayerTree) async throws -> (any LiveBlockChannel)? {
        let open = try await openLayers(in: tree)
        guard let instance = layers.lazy.compactMap({ open[$0]?.first }).first else { return nil }
        return try await world.hypervisor.blockChannel(of: instance)
    }

    private func report(_ done: ByteCount, _ total: ByteCount) {
        let settlers = state.withLock { Array($0.settlers.values) }
        for settler in settlers { settler.progress(done, total) }
    }
}

extension CollectionStep {
    /// A layer of the same tree that is still there after the step: what the step took away may have been the place from
    /// which the tree was looked at, and its neighbours may be free now.
    fileprivate func whereToGoOn(from place: LayerID, in tree: LayerTree) -> LayerID {
        switch self {
        case .unlink(place): tree.layers[place]?.parent ?? place
        case .fold(let child, into: place): child
        case .unlink, .fold, .pull, .advance: place
        }
    }
}
