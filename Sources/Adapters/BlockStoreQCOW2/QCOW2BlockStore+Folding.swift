import DiskImages
import Foundation
import Platform
import QEMU
package import SnapshotDomain
package import SnapshotPorts

/// Moves a layer's bytes down into its parent. The write order and what a crash leaves are in `docs/storage-design.md`.
///
/// ```
///  before      g ── parent ── child ── c1, c2 …        c1 and c2 name "child.qcow2" as their backing file
///  copied      g ── parent' ── child ── c1, c2 …       parent' has all that child has: both read the same
///  renamed     g ── child ── c1, c2 …                  parent' took the name, atomically
/// ```
extension QCOW2BlockStore {
    package func foldLayer(
        _ id: LayerID,
        into parent: LayerID,
        through channel: (any LiveBlockChannel)?,
        progress: @escaping ProgressHandler
    ) async throws(BlockStoreFault) {
        let client = try client(of: channel)
        let child = try await getLayer(id)
        if let below = try await findLayer(parent) {
            try requireFoldable(child, into: below)
            try await attempt("merge the layer \(id) into \(parent)") {
                try await copyDown(child, into: parent, client, progress)
                try reached(.foldCopied)
                try await takeName(of: id, with: parent)
            }
            index.put(id, on: below.parent)
            index.forget(parent)
        } else {
            guard child.parent != parent else { throw .missing(parent) }
            // The rename is the last change on disk: a former call came that far, and may have ended before its fsync.
            let folder = folder
            try await onDisk("finish a merge", evenCancelled: true) { try DurableFile.sync(directory: folder.layers) }
        }
        guard let client else { return }
        do {
            let folder = folder
            let ancestor = try await quick.run(evenCancelled: true) { try folder.find(id)?.parent }
            try await renameNode(of: parent, to: id, on: ancestor, client)
        } catch {
            // On disk it is done. The call can be repeated, and the machine's next start needs nothing of it.
            throw BlockStoreFault(error, trying: "name a merged layer in its machine", outcome: .unknown)
        }
    }

    private func requireFoldable(_ child: StoredLayer, into parent: StoredLayer) throws(BlockStoreFault) {
        guard child.parent == parent.id else {
            throw BlockStoreFault(.exists, .notDone, "The layer \(child.id) does not stand on \(parent.id).")
        }
        guard index.children(of: parent.id) == [child.id] else {
            throw BlockStoreFault(.inUse, .notDone, "Other layers stand on the layer \(parent.id); pull them up first.")
        }
        guard child.size == parent.size else {
            throw BlockStoreFault(
                .exists,
                .notDone,
                "The layers \(child.id) and \(parent.id) have different sizes; pull the upper one instead."
            )
        }
    }

    // MARK: Copying

    private func copyDown(
        _ child: StoredLayer,
        into parent: LayerID,
        _ client: QMPClient?,
        _ progress: @escaping ProgressHandler
    ) async throws {
        if let client {
            let disks = try await MachineDisks(of: client)
            if disks.reads(parent) {
                return try await copyDownLive(child.id, into: parent, client, disks, progress)
            }
            // Left open by a call that was cut short; the file can be changed by one program only.
            for layer in [child.id, parent] { try await client.close(layer, in: disks) }
        }
        try await copyDownOffline(child, into: parent, progress)
    }

    private func copyDownLive(
        _ id: LayerID,
        into parent: LayerID,
        _ client: QMPClient,
        _ disks: MachineDisks,
        _ progress: @escaping ProgressHandler
    ) async throws {
        if let chain = disks.chain(through: id), let root = chain.first {
            guard !disks.writes(id) else {
                throw BlockStoreFault(
                    .inUse,
                    .notDone,
                    "A running machine writes the layer \(id); put it to rest under a new layer first."
                )
            }
            try await commit(id, into: parent, below: LayerNode(root).name, client, progress)
        } else {
            // The machine reads the parent and not the child: a former call has copied, and its end was not seen.
            try await client.dismissEndedJob(Self.job(id))
        }
        try await client.close(id, in: try await MachineDisks(of: client))
    }

    /// Uses a storage daemon, with an empty layer of no consequence on top.
    ///
    /// QEMU can also merge the topmost layer itself, but does so in whole clusters of 64 KiB, while below the top it
    /// copies exactly what the child holds.
    private func copyDownOffline(
        _ child: StoredLayer,
        into parent: LayerID,
        _ progress: @escaping ProgressHandler
    ) async throws {
        let folder = folder
        let chain = try await storedChain(of: child.id)
        let top = LayerNode(.random())
        let path = folder.temporaryFile("merge")
        try await quick.run { try folder.writeBlank(size: child.size, on: child.id, to: path) }
        let result: Result<Void, any Error>
        do {
            try await withDaemon(opening: chain) { _, client in
                let layer = BlockChainLayer(nodeName: top.name, path: path, fileNodeName: top.fileName)
                let child = LayerNode(child.id).name
                try await client.execute(
                    "blockdev-add",
                    BlockChain.blockdevArguments(layer, over: child, isWritable: true)
                )
                try await commit(chain[0], into: parent, below: top.name, client, progress)
            }
            result = .success(())
        } catch {
            result = .failure(error)
        }
        await removeTemporary(path)
        try result.get()
    }

    private func commit(
        _ id: LayerID,
        into parent: LayerID,
        below root: String,
        _ client: QMPClient,
        _ progress: @escaping ProgressHandler
    ) async throws {
        let command = BlockJobCommand.commit(
            root: root,
            top: LayerNode(id).name,
            base: LayerNode(parent).name,
            // Right as soon as the parent's file has the child's name, and until then.
            backingFile: LayerFolder.name(of: id)
        )
        try await BlockJob(id: Self.job(id), on: client).run(command, progress: Self.bytes(progress))
        // With its end the job opens the parent for reading only again, which writes out what QEMU still holds of it. When
        // that fails, QEMU says nothing and leaves it writable.
        guard try await MachineDisks(of: client).open[parent] == true else {
            throw BlockStoreFault(
                .io,
                .unknown,
                "The merged layer \(parent) could not be written completely; try again."
            )
        }
    }

    // MARK: Naming

    private func takeName(of id: LayerID, with parent: LayerID) async throws {
        let (folder, reached) = (folder, reached)
        // Not to be stopped half-way by a cancellation that comes too late to save any work.
        try await quick.run(evenCancelled: true) {
            try DurableFile.sync(file: folder.file(of: parent))
            try reached(.foldDurable)
            try folder.rename(folder.file(of: parent), to: id)
            try reached(.foldNamed)
        }
    }

    /// After a live fold the machine knows the file by the parent's node: gives it the node of the layer that it now is.
    ///
    /// A second node is opened on the same file, put below everything that stands on the first one, and the first one is
    /// closed. The content is the same through both, so a guest may read meanwhile.
    private func renameNode(
        of parent: LayerID,
        to id: LayerID,
        on ancestor: LayerID?,
        _ client: QMPClient
    ) async throws {
        let disks = try await MachineDisks(of: client)
        guard disks.open[parent] != nil else { return }
        if disks.open[id] == nil {
            let below = ancestor.map { LayerNode($0).name }
            try await client.execute(
                "blockdev-add",
                BlockChain.blockdevArguments(node(id), over: below, isWritable: false),
                evenCancelled: true
            )
        }
        for overlay in disks.layers(above: parent) {
            try await reopen(overlay, over: id, isWritable: disks.writes(overlay), client)
        }
        try await client.close(parent, in: disks)
    }
}
