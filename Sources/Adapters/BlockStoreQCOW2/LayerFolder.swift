import DiskImages
import Foundation
import Glibc
import Platform
import SnapshotDomain
import SnapshotPorts

/// The files of one pool: `layers/<layer>.qcow2`, and `tmp/` for what is half made.
///
/// All functions block on the disk: the store calls them through its pool of threads.
struct LayerFolder: Sendable {
    let path: String
    /// A directory below `tmp/` that is ours as long as we live: what lies in others was left by a crash.
    let workspace: String
    let reached: @Sendable (CrashPoint) throws -> Void

    var layers: String { Self.layers(in: path) }

    static func layers(in path: String) -> String { "\(path)/layers" }
    static func temporary(in path: String) -> String { "\(path)/tmp" }

    /// What the header of a layer takes at most, with room to spare: it refers to nothing but one other layer.
    private static let headerLength = 4 << 10

    /// The name of a layer's file, which is also how files on it refer to it: relative, so that a pool can be moved.
    static func name(of layer: LayerID) -> String { "\(layer).qcow2" }

    static func layer(named name: String) -> LayerID? {
        guard name.hasSuffix(".qcow2"), let id = LayerID(String(name.dropLast(6))), Self.name(of: id) == name else {
            return nil
        }
        return id
    }

    func file(of layer: LayerID) -> String { "\(layers)/\(Self.name(of: layer))" }

    /// A path where nothing is yet, on the file system of the layers.
    func temporaryFile(_ purpose: String) -> String { "\(workspace)/\(purpose)-\(RandomName.make())" }

    // MARK: Looking

    /// What the file of a layer says; nil when there is none.
    ///
    /// - Throws: ``BlockStoreFault`` with code `damaged` when the file is no layer.
    func find(_ layer: LayerID) throws -> StoredLayer? {
        let path = file(of: layer)
        guard let facts = try FileFacts.find(path) else { return nil }
        let header: QCOW2Header
        do {
            header = try QCOW2Header(ofFile: path, length: facts.length, reading: Self.headerLength)
        } catch let flaw as QCOW2Flaw {
            throw BlockStoreFault(.damaged, .notDone, "The file of the layer \(layer) is damaged: \(flaw.reason).")
        }
        return StoredLayer(
            id: layer,
            parent: try parent(of: layer, header),
            size: ByteCount(header.size),
            allocated: ByteCount(facts.allocatedBytes)
        )
    }

    private func parent(of layer: LayerID, _ header: QCOW2Header) throws -> LayerID? {
        guard !header.isEncrypted, !header.namesDataFile, header.incompatibleFeatures & ~BlankLayer.features == 0 else {
            throw BlockStoreFault(.damaged, .notDone, "The file of the layer \(layer) has features that no layer has.")
        }
        guard let backing = header.backingFile else { return nil }
        guard let id = Self.layer(named: backing), header.backingFormat == "qcow2" else {
            throw BlockStoreFault(
                .damaged,
                .notDone,
                "The file of the layer \(layer) refers to '\(backing)', which is no layer."
            )
        }
        return id
    }

    /// Everything in `layers/`, readable or not.
    func inventory() throws -> PoolInventory {
        var inventory = PoolInventory(layers: [], unknown: [])
        for name in try FileManager.default.contentsOfDirectory(atPath: layers).sorted() {
            guard let id = Self.layer(named: name) else {
                inventory.unknown.append(try unknown(name, "Its name is not that of a layer."))
                continue
            }
            do {
                guard let found = try find(id) else { continue }
                inventory.layers.append(found)
            } catch let fault as BlockStoreFault {
                inventory.unknown.append(try unknown(name, fault.message))
            }
        }
        return inventory
    }

    private func unknown(_ name: String, _ reason: String) throws -> UnknownItem {
        let facts = try FileFacts.find("\(layers)/\(name)")
        return UnknownItem(name: name, allocated: ByteCount(facts?.allocatedBytes ?? 0), reason: reason)
    }

    // MARK: Changing

    /// Writes an empty layer: in `tmp/` first, durable there, then by its name.
    ///
    /// Two fsyncs, whatever the size. An existing layer of the same shape is left as it is.
    func create(_ layer: LayerID, size: ByteCount, on parent: LayerID?) throws {
        if let existing = try find(layer) {
            guard existing.parent == parent, existing.size == size else { throw BlockStoreFault.shape(of: layer) }
            // An earlier call may have ended between the name and its fsync.
            return try DurableFile.sync(directory: layers)
        }
        let temporary = temporaryFile("layer")
        do {
            try writeBlank(size: size, on: parent, to: temporary)
            try reached(.layerWritten)
        } catch {
            _ = unlink(temporary)
            throw error
        }
        try rename(temporary, to: layer)
    }

    /// Gives a durable file the place and name of a layer.
    func rename(_ file: String, to layer: LayerID) throws {
        guard Glibc.rename(file, self.file(of: layer)) == 0 else {
            throw Self.fault("name the layer \(layer)", errno)
        }
        try reached(.layerNamed)
        // The name in `tmp/` that goes away need not be durable: `tmp/` is swept.
        try DurableFile.sync(directory: layers)
    }

    /// Removes a layer that nothing has open.
    func remove(_ layer: LayerID) throws {
        let path = file(of: layer)
        guard try FileFacts.find(path) == nil || !ImageLock.isHeld(path) else {
            throw BlockStoreFault(.inUse, .notDone, "A program has the layer \(layer) open.")
        }
        guard unlink(path) == 0 || errno == ENOENT else { throw Self.fault("remove the layer \(layer)", errno) }
        try reached(.layerRemoved)
        try DurableFile.sync(directory: layers)
    }

    /// Makes a durable file that is an empty layer, under any name.
    func writeBlank(size: ByteCount, on parent: LayerID?, to path: String) throws {
        let blank = BlankLayer(size: size, backing: parent.map(Self.name))
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.fault("create \(path)", errno) }
        defer { close(descriptor) }
        for piece in blank.pieces { try Self.write(piece.bytes, at: piece.offset, to: descriptor) }
        guard ftruncate(descriptor, off_t(blank.length)) == 0, fsync(descriptor) == 0 else {
            throw Self.fault("write \(path)", errno)
        }
    }

    private static func write(_ bytes: Data, at offset: Int64, to descriptor: Int32) throws {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                pwrite(
                    descriptor,
                    buffer.baseAddress.map { $0 + done },
                    bytes.count - done,
                    off_t(offset) + off_t(done)
                )
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw fault("write a layer's header", errno) }
            done += count
        }
    }

    private static func fault(_ what: String, _ number: Int32) -> BlockStoreFault {
        let cause = String(cString: strerror(number))
        guard number == ENOSPC || number == EDQUOT else {
            return BlockStoreFault(.io, .notDone, "The pool's disk failed to \(what).", cause: cause)
        }
        return BlockStoreFault(
            .noSpace,
            .notDone,
            "The disk below the pool is full: it could not \(what). Free space and try again.",
            cause: cause
        )
    }
}
