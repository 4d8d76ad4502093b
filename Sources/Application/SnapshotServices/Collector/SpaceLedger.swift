package import SnapshotDomain
import SnapshotPorts
import Synchronization

/// The one place where bytes are read from: the same picture serves lists, plans, status and usage.
///
/// A picture is the whole tree of a pool with its account, made from one catalog transaction. Of a small pool it is made anew
/// whenever something changed. Of a large one that would cost every reader too much, so an older one serves while the next is made.
package final class SpaceLedger: Sendable {
    package struct Picture: Sendable {
        package let tree: LayerTree
        package let account: SpaceAccount

        package init(_ tree: LayerTree) {
            self.tree = tree
            account = SpaceAccount(tree)
        }

        /// Of nothing.
        package static let empty = Picture(LayerTree(layers: [], pins: []))
    }

    private struct State {
        var version: Int64 = 0
        var pictures: [PoolID: (version: Int64, picture: Picture)] = [:]
        var refreshing: Set<PoolID> = []
    }

    /// Making a picture of so many layers takes a few milliseconds.
    private static let smallPool = 5_000
    /// How long a large pool's picture is kept after a change, at least.
    private static let pause = Duration.milliseconds(500)

    private let catalog: any Catalog
    private let giveBackMemory: @Sendable () async -> Void
    private let state = Mutex(State())

    init(catalog: any Catalog, giveBackMemory: @escaping @Sendable () async -> Void = {}) {
        self.catalog = catalog
        self.giveBackMemory = giveBackMemory
    }

    /// Says that layers, pins or sizes changed.
    package func invalidate() {
        state.withLock { $0.version += 1 }
    }

    package func picture(of pool: PoolID) async throws -> Picture {
        let (version, known) = state.withLock { ($0.version, $0.pictures[pool]) }
        if let known, known.version == version { return known.picture }
        if let known, known.picture.tree.layers.count > Self.smallPool {
            refresh(pool)
            return known.picture
        }
        return try await make(pool, version)
    }

    /// What there is around one layer.
    ///
    /// Without a picture of the pool at hand it costs only what stands on the same base, however large the pool is.
    package func picture(around layer: LayerID, of pool: PoolID) async throws -> Picture {
        let (version, known) = state.withLock { ($0.version, $0.pictures[pool]) }
        if let known, known.version == version { return known.picture }
        if let known, known.picture.tree.layers.count > Self.smallPool {
            refresh(pool)
            return known.picture
        }
        return Picture(try await catalog.read { try $0.layerTree(around: layer) })
    }

    private func make(_ pool: PoolID, _ version: Int64) async throws -> Picture {
        let tree = try await catalog.read { try $0.layerTree(of: pool) }
        let picture = Picture(tree)
        state.withLock { state in
            guard (state.pictures[pool]?.version ?? -1) < version else { return }
            state.pictures[pool] = (version, picture)
        }
        return picture
    }

    private func refresh(_ pool: PoolID) {
        guard state.withLock({ $0.refreshing.insert(pool).inserted }) else { return }
        Task {
            // What changed it has the processors first, and a burst of changes costs one picture.
            try? await Task.sleep(for: Self.pause)
            let version = state.withLock { $0.version }
            // A failure shows when the next reader finds no newer picture and tries itself.
            _ = try? await make(pool, version)
            await giveBackMemory()
            state.withLock { _ = $0.refreshing.remove(pool) }
        }
    }
}
