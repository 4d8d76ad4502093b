package import Foundation
package import SnapshotDomain

/// A place that keeps layers: one folder of files, or one pool of a cluster.
///
/// The catalog says what should exist and why; a block store says what does. It knows no volumes, snapshots or templates,
/// and decides nothing: the layer tree of SnapshotDomain does, and the store executes its steps.
///
/// ## Promises
///
/// Every conforming type keeps these, and `BlockStoreContract` checks them:
///
/// - **Repeatable.** A call whose answer was lost can be made again with the same identifiers. Creating what exists
///   with the same shape succeeds, and so does deleting what is gone, folding what is folded, pulling what is pulled.
/// - **All or nothing.** A call that throws with outcome `notDone` left nothing behind.
/// - **Durable.** What a call made is on stable storage when it returns.
/// - **Frozen is frozen.** A layer with another one on it never changes its content, whatever is done around it.
/// - **Point in time.** After ``finishSwitch(_:through:)`` the old layers hold every write that the machine acknowledged
///   before the call and none that it acknowledged after it returned; all layers of one call, the same
///   instant, if ``switchesDisksTogether`` or somebody holds the machine meanwhile.
///
/// ## Live disks
///
/// A layer that a running machine has open is changed only through that machine. The caller passes the machine's
/// ``LiveBlockChannel``; which protocol it speaks is between the store and the hypervisor.
///
/// - Important: No method blocks the calling thread. Cancelling the task of a long call (fold, pull, copy, digest, export,
///   import) ends it soon with code `cancelled`, and what it made is gone.
package protocol BlockStore: Sendable {
    var pool: PoolID { get }

    /// Whether ``finishSwitch(_:through:)`` puts several disks over at one instant by itself.
    ///
    /// Where it does not, whoever wants one instant holds the guest's processors for the length of the call.
    var switchesDisksTogether: Bool { get }

    // MARK: Looking

    /// What the pool can still take. Cheap enough to ask before every job.
    func capacity() async throws(BlockStoreFault) -> PoolCapacity

    /// Everything that lies in the pool, as found on the medium and not as remembered. For the reconciler.
    func inventory() async throws(BlockStoreFault) -> PoolInventory

    /// One layer as found on the medium, or nil.
    func findLayer(_ id: LayerID) async throws(BlockStoreFault) -> StoredLayer?

    // MARK: Making and removing

    /// Creates a blank layer with nothing below it.
    func createLayer(_ id: LayerID, size: ByteCount) async throws(BlockStoreFault)

    /// Creates an empty layer on another one, whose content it shows. Milliseconds, whatever the sizes; takes no space.
    ///
    /// - Parameters:
    ///   - id: The new layer.
    ///   - parent: From now on frozen, unless a machine writes it.
    ///   - size: At least the parent's.
    ///   - channel: The way to the machine that writes the parent now. It goes on writing there until it is switched over
    ///     (``prepareSwitch(_:through:)``), and only from then on is the new layer sure to be found. Nil says that no
    ///     machine writes the parent: whoever still holds it is dead.
    /// - Throws: `notFound` without the parent, `exists` for an identity that has another shape, `noSpace`.
    func createLayer(
        _ id: LayerID,
        on parent: LayerID,
        size: ByteCount,
        through channel: (any LiveBlockChannel)?
    ) async throws(BlockStoreFault)

    /// Removes a layer. Refuses with `inUse` while another layer stands on it or a program has it open.
    func deleteLayer(_ id: LayerID) async throws(BlockStoreFault)

    /// Moves something that the catalog does not know out of the way, never away. Returns where it went.
    func quarantine(_ item: UnknownItem) async throws(BlockStoreFault) -> String

    /// Grows a layer. Its content stays; what is new reads as zeros.
    func growLayer(_ id: LayerID, to size: ByteCount, through channel: (any LiveBlockChannel)?)
        async throws(BlockStoreFault)

    // MARK: Putting a running machine on new layers

    /// Makes a machine ready to write to other layers: everything that can be done before the instant.
    func prepareSwitch(_ switches: [LayerSwitch], through channel: any LiveBlockChannel) async throws(BlockStoreFault)

    /// Switches all given disks of one machine, all or none. A few milliseconds.
    ///
    /// At one instant if ``switchesDisksTogether``, else nearly so.
    func finishSwitch(_ switches: [LayerSwitch], through channel: any LiveBlockChannel) async throws(BlockStoreFault)

    /// Takes back what was prepared. Harmless for what was finished or never prepared.
    func abandonSwitch(_ switches: [LayerSwitch], through channel: any LiveBlockChannel) async throws(BlockStoreFault)

    // MARK: Converging

    /// Moves a layer's own bytes down into its parent, which then takes the layer's place and identity.
    ///
    /// The parent is gone afterwards, and the layer stands where the parent stood. The layer's content does not change.
    /// Other layers that stand on it notice nothing. Copies the layer's own bytes at most.
    ///
    /// - Precondition: Nothing else stands on the parent, both have one size, and no machine writes the layer.
    func foldLayer(
        _ id: LayerID,
        into parent: LayerID,
        through channel: (any LiveBlockChannel)?,
        progress: @escaping ProgressHandler
    ) async throws(BlockStoreFault)

    /// Copies what a layer reads from the ancestors above `ancestor` up into it, and puts it on `ancestor`, or on nothing.
    ///
    /// Neither content nor any other layer changes. Copies at most the bytes that the layer does not hold itself.
    func pullLayer(
        _ id: LayerID,
        downTo ancestor: LayerID?,
        through channel: (any LiveBlockChannel)?,
        progress: @escaping ProgressHandler
    ) async throws(BlockStoreFault)

    // MARK: Content

    /// Copies the whole content of a frozen layer, or of one that nobody writes meanwhile, into a new one that depends on
    /// nothing.
    ///
    func copyLayer(_ source: LayerID, to copy: LayerID, progress: @escaping ProgressHandler)
        async throws(BlockStoreFault)

    /// The digest of the content of a frozen layer, or of one that nobody writes meanwhile: zeros included, by the scheme of
    /// `docs/storage-design.md`.
    ///
    func digest(of layer: LayerID, progress: @escaping ProgressHandler) async throws(BlockStoreFault) -> ContentDigest

    /// Opens the content of a frozen layer, or of one that nobody writes meanwhile, for reading as one file of a format.
    ///
    func export(_ layer: LayerID, as format: ImageFormat, progress: @escaping ProgressHandler)
        async throws(BlockStoreFault) -> ImageStream

    /// Looks at a stranger's image without trusting it, in confined processes only.
    func inspectImage(at path: String, format: ImageFormat) async throws(BlockStoreFault) -> ImageFacts

    /// Converts a stranger's image into a new layer that depends on nothing.
    ///
    /// - Throws: `badImage` for anything that is damaged or refers to other files, `noSpace` before anything is written.
    func importImage(at path: String, format: ImageFormat, to layer: LayerID, progress: @escaping ProgressHandler)
        async throws(BlockStoreFault)

    /// Makes a new layer, which depends on nothing, of a raw content that is sent to it: how a content comes from another pool.
    ///
    /// The layer has the length of the content. Zeros take no space, whoever sends them. A layer that is there already, with
    /// that size, is left as it is, and nothing is read.
    ///
    /// - Throws: `badImage` for a content that ends early or is longer than it said; what the content's own iteration throws,
    ///   if that is a ``BlockStoreFault``; `exists` for an identity that has another shape; `noSpace`.
    func importContent(_ content: ImageStream, to layer: LayerID, progress: @escaping ProgressHandler)
        async throws(BlockStoreFault)

    // MARK: For machines

    /// What a hypervisor needs to open a layer as a writable disk. Only a hypervisor of the same kind understands it.
    ///
    /// - Parameter chain: The layer and its ancestors as the catalog knows them, nearest first.
    /// - Returns: The description.
    /// - Throws: `notFound` when the pool lacks one of them.
    func diskSource(for chain: [LayerID]) async throws(BlockStoreFault) -> DiskSource

    /// The layer that is written through something that a machine has open.
    ///
    /// One handle may lead to one layer for ever, or to another after each switch, where the store freezes layers behind
    /// the machine's back.
    ///
    /// - Returns: The layer, or nil for a handle that is not of this pool.
    func writtenLayer(through handle: DiskHandle) async throws(BlockStoreFault) -> LayerID?

    /// The layers that a machine uses which has these open.
    ///
    /// - Parameter handles: Everything that the machine has open (``Hypervisor/openDisks(of:)``), in whichever pools.
    /// - Returns: Each layer of this pool that is written or read through them, those below included. Layers that the pool
    ///   does not have may be among them: an identity is never used twice.
    /// - Throws: `unavailable` when the pool has to be asked and does not answer.
    func openLayers(through handles: Set<DiskHandle>) async throws(BlockStoreFault) -> Set<LayerID>
}

