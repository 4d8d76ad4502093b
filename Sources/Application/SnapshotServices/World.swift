package import SnapshotDomain
package import SnapshotPorts

/// The ports and the few shared services that jobs, the collector and the reconciler work with.
package struct World: Sendable {
    package let catalog: any Catalog
    package let stores: [PoolID: any BlockStore]
    /// What operators said of the pools; nothing for most in tests.
    package let profiles: [PoolID: PoolProfile]
    package let watch: PoolWatch
    package let hypervisor: any Hypervisor
    package let uploads: any UploadArea
    package let images: any ImageFetcher
    package let time: any TimeSource
    package let leases: LayerLeases
    /// Who makes a copy of a template that several deployments need.
    let copyTurns: Turns<LayerID>
    package let feed: ChangeFeed
    package let ledger: SpaceLedger
    package let settings: Settings
    /// Called after work that needed much memory for a moment.
    package let giveBackMemory: @Sendable () async -> Void

    package init(
        catalog: any Catalog,
        stores: [any BlockStore],
        profiles: [PoolProfile] = [],
        hypervisor: any Hypervisor,
        uploads: any UploadArea,
        images: any ImageFetcher,
        time: any TimeSource = SystemTime(),
        settings: Settings = Settings(),
        giveBackMemory: @escaping @Sendable () async -> Void = {}
    ) {
        self.catalog = catalog
        self.stores = Dictionary(stores.map { ($0.pool, $0) }, uniquingKeysWith: { first, _ in first })
        self.profiles = Dictionary(profiles.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        watch = PoolWatch(stores: self.stores, time: time, patience: settings.poolPatience)
        self.hypervisor = hypervisor
        self.uploads = uploads
        self.images = images
        self.time = time
        self.settings = settings
        leases = LayerLeases()
        copyTurns = Turns()
        feed = ChangeFeed()
        self.giveBackMemory = giveBackMemory
        ledger = SpaceLedger(catalog: catalog, giveBackMemory: giveBackMemory)
    }
}

/// What an operator can turn.
package struct Settings: Sendable {
    package var collection: CollectionPolicy
    /// How long "undo revert" stays possible.
    package var undoLifetime: Duration
    /// How long what was destroyed can be recovered.
    package var destroyedLifetime: Duration
    /// How long a guest has to shut down before the plug is pulled.
    package var gracefulStop: Duration
    /// Free space that must remain on a pool after whatever a job is known to need.
    package var reserve: ByteCount
    /// Heavy jobs that run at once on one pool.
    package var heavySlots: Int
    /// Jobs that wait for the network at once.
    package var networkSlots: Int
    /// The largest image that is fetched.
    package var largestImage: ByteCount
    /// How long ended jobs can be asked for.
    package var jobLifetime: Duration
    /// How long to wait before a result that the catalog could not record is recorded again.
    package var catalogPause: Duration
    /// How long a pool may take to say how it is before it counts as down.
    package var poolPatience: Duration

    package init(
        collection: CollectionPolicy = CollectionPolicy(),
        undoLifetime: Duration = .seconds(7 * 86_400),
        destroyedLifetime: Duration = .seconds(86_400),
        gracefulStop: Duration = .seconds(60),
        reserve: ByteCount = .mebibytes(64),
        heavySlots: Int = 2,
        networkSlots: Int = 4,
        largestImage: ByteCount = .gibibytes(4 * 1_024),
        jobLifetime: Duration = .seconds(7 * 86_400),
        catalogPause: Duration = .seconds(1),
        poolPatience: Duration = .seconds(2)
    ) {
        self.collection = collection
        self.undoLifetime = undoLifetime
        self.destroyedLifetime = destroyedLifetime
        self.gracefulStop = gracefulStop
        self.reserve = reserve
        self.heavySlots = heavySlots
        self.networkSlots = networkSlots
        self.largestImage = largestImage
        self.jobLifetime = jobLifetime
        self.catalogPause = catalogPause
        self.poolPatience = poolPatience
    }
}
