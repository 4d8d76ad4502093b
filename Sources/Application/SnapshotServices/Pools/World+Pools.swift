package import SnapshotDomain
package import SnapshotPorts

extension World {
    package func store(_ pool: PoolID) throws(ServiceError) -> any BlockStore {
        guard let store = stores[pool] else { throw Self.notConfigured(pool) }
        return store
    }

    static func notConfigured(_ pool: PoolID) -> ServiceError {
        ServiceError(
            .unavailable,
            "The pool '\(pool)' is not configured; add it to the configuration and restart the service.",
            subject: .pool(pool)
        )
    }

    /// Where new things go when nobody says where.
    package var defaultPool: PoolID {
        profiles.values.first(where: \.isDefault)?.id ?? .local
    }

    /// The pool that a request names, or the default one.
    func pool(named pool: PoolID?) throws(ServiceError) -> PoolID {
        let pool = pool ?? defaultPool
        guard stores[pool] != nil else {
            let known = stores.keys.map(\.description).sorted().joined(separator: ", ")
            throw ServiceError(
                .invalidInput,
                "There is no pool '\(pool)'; choose one of \(known).",
                subject: .field("pool")
            )
        }
        return pool
    }

    /// Why a pool cannot be worked with now; nil when it can.
    package func trouble(with pool: PoolID) -> ServiceError? {
        guard let condition = watch.condition(of: pool) else { return Self.notConfigured(pool) }
        return condition.trouble.map { ServiceError(.unavailable, $0, subject: .pool(pool)) }
    }

    package func reserve(of pool: PoolID) -> ByteCount {
        profiles[pool]?.reserve ?? settings.reserve
    }

    /// What a pool can hold in all and still, within the limit that it has.
    func capacity(of pool: PoolID) async throws -> PoolCapacity {
        try await limited(try await store(pool).capacity(), of: pool)
    }

    /// Within the limit that a pool has.
    func limited(_ capacity: PoolCapacity, of pool: PoolID) async throws -> PoolCapacity {
        guard let limit = profiles[pool]?.limit else { return capacity }
        let used = try await ledger.picture(of: pool).account.total
        return PoolCapacity(
            total: min(capacity.total, limit),
            free: max(.zero, min(capacity.free, limit - used))
        )
    }

    /// What may still be used of a pool: its free space without the reserve.
    ///
    /// Negative when that is touched already.
    func room(in pool: PoolID) async throws -> ByteCount {
        try await capacity(of: pool).free - reserve(of: pool)
    }
}