/// Told how far a long call is: bytes done, bytes in all.
///
/// Called often and from any thread: be quick.
package typealias ProgressHandler = @Sendable (_ done: ByteCount, _ total: ByteCount) -> Void

/// The way to a running machine's disks, handed from a hypervisor to a block store.
///
/// What is behind it is theirs alone.
package protocol LiveBlockChannel: Sendable {
    var instance: InstanceID { get }
}

/// One disk of a running machine goes over from a layer to the empty layer on it.
///
package struct LayerSwitch: Hashable, Sendable, Codable {
    package var from: LayerID
    package var to: LayerID

    package init(from: LayerID, to: LayerID) {
        self.from = from
        self.to = to
    }
}

/// How a machine opens a disk.
///
/// Opaque to everything between the store and the hypervisor.
package struct DiskSource: Hashable, Sendable, Codable {
    /// Which kind of description it is, such as `qemu-block-chain`.
    ///
    package var scheme: String
    package var description: Data

    package init(scheme: String, description: Data) {
        self.scheme = scheme
        self.description = description
    }
}

/// Something that a machine has open in a pool, in the store's own word.
///
/// Opaque to everything between the store and the hypervisor. It says what is open and not which layer that is: a store
/// whose disks are files may have a handle for each layer, one whose disks are images of a cluster a handle for each image.
package struct DiskHandle: Hashable, Sendable, Codable {
    package var name: String

    package init(_ name: String) {
        self.name = name
    }
}

