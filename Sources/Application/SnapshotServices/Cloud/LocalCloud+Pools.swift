import Foundation
package import SnapshotDomain
import SnapshotPorts

extension LocalCloud {
    package func listPools(_ call: CallContext) async throws(ServiceError) -> [PoolStatus] {
        try await poolStatus(call)
    }

    /// Every pool that is configured, and those that have layers all the same.
    func poolStatus(_ call: CallContext) async throws(ServiceError) -> [PoolStatus] {
        let known = try await read { try $0.poolsWithLayers() }.union(world.stores.keys)
        // All at once: one that takes its time keeps the others from nothing.
        await withTaskGroup { group in
            for pool in known { group.addTask { await world.watch.look(at: pool) } }
        }
        var pools: [PoolStatus] = []
        for pool in known.sorted(by: { $0.description < $1.description }) {
            pools.append(try await status(of: pool, call))
        }
        return pools
    }

    private func status(of pool: PoolID, _ call: CallContext) async throws(ServiceError) -> PoolStatus {
        let picture = try await picture(of: pool)
        let profile = world.profiles[pool]
        var status = PoolStatus(pool: pool, account: picture.account)
        status.kind = profile?.kind ?? ""
        status.place = call.principal.user.isOperator ? profile?.place ?? "" : ""
        status.isDefault = pool == world.defaultPool
        status.reserve = world.reserve(of: pool)
        status.limit = profile?.limit
        status.layerCount = picture.tree.layers.count
        guard let condition = world.watch.condition(of: pool) else {
            status.state = .notConfigured
            status.trouble = World.notConfigured(pool).message
            return status
        }
        status.state = condition.isReady ? .ready : condition.trouble == nil ? .starting : .down
        status.since = condition.since
        status.trouble = condition.trouble
        if let capacity = condition.capacity {
            let limited = try? await world.limited(capacity, of: pool)
            status.capacity = limited
            if let limited, status.trouble == nil { status.trouble = shortage(of: limited.free, in: pool) }
        }
        return status
    }

    /// What a pool without its reserve means, and what to do.
    private func shortage(of free: ByteCount, in pool: PoolID) -> String? {
        let reserve = world.reserve(of: pool)
        guard free < reserve else { return nil }
        return """
            Less than the reserve of \(reserve) is free: nothing new can be made, and guests may fail to write. \
            Delete snapshots or templates that are not needed, or add space.
            """
    }

    package func checkPool(_ pool: PoolID, _ call: CallContext) async throws(ServiceError) -> PoolCheck {
        try call.requireOperator()
        guard world.stores[pool] != nil else {
            throw ServiceError(.notFound, "There is no pool '\(pool)' in the configuration.", subject: .pool(pool))
        }
        return await PoolProbe(world: world, pool: pool).run()
    }
}
