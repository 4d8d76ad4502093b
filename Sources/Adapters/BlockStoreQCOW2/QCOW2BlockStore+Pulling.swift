import Foundation
import Platform
import QEMU
package import SnapshotDomain
package import SnapshotPorts

/// Copies what a layer reads from its ancestors up into it. The write order is in `docs/storage-design.md`.
///
/// ```
///  before      g ── a ── b ── layer        reading the layer reads a and b
///  copied      g ── a ── b ── layer'       layer' holds all that a and b have and it did not: reads the same
///  moved       g ── layer'                 the header names g
/// ```
extension QCOW2BlockStore {
    package func pullLayer(
        _ id: LayerID,
        downTo ancestor: LayerID?,
        through channel: (any LiveBlockChannel)?,
        progress: @escaping ProgressHandler
    ) async throws(BlockStoreFault) {
        let client = try client(of: channel)
        let stored = try await getLayer(id)
        let chain = try await storedChain(of: id)
        guard stored.parent != ancestor else {
            // A former call came that far, and may have ended before the machine had closed what it no longer reads.
            return try await finishPull(of: id, on: ancestor, client)
        }
        let place = ancestor.map { chain.firstIndex(of: $0) } ?? chain.endIndex
        guard let place, place > 0 else {
            throw BlockStoreFault(.exists, .notDone, "The layer \(id) does not stand on the one to pull it down to.")
        }
        let hidden = Array(chain[1..<place])
        try await attempt("copy into the layer \(id)") {
            if let client {
                let disks = try await MachineDisks(of: client)
                if disks.reads(id) {
                    try await stream(id, over: hidden, on: ancestor, isActive: disks.writes(id), client, progress)
                    return try await close(hidden, client)
                }
                for layer in [id] + hidden where !disks.reads(layer) { try await client.close(layer, in: disks) }
            }
            try await withDaemon(opening: chain) { _, client in
                try await stream(id, over: hidden, on: ancestor, isActive: false, client, progress)
            }
        }
        index.put(id, on: ancestor)
        let path = folder.file(of: id)
        try await onDisk("make a layer durable", evenCancelled: true) { try DurableFile.sync(file: path) }
    }

    /// Runs the job that copies and moves.
    private func stream(
        _ id: LayerID,
        over hidden: [LayerID],
        on ancestor: LayerID?,
        // Whether a machine writes the layer.
        isActive: Bool,
        _ client: QMPClient,
        _ progress: @escaping ProgressHandler
    ) async throws {
        let base = ancestor.map { (node: LayerNode($0).name, backingFile: LayerFolder.name(of: $0)) }
        let reached = reached
        try await BlockJob(id: Self.job(id), on: client).run(
            .stream(node: LayerNode(id).name, base: base),
            progress: Self.bytes(progress)
        ) { () async throws(QMPFault) in
            // QEMU writes the new header while its tables of what was copied are still in its memory: a crash right after
            // that would lose every copied byte. So the tables go first.
            try await self.reopen(id, over: hidden[0], isWritable: true, client)
            do {
                try reached(.pullCopied)
            } catch {
                throw QMPFault(.cancelled, outcome: .unknown, "\(error)")
            }
        }
        try reached(.pullMoved)
        // Makes the header durable too, and for a layer at rest sees that it is read-only again.
        try await reopen(id, over: ancestor, isWritable: isActive, client)
    }

    private func finishPull(
        of id: LayerID,
        on ancestor: LayerID?,
        _ client: QMPClient?
    ) async throws(BlockStoreFault) {
        try await attempt("finish a copy into the layer \(id)") {
            guard let client else { return }
            try await client.dismissEndedJob(Self.job(id))
            let disks = try await MachineDisks(of: client)
            if disks.reads(id) { try await reopen(id, over: ancestor, isWritable: disks.writes(id), client) }
            try await close(disks.leftovers { index.children(of: $0) }, client)
        }
        let path = folder.file(of: id)
        try await onDisk("make a layer durable", evenCancelled: true) { try DurableFile.sync(file: path) }
    }

    /// Closes layers that a machine no longer reads through, the upper ones first: each is held by the one above.
    private func close(_ layers: [LayerID], _ client: QMPClient) async throws {
        let disks = try await MachineDisks(of: client)
        for layer in layers where !disks.reads(layer) { try await client.close(layer, in: disks) }
    }
}