/// How much a pool can hold in all and still, in bytes of its medium.
package struct PoolCapacity: Hashable, Sendable {
    package var total: ByteCount
    package var free: ByteCount

    package init(total: ByteCount, free: ByteCount) {
        self.total = total
        self.free = free
    }
}

/// A layer as it lies on the medium.
package struct StoredLayer: Hashable, Sendable {
    package var id: LayerID
    package var parent: LayerID?
    package var size: ByteCount
    package var allocated: ByteCount

    package init(id: LayerID, parent: LayerID?, size: ByteCount, allocated: ByteCount) {
        self.id = id
        self.parent = parent
        self.size = size
        self.allocated = allocated
    }
}

/// Something in a pool that is no layer that could be read.
package struct UnknownItem: Hashable, Sendable {
    /// Its name in the pool.
    package var name: String
    package var allocated: ByteCount
    /// Set when it is a readable layer that the catalog does not know.
    package var layer: LayerID?
    package var reason: String

    package init(name: String, allocated: ByteCount, layer: LayerID? = nil, reason: String) {
        self.name = name
        self.allocated = allocated
        self.layer = layer
        self.reason = reason
    }
}

/// All that lies in a pool.
package struct PoolInventory: Hashable, Sendable {
    package var layers: [StoredLayer]
    package var unknown: [UnknownItem]

    package init(layers: [StoredLayer], unknown: [UnknownItem]) {
        self.layers = layers
        self.unknown = unknown
    }
}

/// A file format for images that come and go.
///
/// Stored.
package enum ImageFormat: String, Sendable, Codable, CaseIterable {
    case qcow2
    case raw
}

/// What an inspection found.
///
package struct ImageFacts: Hashable, Sendable {
    package var format: ImageFormat
    package var size: ByteCount
    /// What the converted layer will take, as an upper bound.
    package var needed: ByteCount

    package init(format: ImageFormat, size: ByteCount, needed: ByteCount) {
        self.format = format
        self.size = size
        self.needed = needed
    }
}

/// The bytes of an exported image, pulled by the reader.
package struct ImageStream: Sendable {
    /// Known beforehand, so that a client can tell a cut download from a whole one.
    package var length: ByteCount
    /// SHA-256 of the bytes, when it is known before they are sent.
    package var sha256: [UInt8]?
    /// Chunks of at most 1 MiB.
    ///
    /// Ends after `length` bytes or throws a ``BlockStoreFault``. Can be iterated once.
    package var chunks: AsyncThrowingStream<Data, any Error>
    /// What must live as long as somebody reads: keep the whole value until the last chunk.
    ///
    package var retained: (any Sendable)?

    package init(length: ByteCount, sha256: [UInt8]?, chunks: AsyncThrowingStream<Data, any Error>) {
        self.length = length
        self.sha256 = sha256
        self.chunks = chunks
    }
}
