package import Ceph
import DiskImages
import Foundation
package import Logging
import Platform
import QEMU
package import SnapshotDomain
package import SnapshotPorts
import Synchronization

/// Layers as images and snapshots of one pool of a Ceph cluster.
///
/// ```
///  image instanta.A    @A.B     @B.C      head          A, B are frozen, C is written
///                         \
///  image instanta.D        head                         D is a clone on A
/// ```
///
/// One image holds a line of layers; a layer on one that is not the last of its line begins a line of its own, as a clone.
/// Freezing is one call, whatever the sizes, and a machine goes on in the image that it has open. Nothing is ever copied to
/// delete a layer in the middle: its snapshot goes, and the cluster keeps what others still need.
///
/// Names and snapshots say what exists; ``Notes`` say the little that names cannot. Both are on the cluster only: the store keeps
/// what it has read (``PoolMap``), and reads an image anew whenever a call on it had no certain end.
///
/// `docs/storage-design.md` is the contract for what lies in the pool, in which order it changes, and what a crash leaves.
package final class RBDBlockStore: BlockStore {
    /// Beyond this many images below it, a layer that is merged is made independent instead: each one costs at every opening.
    static let mostImagesBelow = 8
    static let objectSize: Int64 = 4 << 20
    private static let sectorSize: Int64 = 512

    struct State: Sendable {
        var map = PoolMap()
        var isLoaded = false
        /// Images whose last change had no certain end.
        var doubtful: Set<String> = []
        var areNotesDoubtful = false
        /// Counts the changes of an image, so that what was read meanwhile is not mistaken for news.
        var changes: [String: Int] = [:]
    }

    /// A layer that will be there when a machine is switched over to it.
    struct Intended: Sendable {
        var parent: LayerID
        var isPrepared = false
    }

    /// Set apart for sizes that never change again.
    struct PieceKey: Hashable, Sendable {
        var image: String
        var from: UInt64
        var to: UInt64
    }

    package let pool: PoolID
    /// Each image freezes by itself.
    package let switchesDisksTogether = false
    let names: ImageNames
    let calls: ClusterCalls
    let logger: Logger
    let reached: @Sendable (CrashPoint) throws -> Void
    let turns = ImageTurns()
    let state = Mutex(State())
    let intended = Mutex<[LayerID: Intended]>([:])
    let knownSizes = Mutex<[PieceKey: Int64]>([:])
    /// For files on the service's own disk.
    let files: BlockingPool
    let workspace: ScratchDirectory

    private init(
        pool: PoolID,
        calls: ClusterCalls,
        names: ImageNames,
        files: BlockingPool,
        workspace: ScratchDirectory,
        logger: Logger,
        reached: @escaping @Sendable (CrashPoint) throws -> Void
    ) {
        self.pool = pool
        self.calls = calls
        self.names = names
        self.files = files
        self.workspace = workspace
        self.logger = logger
        self.reached = reached
    }

    /// Opens a pool.
    ///
    /// Does not ask the cluster: where it is away, calls say so, and work when it is back.
    ///
    /// - Parameters:
    ///   - pool: The name of the pool in the catalog.
    ///   - address: The cluster, the user and the pool there.
    ///   - prefix: Where the names of our images begin: another one lets two services share a pool.
    ///   - temporary: A folder of the service's for images that come and go.
    ///   - patience: How long the cluster may be silent.
    ///   - logger: Told of what the store cannot tell its caller.
    ///   - reached: Called at every crash point, for tests; what it throws ends the work there.
    /// - Returns: The store.
    /// - Throws: ``BlockStoreFault`` when the folder cannot be made.
    package static func open(
        pool: PoolID,
        at address: ClusterAddress,
        prefix: String = "instanta",
        temporary: String,
        patience: ClusterPatience = ClusterPatience(),
        logger: Logger,
        reached: @escaping @Sendable (CrashPoint) throws -> Void = { _ in }
    ) async throws(BlockStoreFault) -> RBDBlockStore {
        let files = BlockingPool(name: "\(pool)-files", width: 2)
        let workspace: ScratchDirectory
        do {
            workspace = try await files.run {
                _ = try ScratchDirectory.sweepAbandoned(in: temporary)
                return try ScratchDirectory.create(in: temporary, prefix: "work")
            }
        } catch {
            throw BlockStoreFault(error, trying: "open '\(temporary)'")
        }
        return RBDBlockStore(
            pool: pool,
            calls: ClusterCalls(address, patience: patience, name: "\(pool)"),
            names: ImageNames(prefix: prefix),
            files: files,
            workspace: workspace,
            logger: logger,
            reached: reached
        )
    }

    /// Lets go of the connection, the threads and the folder.
    ///
    /// Nothing may be under way.
    package func close() async {
        do {
            try await files.run(evenCancelled: true) { [workspace] in try workspace.remove() }
        } catch {
            logger.warning("a temporary folder stays until the next start", metadata: ["error": .string("\(error)")])
        }
        await calls.close()
        await files.shutdown()
    }

    // MARK: Looking

    package func capacity() async throws(BlockStoreFault) -> PoolCapacity {
        let name = calls.address.pool
        let answer = try await calls.run("measure its room") { cluster in
            try cluster.ask(#"{"prefix": "df", "detail": "detail", "format": "json"}"#)
        }
        guard let stats = PoolStatistics.find(name, in: answer), stats.maxAvailable + stats.used > 0 else {
            // Without its manager a cluster says 0 of everything, which is not the same as full.
            throw BlockStoreFault(
                .unavailable,
                .notDone,
                """
                The cluster does not say how much room the pool '\(name)' has, perhaps because its manager (ceph-mgr) does not \
                run. Look at 'ceph --conf \(calls.address.configuration) df'.
                """
            )
        }
        return stats.capacity
    }

    package func findLayer(_ id: LayerID) async throws(BlockStoreFault) -> StoredLayer? {
        try await load()
        var map = state.withLock { $0.map }
        let image = map.index().places[id]?.image ?? names.image(id)
        guard let line = try await read(image) else { return nil }
        map.lines[image] = line
        guard map.index().places[id] != nil else { return nil }
        return try await measure(id, in: &map)
    }

    func getLayer(_ id: LayerID) async throws(BlockStoreFault) -> StoredLayer {
        guard let stored = try await findLayer(id) else { throw .missing(id) }
        return stored
    }

    // MARK: Making

    package func createLayer(_ id: LayerID, size: ByteCount) async throws(BlockStoreFault) {
        try Self.requireSize(size)
        try await load()
        let (image, reached) = (names.image(id), reached)
        try await turns.hold([image]) { () async throws(BlockStoreFault) in
            try await settle([image])
            if let known = known(id) {
                guard known.parent == nil, known.size == size else { throw .shape(of: id) }
                return
            }
            try await changing(image, "create the layer \(id)") { cluster in
                do {
                    try cluster.createImage(image, sizeBytes: size.bytes)
                } catch let fault as CephFault where fault.errno == EEXIST {
                    // Made by a call whose answer was lost; what it is like is checked below.
                }
                try reached(.imageMade)
            }
            guard let made = known(id), made.parent == nil, made.size == size else { throw .shape(of: id) }
        }
    }

    package func createLayer(
        _ id: LayerID,
        on parent: LayerID,
        size: ByteCount,
        through channel: (any LiveBlockChannel)?
    ) async throws(BlockStoreFault) {
        try Self.requireSize(size)
        try await load()
        let image = try await imageNow(of: parent, orOf: id)
        try await turns.hold([image, names.image(id)]) { () async throws(BlockStoreFault) in
            try await settle([image, names.image(id)])
            if let known = known(id) {
                guard known.parent == parent, known.size <= size else { throw .shape(of: id) }
                if known.size < size { try await completeSize(of: id, size) }
                return
            }
            guard let below = known(parent), let place = place(of: parent) else { throw .missing(parent) }
            guard size >= below.size else {
                throw BlockStoreFault(
                    .exists,
                    .notDone,
                    "The layer \(parent) has \(below.size); what stands on it cannot be smaller."
                )
            }
            if let point = place.point { return try await clone(place.image, point, to: id, size) }
            guard channel == nil else {
                // Nothing is written down: whoever asks for a switch has the intent in its own book, and asks again.
                intended.withLock { $0[id] = $0[id] ?? Intended(parent: parent) }
                return
            }
            try await freeze(parent, in: place.image, goingOnAs: id, size, isLive: false)
        }
    }

    /// One atomic call: what was the head is frozen under the name of its layer, and the head is the new layer.
    func freeze(
        _ layer: LayerID,
        in image: String,
        goingOnAs next: LayerID,
        _ size: ByteCount?,
        isLive: Bool
    ) async throws(BlockStoreFault) {
        let (name, reached) = (ImageNames.point(layer, next), reached)
        try await changing(image, "freeze the layer \(layer)") { cluster in
            try cluster.withImage(image, isReadOnly: false) { open in
                if !isLive { try Self.takeOver(open, cluster) }
                do {
                    try open.createSnapshot(name)
                } catch let fault as CephFault where fault.errno == EEXIST {
                    // By a call whose answer was lost.
                }
                try reached(.pointMade)
                if let size, try open.sizeBytes() < size.bytes { try open.resize(toBytes: size.bytes) }
            }
        }
    }

    private func clone(
        _ image: String,
        _ point: Line.Point,
        to id: LayerID,
        _ size: ByteCount
    ) async throws(BlockStoreFault) {
        let (name, reached) = (names.image(id), reached)
        try await changing(name, "create the layer \(id)") { cluster in
            do {
                try cluster.clone(image, snapshot: point.name, to: name)
            } catch let fault as CephFault where fault.errno == EEXIST {
                // By a call whose answer was lost.
            }
            try reached(.imageMade)
            if size.bytes > point.sizeBytes {
                try cluster.withImage(name, isReadOnly: false) { try $0.resize(toBytes: size.bytes) }
            }
        }
        guard let made = known(id), made.parent == point.frozen, made.size == size else { throw .shape(of: id) }
    }

    /// Ends the making of a layer that is larger than what it stands on, which takes two calls.
    private func completeSize(of id: LayerID, _ size: ByteCount) async throws(BlockStoreFault) {
        guard let place = place(of: id), place.point == nil, children(of: id).isEmpty,
            let line = state.withLock({ $0.map.lines[place.image] })
        else { throw .shape(of: id) }
        let since = line.points.last?.name
        try await changing(place.image, "create the layer \(id)") { cluster in
            try cluster.withImage(place.image, isReadOnly: false) { open in
                let end = try open.sizeBytes()
                let changes = try open.changes(since: since, in: 0..<end, includesParent: false, wholeObjects: true)
                // Somebody has written it already: it was meant to have this size.
                guard changes.isEmpty else { throw BlockStoreFault.shape(of: id) }
                try Self.takeOver(open, cluster)
                try open.resize(toBytes: size.bytes)
            }
        }
    }

    static func requireSize(_ size: ByteCount) throws(BlockStoreFault) {
        guard size.bytes > 0, size.bytes % sectorSize == 0, size <= VolumeLimits.largest else {
            throw BlockStoreFault(
                .io,
                .notDone,
                "A layer cannot have \(size.bytes) bytes: choose a multiple of 512 up to \(VolumeLimits.largest)."
            )
        }
    }

    package func growLayer(
        _ id: LayerID,
        to size: ByteCount,
        through channel: (any LiveBlockChannel)?
    ) async throws(BlockStoreFault) {
        try Self.requireSize(size)
        let client = try client(of: channel)
        try await load()
        let image = try await imageNow(of: id)
        try await turns.hold([image]) { () async throws(BlockStoreFault) in
            try await settle([image])
            guard let stored = known(id), let place = place(of: id) else { throw .missing(id) }
            guard stored.size <= size else { throw .shape(of: id) }
            guard place.point == nil, children(of: id).isEmpty else {
                throw BlockStoreFault(
                    .inUse,
                    .notDone,
                    "Other layers stand on the layer \(id); only what is on top can grow."
                )
            }
            let reached = reached
            if stored.size < size {
                try await changing(image, "grow the layer \(id)") { cluster in
                    try cluster.withImage(image, isReadOnly: false) { open in
                        if client == nil { try Self.takeOver(open, cluster) }
                        try open.resize(toBytes: size.bytes)
                    }
                    try reached(.grown)
                }
            }
            guard let client else { return }
            // The program reads an image's size when it opens it; this lets it and its guest see the new one.
            do {
                guard let node = names.layer(ofImage: image).map(ImageNode.init) else { return }
                let arguments: [String: JSONValue] = ["node-name": .string(node.name), "size": .integer(size.bytes)]
                try await client.execute("block_resize", arguments)
            } catch {
                throw BlockStoreFault(error, trying: "grow the layer \(id)", outcome: .unknown)
            }
        }
    }

    // MARK: For machines

    package func diskSource(for chain: [LayerID]) async throws(BlockStoreFault) -> DiskSource {
        guard let top = chain.first else {
            throw BlockStoreFault(.notFound, .notDone, "A disk without layers cannot be opened.")
        }
        try await load()
        let image = try await imageNow(of: top)
        try await settle([image])
        guard let place = place(of: top) else { throw .missing(top) }
        guard place.point == nil else {
            throw BlockStoreFault(
                .inUse,
                .notDone,
                "The layer \(top) is frozen, because others stand or stood on it: put a new layer on it, and open that."
            )
        }
        do {
            return try DiskSource(try disk(place.image))
        } catch {
            throw BlockStoreFault(error, trying: "describe a disk", outcome: .notDone)
        }
    }

    func disk(_ image: String) throws(BlockStoreFault) -> RBDDisk {
        guard let first = names.layer(ofImage: image) else {
            throw BlockStoreFault(.notFound, .notDone, "The image \(image) is none of this pool's.")
        }
        return RBDDisk(
            nodeName: ImageNode(first).name,
            pool: calls.address.pool,
            namespace: calls.address.namespace,
            image: image,
            configuration: calls.address.configuration,
            user: calls.address.user
        )
    }

    /// Answered from memory: who asks is in the middle of a switch, or looks at many machines.
    package func writtenLayer(through handle: DiskHandle) async throws(BlockStoreFault) -> LayerID? {
        guard let node = handle.image else { return nil }
        return try await layers(openIn: names.image(node.image)).first
    }

    package func openLayers(through handles: Set<DiskHandle>) async throws(BlockStoreFault) -> Set<LayerID> {
        var layers: Set<LayerID> = []
        for node in handles.compactMap(\.image) {
            layers.formUnion(try await self.layers(openIn: names.image(node.image)))
        }
        return layers
    }

    /// The layers that a machine uses which has an image open, the one that it writes first; none for an image that is not ours.
    private func layers(openIn image: String) async throws(BlockStoreFault) -> [LayerID] {
        try await load()
        if state.withLock({ $0.doubtful.contains(image) || $0.areNotesDoubtful }) {
            try await turns.hold([image]) { () async throws(BlockStoreFault) in try await settle([image]) }
        }
        return state.withLock { state in
            guard let line = state.map.lines[image], let head = state.map.head(of: line) else { return [] }
            return [head] + state.map.ancestors(of: head)
        }
    }

    func client(of channel: (any LiveBlockChannel)?) throws(BlockStoreFault) -> QMPClient? {
        guard let channel else { return nil }
        guard let channel = channel as? QEMUBlockChannel else {
            throw BlockStoreFault(.unavailable, .notDone, "The machine is of a kind that this pool cannot work with.")
        }
        return channel.client
    }
}

extension BlockStoreFault {
    static func missing(_ layer: LayerID) -> BlockStoreFault {
        BlockStoreFault(.notFound, .notDone, "The layer \(layer) is not in the pool.")
    }

    static func shape(of layer: LayerID) -> BlockStoreFault {
        BlockStoreFault(.exists, .notDone, "The layer \(layer) exists with another size or on another layer.")
    }
}

/// What the monitors say of one pool's room.
private struct PoolStatistics {
    var maxAvailable: Int64
    var used: Int64
    /// 0 for none.
    var quota: Int64

    static func find(_ name: String, in answer: Data) -> PoolStatistics? {
        struct Answer: Decodable {
            struct Pool: Decodable {
                struct Stats: Decodable {
                    var maxAvail: Int64
                    var stored: Int64
                    var quotaBytes: Int64?
                }
                var name: String
                var stats: Stats
            }
            var pools: [Pool]
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        guard let pools = try? decoder.decode(Answer.self, from: answer).pools,
            let stats = pools.first(where: { $0.name == name })?.stats
        else { return nil }
        return PoolStatistics(maxAvailable: stats.maxAvail, used: stats.stored, quota: stats.quotaBytes ?? 0)
    }

    /// A quota fills a pool before its disks do.
    var capacity: PoolCapacity {
        guard quota > 0 else {
            return PoolCapacity(total: ByteCount(maxAvailable + used), free: ByteCount(maxAvailable))
        }
        let free = min(maxAvailable, max(0, quota - used))
        return PoolCapacity(total: ByteCount(min(quota, maxAvailable + used)), free: ByteCount(free))
    }
}
