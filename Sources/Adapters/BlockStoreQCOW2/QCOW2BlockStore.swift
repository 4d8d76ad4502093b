import DiskImages
import Foundation
package import Logging
package import NIOCore
import Platform
import QEMU
package import SnapshotDomain
package import SnapshotPorts

/// Layers as qcow2 files in one folder.
///
/// Creating and looking is our own code on the file's header; everything that moves guests' bytes is done by a QEMU
/// program: the machine's own when it has the disk open, else a storage daemon that lives for one operation. A daemon
/// takes some twenty milliseconds to start, and in return no operation can leave a node, a lock or a half-known state to
/// the next, and a parent that two operations read at once is simply open twice.
///
/// `docs/storage-design.md` is the contract for what lies on disk, in which order it is written, and what a crash leaves.
package final class QCOW2BlockStore: BlockStore {
    package let pool: PoolID
    /// One transaction of QEMU's.
    package let switchesDisksTogether = true
    let folder: LayerFolder
    let index = LayerIndex()
    let runtime: RuntimeFolder
    let group: any EventLoopGroup
    let logger: Logger
    /// Headers, renames, fsyncs: milliseconds each.
    let quick: BlockingPool
    /// Hashing and copying of bytes in our own process.
    let heavy: BlockingPool
    let tool: ImageTool
    let reached: @Sendable (CrashPoint) throws -> Void
    private let workspace: ScratchDirectory
    private let quarantinePath: String

    private init(
        pool: PoolID,
        folder: LayerFolder,
        workspace: ScratchDirectory,
        quarantine: String,
        runtime: RuntimeFolder,
        group: any EventLoopGroup,
        quick: BlockingPool,
        logger: Logger
    ) {
        self.pool = pool
        self.folder = folder
        self.workspace = workspace
        quarantinePath = quarantine
        self.runtime = runtime
        self.group = group
        self.quick = quick
        self.logger = logger
        reached = folder.reached
        heavy = BlockingPool(name: "\(pool)-heavy", width: 2)
        tool = ImageTool(pool: heavy)
    }

    /// Opens a pool, making its folders if need be, and removes what the half-done work of a former run left in `tmp/`.
    ///
    /// - Parameters:
    ///   - pool: The name of the pool.
    ///   - path: The pool's folder.
    ///   - quarantine: Where unknown things go; on the same file system.
    ///   - runtime: Where sockets of storage daemons are made; a short path elsewhere is used when this one is too long.
    ///   - group: Who runs the connections to QEMU's programs.
    ///   - logger: Told of what the store cannot tell its caller.
    ///   - reached: Called at every crash point, for tests; what it throws ends the work there.
    /// - Returns: The store, which knows what stands on what.
    /// - Throws: ``BlockStoreFault`` when the folders cannot be made or read.
    package static func open(
        pool: PoolID,
        at path: String,
        quarantine: String,
        runtime: String,
        group: any EventLoopGroup,
        logger: Logger,
        reached: @escaping @Sendable (CrashPoint) throws -> Void = { _ in }
    ) async throws(BlockStoreFault) -> QCOW2BlockStore {
        let quick = BlockingPool(name: "\(pool)-quick", width: 4)
        let runtime = RuntimeFolder(preferred: runtime)
        let opened: (workspace: ScratchDirectory, folder: LayerFolder, inventory: PoolInventory)
        do {
            opened = try await quick.run {
                let temporary = LayerFolder.temporary(in: path)
                for made in [LayerFolder.layers(in: path), temporary, quarantine] {
                    try FileManager.default.createDirectory(
                        atPath: made,
                        withIntermediateDirectories: true,
                        attributes: [.posixPermissions: 0o700]
                    )
                }
                try runtime.make()
                _ = try ScratchDirectory.sweepAbandoned(in: runtime.path)
                _ = try ScratchDirectory.sweepAbandoned(in: temporary)
                let workspace = try ScratchDirectory.create(in: temporary, prefix: "work")
                let folder = LayerFolder(path: path, workspace: workspace.path, reached: reached)
                return (workspace, folder, try folder.inventory())
            }
        } catch {
            throw BlockStoreFault(error, trying: "open '\(path)'")
        }
        let store = QCOW2BlockStore(
            pool: pool,
            folder: opened.folder,
            workspace: opened.workspace,
            quarantine: quarantine,
            runtime: runtime,
            group: group,
            quick: quick,
            logger: logger
        )
        for layer in opened.inventory.layers { store.index.put(layer.id, on: layer.parent) }
        return store
    }

    /// Lets go of the store's threads and its place in `tmp/`.
    ///
    /// Nothing may be under way.
    package func close() async {
        await removeTemporary(inWorkspace: workspace)
        await quick.shutdown()
        await heavy.shutdown()
    }

    private func removeTemporary(inWorkspace workspace: ScratchDirectory) async {
        do {
            try await quick.run(evenCancelled: true) { try workspace.remove() }
        } catch {
            logger.warning("a temporary folder stays until the next start", metadata: ["error": .string("\(error)")])
        }
    }

    // MARK: Looking

    package func capacity() async throws(BlockStoreFault) -> PoolCapacity {
        let path = folder.layers
        let space = try await onDisk("measure its room") { try FileSystemSpace.at(path) }
        return PoolCapacity(total: ByteCount(space.totalBytes), free: ByteCount(space.availableBytes))
    }

    package func inventory() async throws(BlockStoreFault) -> PoolInventory {
        let folder = folder
        return try await onDisk("list its layers") { try folder.inventory() }
    }

    package func findLayer(_ id: LayerID) async throws(BlockStoreFault) -> StoredLayer? {
        let folder = folder
        return try await onDisk("look at the layer \(id)") { try folder.find(id) }
    }

    func getLayer(_ id: LayerID) async throws(BlockStoreFault) -> StoredLayer {
        guard let stored = try await findLayer(id) else { throw .missing(id) }
        return stored
    }

    // MARK: Making and removing

    package func createLayer(_ id: LayerID, size: ByteCount) async throws(BlockStoreFault) {
        try requireSize(size)
        let folder = folder
        try await onDisk("create the layer \(id)") { try folder.create(id, size: size, on: nil) }
    }

    /// The same with and without a machine: the file is made at once, and a machine is put on it by the switch.
    package func createLayer(
        _ id: LayerID,
        on parent: LayerID,
        size: ByteCount,
        through channel: (any LiveBlockChannel)?
    ) async throws(BlockStoreFault) {
        try requireSize(size)
        let folder = folder
        let isNew = try index.announce(id, on: parent)
        do {
            try await onDisk("create the layer \(id)") {
                guard let below = try folder.find(parent) else { throw BlockStoreFault.missing(parent) }
                guard size >= below.size else {
                    throw BlockStoreFault(
                        .exists,
                        .notDone,
                        "The layer \(parent) has \(below.size); what stands on it cannot be smaller."
                    )
                }
                try folder.create(id, size: size, on: parent)
            }
        } catch {
            if isNew, error.outcome == .notDone { index.put(id, on: try await findLayer(id)?.parent) }
            throw error
        }
    }

    func requireSize(_ size: ByteCount) throws(BlockStoreFault) {
        guard size.bytes > 0, size.bytes % BlankLayer.sectorSize == 0, size <= VolumeLimits.largest else {
            throw BlockStoreFault(
                .io,
                .notDone,
                "A layer cannot have \(size.bytes) bytes: choose a multiple of 512 up to \(VolumeLimits.largest)."
            )
        }
    }

    package func deleteLayer(_ id: LayerID) async throws(BlockStoreFault) {
        try index.beginLeaving(id)
        let folder = folder
        do {
            try await onDisk("remove the layer \(id)") { try folder.remove(id) }
        } catch {
            index.stay(id)
            throw error
        }
        index.forget(id)
    }

    package func quarantine(_ item: UnknownItem) async throws(BlockStoreFault) -> String {
        let name = item.layer.map(LayerFolder.name) ?? item.name
        guard !name.isEmpty, !name.contains("/"), name != ".", name != ".." else {
            throw BlockStoreFault(.notFound, .notDone, "'\(name)' is not the name of something in the pool.")
        }
        let (source, place) = ("\(folder.layers)/\(name)", "\(quarantinePath)/\(pool)-\(RandomName.make())-\(name)")
        if let layer = item.layer { try index.beginLeaving(layer) }
        do {
            try await onDisk("set '\(name)' aside") {
                guard let facts = try FileFacts.find(source) else {
                    throw BlockStoreFault(.notFound, .notDone, "'\(name)' is not in the pool any more.")
                }
                guard try facts.isDirectory || !ImageLock.isHeld(source) else {
                    throw BlockStoreFault(.inUse, .notDone, "A program has '\(name)' open.")
                }
                try DurableFile.rename(source, to: place)
            }
        } catch {
            if let layer = item.layer { index.stay(layer) }
            throw error
        }
        if let layer = item.layer { index.forget(layer) }
        return place
    }

    package func growLayer(
        _ id: LayerID,
        to size: ByteCount,
        through channel: (any LiveBlockChannel)?
    ) async throws(BlockStoreFault) {
        try requireSize(size)
        let client = try client(of: channel)
        let stored = try await getLayer(id)
        guard stored.size <= size else { throw .shape(of: id) }
        guard index.children(of: id).isEmpty else {
            throw BlockStoreFault(
                .inUse,
                .notDone,
                "Other layers stand on the layer \(id); only what is on top can grow."
            )
        }
        let path = folder.file(of: id)
        try await attempt("grow the layer \(id)") {
            if stored.size < size {
                let isLive = try await isOpen(id, client)
                if let client, isLive {
                    let arguments: [String: JSONValue] = [
                        "node-name": .string(LayerNode(id).name), "size": .integer(size.bytes),
                    ]
                    try await client.execute("block_resize", arguments)
                } else {
                    try await tool.resize(path, format: .qcow2, toBytes: size.bytes)
                }
                try reached(.layerGrown)
            }
            try await quick.run { try DurableFile.sync(file: path) }
        }
    }

    private func isOpen(_ layer: LayerID, _ client: QMPClient?) async throws -> Bool {
        guard let client else { return false }
        return try await MachineDisks(of: client).open[layer] != nil
    }

    // MARK: For machines

    /// The chain is read from the files: after a merge whose record was lost they are right, and the catalog will be.
    package func diskSource(for chain: [LayerID]) async throws(BlockStoreFault) -> DiskSource {
        guard let top = chain.first else {
            throw BlockStoreFault(.notFound, .notDone, "A disk without layers cannot be opened.")
        }
        let stored = try await storedChain(of: top)
        return try await attempt("describe a disk") { try DiskSource(blockChain(stored)) }
    }

    /// Every layer is a node of its own in QEMU: what is open is the layer.
    package func writtenLayer(through handle: DiskHandle) async throws(BlockStoreFault) -> LayerID? {
        guard let layer = handle.layer?.layer else { return nil }
        return try await findLayer(layer)?.id
    }

    package func openLayers(through handles: Set<DiskHandle>) async throws(BlockStoreFault) -> Set<LayerID> {
        Set(handles.compactMap { $0.layer?.layer })
    }

    // MARK: Parts

    /// The files of a chain, base first, with the names that every program of ours gives their nodes.
    func blockChain(_ chain: [LayerID]) -> BlockChain {
        BlockChain(chain.reversed().map { node($0) })
    }

    func node(_ layer: LayerID) -> BlockChainLayer {
        let node = LayerNode(layer)
        return BlockChainLayer(nodeName: node.name, path: folder.file(of: layer), fileNodeName: node.fileName)
    }

    /// A layer and its ancestors as their headers say, nearest first.
    func storedChain(of layer: LayerID) async throws(BlockStoreFault) -> [LayerID] {
        let folder = folder
        return try await onDisk("read the chain of the layer \(layer)") {
            var chain: [LayerID] = []
            var next: LayerID? = layer
            while let id = next {
                guard !chain.contains(id) else {
                    throw BlockStoreFault(.damaged, .notDone, "The layer \(id) stands on itself.")
                }
                guard let stored = try folder.find(id) else {
                    guard let above = chain.last else { throw BlockStoreFault.missing(id) }
                    throw BlockStoreFault(.damaged, .notDone, "The layer \(id), on which \(above) stands, is gone.")
                }
                chain.append(id)
                next = stored.parent
            }
            return chain
        }
    }

    func client(of channel: (any LiveBlockChannel)?) throws(BlockStoreFault) -> QMPClient? {
        guard let channel else { return nil }
        return try machine(of: channel)
    }

    func machine(of channel: any LiveBlockChannel) throws(BlockStoreFault) -> QMPClient {
        guard let channel = channel as? QEMUBlockChannel else {
            throw BlockStoreFault(.unavailable, .notDone, "The machine is of a kind that this pool cannot work with.")
        }
        return channel.client
    }
}
