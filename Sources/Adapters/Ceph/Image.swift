package import Foundation
import Glibc

/// An open image.
///
/// It is lent by ``Cluster/withImage(_:snapshot:isReadOnly:_:)`` and must not be kept. All of this blocks.
package struct Image {
    package let name: String
    let handle: UnsafeMutableRawPointer
    let library: CephLibrary

    package struct Snapshot: Hashable, Sendable {
        /// Grows: a later snapshot has a larger number.
        package var id: UInt64
        package var name: String
        package var sizeBytes: Int64

        package init(id: UInt64, name: String, sizeBytes: Int64) {
            self.id = id
            self.name = name
            self.sizeBytes = sizeBytes
        }
    }

    /// Somebody who has an image open.
    package struct Watcher: Hashable, Sendable {
        /// Address and number, as in `192.0.2.1:0/123`.
        package var address: String
    }

    // MARK: Looking

    package func sizeBytes() throws(CephFault) -> Int64 {
        var size: UInt64 = 0
        try check("the size", library.imageSize(handle, &size))
        return Int64(size)
    }

    /// The object that holds what the image is, which everybody who has it open watches.
    package func headerObject() throws(CephFault) -> String {
        var id = [CChar](repeating: 0, count: 256)
        try check("the number", library.imageID(handle, &id, id.count))
        return "rbd_header.\(String(decoding: id.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))"
    }

    /// The snapshot that the image is a clone of; nil when it is none, or was flattened.
    package func parent() throws(CephFault) -> (image: String, snapshot: String)? {
        // `rbd_linked_image_spec_t`: pool number, names of pool and namespace, the image's number and its name, a flag.
        // `rbd_snap_spec_t`: number, kind, name.
        let image = UnsafeMutableRawPointer.allocate(byteCount: 48, alignment: 8)
        let snapshot = UnsafeMutableRawPointer.allocate(byteCount: 24, alignment: 8)
        image.initializeMemory(as: UInt8.self, repeating: 0, count: 48)
        snapshot.initializeMemory(as: UInt8.self, repeating: 0, count: 24)
        defer {
            image.deallocate()
            snapshot.deallocate()
        }
        let code = library.parent(handle, image, snapshot)
        if code == -ENOENT { return nil }
        try check("the parent", code)
        defer {
            library.dropLinkedImage(image)
            library.dropSnapshotSpec(snapshot)
        }
        guard let name = image.load(fromByteOffset: 32, as: UnsafePointer<CChar>?.self),
            let point = snapshot.load(fromByteOffset: 16, as: UnsafePointer<CChar>?.self)
        else { return nil }
        return (String(cString: name), String(cString: point))
    }

    /// Oldest first.
    package func snapshots() throws(CephFault) -> [Snapshot] {
        // `rbd_snap_info_t`.
        typealias Entry = (id: UInt64, size: UInt64, name: UnsafePointer<CChar>?)
        var room: CInt = 32
        while true {
            let entries = UnsafeMutablePointer<Entry>.allocate(capacity: Int(room))
            entries.initialize(repeating: (0, 0, nil), count: Int(room))
            defer { entries.deallocate() }
            var count = room
            let code = library.listSnapshots(handle, UnsafeMutableRawPointer(entries), &count)
            if code == -ERANGE {
                room = max(count, room * 2)
                continue
            }
            try check("the snapshots", code)
            defer { library.endSnapshots(UnsafeMutableRawPointer(entries)) }
            return (0..<Int(code)).compactMap { place in
                guard let name = entries[place].name else { return nil }
                return Snapshot(
                    id: entries[place].id,
                    name: String(cString: name),
                    sizeBytes: Int64(entries[place].size)
                )
            }.sorted { $0.id < $1.id }
        }
    }

    /// Whether clones stand on the snapshot that the image is open at.
    package func hasClones() throws(CephFault) -> Bool {
        var count = 0
        let code = library.listChildren(handle, nil, &count)
        if code == -ERANGE { return true }
        try check("the clones", code)
        return count > 0
    }

    package func watchers() throws(CephFault) -> [Watcher] {
        // `rbd_image_watcher_t`.
        typealias Entry = (address: UnsafeMutablePointer<CChar>?, id: Int64, cookie: UInt64)
        var room = 16
        while true {
            let entries = UnsafeMutablePointer<Entry>.allocate(capacity: room)
            entries.initialize(repeating: (nil, 0, 0), count: room)
            defer { entries.deallocate() }
            var count = room
            let code = library.listWatchers(handle, UnsafeMutableRawPointer(entries), &count)
            if code == -ERANGE {
                room = max(count, room * 2)
                continue
            }
            try check("who has it open", code)
            defer { library.dropWatchers(UnsafeMutableRawPointer(entries), count) }
            return (0..<count).compactMap { place in
                entries[place].address.map { Watcher(address: String(cString: $0)) }
            }
        }
    }

    /// Who holds the lock: the same kind of address as a watcher's; nil when nobody does.
    package func lockOwner() throws(CephFault) -> String? {
        var mode: CInt = 0
        var owners = [UnsafeMutablePointer<CChar>?](repeating: nil, count: 4)
        var count = owners.count
        let code = library.lockOwners(handle, &mode, &owners, &count)
        if code == -ENOENT { return nil }
        try check("who holds the lock", code)
        guard count > 0 else { return nil }
        defer { library.dropLockOwners(&owners, count) }
        return owners[0].map { String(cString: $0) }
    }

    /// Takes the lock from a client that is dead, which is shut out of the cluster at the same time.
    package func breakLock(of owner: String) throws(CephFault) {
        // `RBD_LOCK_MODE_EXCLUSIVE`.
        try check("breaking the lock of \(owner)", library.breakLock(handle, 0, owner))
    }

    // MARK: Changing

    package func createSnapshot(_ snapshot: String) throws(CephFault) {
        try check("freezing \(snapshot)", library.createSnapshot(handle, snapshot))
    }

    package func removeSnapshot(_ snapshot: String) throws(CephFault) {
        try check("removing the snapshot \(snapshot)", library.removeSnapshot(handle, snapshot))
    }

    /// Puts the content back to a snapshot's.
    ///
    /// Killed half-way, the content is a mixture: repeat it.
    package func rollBack(to snapshot: String) throws(CephFault) {
        try check("going back to \(snapshot)", library.rollBack(handle, snapshot))
    }

    package func resize(toBytes size: Int64) throws(CephFault) {
        try check("resizing", library.resize(handle, UInt64(size)))
    }

    /// Copies what the image still reads from its parent, and lets go of that.
    ///
    /// - Parameter progress: Told objects done and in all; false ends the call with error 125.
    /// - Throws: ``CephFault``.
    package func flatten(_ progress: @escaping (UInt64, UInt64) -> Bool) throws(CephFault) {
        let box = Box(progress)
        let code = withExtendedLifetime(box) {
            library.flatten(
                handle,
                { done, total, context in
                    guard let context else { return 0 }
                    let told = Unmanaged<Box<(UInt64, UInt64) -> Bool>>.fromOpaque(context).takeUnretainedValue()
                    return told.value(done, total) ? 0 : -ECANCELED
                },
                Unmanaged.passUnretained(box).toOpaque()
            )
        }
        // It is independent already.
        if code == -EINVAL, try parent() == nil { return }
        try check("flattening", code)
    }

    // MARK: Content

    /// A run of bytes that differ, or that are not zeros.
    package struct Extent: Hashable, Sendable {
        package var offset: Int64
        package var length: Int64
        /// False when the bytes went.
        package var exists: Bool
    }

    /// What changed since a snapshot, or what there is at all.
    ///
    /// - Parameters:
    ///   - snapshot: Nil for all there is.
    ///   - range: Where to look.
    ///   - includesParent: Counts what is read from a parent.
    ///   - wholeObjects: Looks at the map of objects only: quick, and in pieces of an object.
    /// - Returns: Runs in order.
    /// - Throws: ``CephFault``.
    package func changes(
        since snapshot: String?,
        in range: Range<Int64>,
        includesParent: Bool,
        wholeObjects: Bool
    ) throws(CephFault) -> [Extent] {
        guard !range.isEmpty else { return [] }
        let box = Box([Extent]())
        let sink: CephLibrary.DiffSink = { offset, length, exists, context in
            guard let context else { return 0 }
            let extents = Unmanaged<Box<[Extent]>>.fromOpaque(context).takeUnretainedValue()
            extents.value.append(Extent(offset: Int64(offset), length: Int64(length), exists: exists != 0))
            return 0
        }
        let context = Unmanaged.passUnretained(box).toOpaque()
        let (start, length) = (UInt64(range.lowerBound), UInt64(range.count))
        let (parent, whole): (UInt8, UInt8) = (includesParent ? 1 : 0, wholeObjects ? 1 : 0)
        let code = withExtendedLifetime(box) {
            if let snapshot {
                snapshot.withCString { library.diff(handle, $0, start, length, parent, whole, sink, context) }
            } else {
                library.diff(handle, nil, start, length, parent, whole, sink, context)
            }
        }
        try check("comparing", code)
        return box.value.sorted { $0.offset < $1.offset }
    }

    package func read(offset: Int64, length: Int) throws(CephFault) -> Data {
        var data = Data(count: length)
        let count = data.withUnsafeMutableBytes { bytes -> Int in
            guard let start = bytes.bindMemory(to: CChar.self).baseAddress else { return 0 }
            return library.readBytes(handle, UInt64(offset), length, start, 0)
        }
        try check("reading", CInt(clamping: count))
        return data.prefix(max(0, count))
    }

    package func write(_ data: Data, at offset: Int64) throws(CephFault) {
        let count = data.withUnsafeBytes { bytes -> Int in
            guard let start = bytes.bindMemory(to: CChar.self).baseAddress else { return 0 }
            return library.writeBytes(handle, UInt64(offset), bytes.count, start, 0)
        }
        try check("writing", CInt(clamping: count))
    }

    /// Makes all that was written durable.
    package func flush() throws(CephFault) {
        try check("writing out", library.flush(handle))
    }

    private func check(_ what: String, _ answer: CInt) throws(CephFault) {
        try CephLibrary.check("\(what) of the image \(name)", answer)
    }
}

/// What a C callback reaches by its context.
private final class Box<Value> {
    var value: Value

    init(_ value: Value) { self.value = value }
}
