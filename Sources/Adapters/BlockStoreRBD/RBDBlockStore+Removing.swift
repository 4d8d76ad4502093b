import Ceph
import Foundation
import Glibc
import Logging
package import SnapshotDomain
package import SnapshotPorts
import Synchronization

/// Layers that go, and what follows from that on the images.
extension RBDBlockStore {
    package func deleteLayer(_ id: LayerID) async throws(BlockStoreFault) {
        try await load()
        intended.withLock { $0[id] = nil }
        let image: String
        do throws(BlockStoreFault) {
            image = try await imageNow(of: id)
        } catch {
            // Deleting what is gone succeeds.
            guard error.code == .notFound else { throw error }
            return
        }
        try await turns.hold([image]) { () async throws(BlockStoreFault) in
            try await settle([image])
            guard let place = place(of: id) else { return }
            try requireChildless(id)
            if place.point == nil { try await requireUnwatched(image, id) }
            try await note("remove the layer \(id)") { map in
                guard let line = map.lines[image] else { return }
                if let point = place.point {
                    map.notes.hide(point.id, of: image)
                } else {
                    map.notes.heads[image] = Notes.Head(newest: line.points.last?.id ?? 0, layer: nil, holdsBytes: true)
                }
                map.notes.parents[image]?[id] = nil
                if map.notes.parents[image]?.isEmpty == true { map.notes.parents[image] = nil }
            }
        }
        try await sweep([image])
    }

    func requireChildless(_ id: LayerID) throws(BlockStoreFault) {
        let count = children(of: id).count
        guard count == 0 else {
            throw BlockStoreFault(
                .inUse,
                .notDone,
                "\(count) other layers stand on the layer \(id); remove them first."
            )
        }
    }

    // MARK: Who has an image open

    /// How long somebody who lives may take to answer that.
    private static let answerMilliseconds: UInt64 = 3_000

    /// Refuses when a living client has an image open; a dead one of this host is shut out of the cluster.
    func requireUnwatched(_ image: String, _ layer: LayerID) async throws(BlockStoreFault) {
        let isFree = try await calls.run("see who has the layer \(layer) open") { cluster in
            try cluster.withImage(image, isReadOnly: true) { try Self.isFree($0, cluster) }
        }
        guard isFree else {
            throw BlockStoreFault(.inUse, .notDone, "A program has the layer \(layer) open.")
        }
    }

    /// Whether nobody else has an image open, once the dead of this host are shut out.
    private static func isFree(_ image: Image, _ cluster: Cluster) throws -> Bool {
        let own = try cluster.ownAddresses()
        let others = try image.watchers().map(\.address).filter { !isSame($0, own) }
        guard !others.isEmpty else { return true }
        guard try !cluster.watchersAnswer(object: image.headerObject(), withinMilliseconds: answerMilliseconds) else {
            return false
        }
        // One of several is silent: which one cannot be told.
        guard others.count == 1, isOfThisHost(others[0], own) else { return false }
        try cluster.shutOut(others[0])
        return try image.watchers().allSatisfy { isSame($0.address, own) }
    }

    /// Takes the lock from a client of this host that holds it and is dead, such as our own earlier process or a machine that
    /// was killed.
    ///
    /// Without this, the cluster waits half a minute for it to come back. The living keep theirs and do what is asked of
    /// them in our place.
    static func takeOver(_ image: Image, _ cluster: Cluster) throws {
        let own = try cluster.ownAddresses()
        guard let owner = try image.lockOwner(), !isSame(owner, own), isOfThisHost(owner, own) else { return }
        guard try !cluster.watchersAnswer(object: image.headerObject(), withinMilliseconds: answerMilliseconds) else {
            return
        }
        do throws(CephFault) {
            try image.breakLock(of: owner)
        } catch {
            // It is gone, or somebody else has it now.
            guard [ENOENT, EBUSY].contains(error.errno) else { throw error }
        }
    }

    /// Compares clients by the number in `host:port/number`.
    ///
    /// A list of several addresses has brackets.
    private static func isSame(_ address: String, _ own: String) -> Bool {
        guard let number = number(address) else { return false }
        return own.split(whereSeparator: { ",[]".contains($0) }).contains { Self.number(String($0)) == number }
    }

    private static func isOfThisHost(_ address: String, _ own: String) -> Bool {
        guard let host = host(address) else { return false }
        return own.split(whereSeparator: { ",[]".contains($0) }).contains { Self.host(String($0)) == host }
    }

    private static func number(_ address: String) -> String? {
        address.split(separator: "/").last.map(String.init)
    }

    private static func host(_ address: String) -> String? {
        guard let end = address.lastIndex(of: ":") else { return nil }
        let text = address[..<end]
        // A protocol's name may stand in front.
        for name in ["v1:", "v2:"] where text.hasPrefix(name) { return String(text.dropFirst(3)) }
        return String(text)
    }

    // MARK: Sweeping

    /// Brings images in line with the notes: frees what nobody needs any more, and then what only that needed.
    func sweep(_ images: [String]) async throws(BlockStoreFault) {
        var queue = images
        while let image = queue.popLast() {
            queue += try await turns.hold([image]) { () async throws(BlockStoreFault) -> [String] in
                try await settle([image])
                return try await clean(image)
            }
        }
    }

    /// Sweeps what former runs left.
    ///
    /// The tree is right without it, so failures are only told.
    func sweepEverything(_ images: [String]) async {
        let due = state.withLock { state in
            Set(state.map.notes.hidden.keys).union(state.map.notes.heads.filter { $0.value.layer == nil }.keys)
        }
        for image in due.sorted() {
            do throws(BlockStoreFault) {
                try await sweep([image])
            } catch {
                logger.warning(
                    "an image that is not needed stays for now",
                    metadata: ["image": .string(image), "error": .string("\(error)")]
                )
            }
        }
        let unfinished = images.filter { names.isUnfinished($0) && !isBeingMade($0) }
        for image in unfinished { await discard(image) }
    }

    /// Removes an image that never got a layer's name.
    func discard(_ image: String) async {
        do throws(BlockStoreFault) {
            try await calls.run("remove what is half made", evenCancelled: true, changes: true) { cluster in
                do {
                    try cluster.removeImage(image)
                } catch let fault as CephFault where fault.errno == ENOENT {
                    // Gone already.
                }
            }
        } catch {
            logger.warning(
                "an image that was not finished stays for now",
                metadata: ["image": .string(image), "error": .string("\(error)")]
            )
        }
    }

    /// Sweeps one image, and returns those that may have become free by it.
    private func clean(_ image: String) async throws(BlockStoreFault) -> [String] {
        while true {
            var map = state.withLock { $0.map }
            guard let line = map.lines[image] else {
                if map.notes.heads[image] != nil || map.notes.hidden[image] != nil || map.notes.parents[image] != nil {
                    try await note("forget the image \(image)") { $0.notes.forget(image: image) }
                }
                return []
            }
            let head = map.head(of: line)
            let hidden = line.points.filter { map.notes.isHidden($0.id, of: image) }
            var free: [Line.Point] = []
            for point in hidden where try await !hasClones(image, point) { free.append(point) }
            if head == nil, hidden.count == line.points.count, free.count == hidden.count {
                try await remove(line)
                return line.root.map { [$0.image] } ?? []
            }
            if head == nil, let newest = line.points.last, map.validNote(of: line)?.holdsBytes == true {
                try await freeHead(image, newest)
                continue
            }
            // The content of such a head is that of the newest snapshot: where that layer has nothing on it, it can be
            // the head again, to be written.
            if head == nil, let newest = line.points.last, !map.notes.isHidden(newest.id, of: image),
                map.index().children[newest.frozen] == nil
            {
                try await note("go on with the layer \(newest.frozen)") { map in
                    map.notes.heads[image] = Notes.Head(newest: newest.id, layer: newest.frozen)
                    map.notes.hide(newest.id, of: image)
                }
                continue
            }
            guard let point = free.last else {
                return []
            }
            try await remove(point, of: line, head)
        }
    }

    private func hasClones(_ image: String, _ point: Line.Point) async throws(BlockStoreFault) -> Bool {
        try await calls.run("see what needs the image \(image)", evenCancelled: true) { cluster in
            do {
                return try cluster.withImage(image, snapshot: point.name, isReadOnly: true) { try $0.hasClones() }
            } catch let fault as CephFault where fault.errno == ENOENT {
                return false
            }
        }
    }

    /// Puts a head that nobody needs back to what is frozen below it, which frees its own bytes.
    private func freeHead(_ image: String, _ newest: Line.Point) async throws(BlockStoreFault) {
        let reached = reached
        try await changing(image, "free the image \(image)") { cluster in
            try cluster.withImage(image, isReadOnly: false) { open in
                let size = try open.sizeBytes()
                let changes = try open.changes(
                    since: newest.name,
                    in: 0..<size,
                    includesParent: false,
                    wholeObjects: true
                )
                // Going back costs by the size of the disk: where nothing was written there is nothing to go back from.
                if size != newest.sizeBytes || !changes.isEmpty {
                    try Self.takeOver(open, cluster)
                    try open.rollBack(to: newest.name)
                }
            }
            try reached(.headFreed)
        }
        try await note("free the image \(image)") { map in
            map.notes.heads[image] = Notes.Head(newest: newest.id, layer: nil)
        }
    }

    private func remove(_ point: Line.Point, of line: Line, _ head: LayerID?) async throws(BlockStoreFault) {
        let (image, reached) = (line.image, reached)
        let isNewest = point.id == line.points.last?.id
        var before: Line.Point?
        if isNewest, let head {
            // With the snapshot goes the name that says which layer the head is.
            try await note("go on with the layer \(head)") { map in
                map.notes.heads[image] = Notes.Head(newest: point.id, layer: head)
            }
        } else if isNewest {
            before = line.points.dropLast().last
        }
        try await changing(image, "free the image \(image)") { [before] cluster in
            try cluster.withImage(image, isReadOnly: false) { open in
                try Self.takeOver(open, cluster)
                // A head that nobody needs must not keep the snapshot's bytes.
                if let before { try open.rollBack(to: before.name) }
                do {
                    try open.removeSnapshot(point.name)
                } catch let fault as CephFault where fault.errno == ENOENT {
                    // Done by a call whose answer was lost.
                }
            }
            try reached(.pointRemoved)
        }
        try await note("free the image \(image)") { $0.notes.forget(point.id, of: image) }
    }

    /// Removes an image with all its snapshots.
    private func remove(_ line: Line) async throws(BlockStoreFault) {
        let (image, reached) = (line.image, reached)
        try await changing(image, "remove the image \(image)") { cluster in
            do {
                try cluster.withImage(image, isReadOnly: false) { open in
                    _ = try Self.isFree(open, cluster)
                    for point in line.points.reversed() { try open.removeSnapshot(point.name) }
                }
                try reached(.imageEmptied)
                try cluster.removeImage(image)
            } catch let fault as CephFault where fault.errno == ENOENT {
                // Done by a call whose answer was lost.
            }
            try reached(.imageRemoved)
        }
        try await note("remove the image \(image)") { $0.notes.forget(image: image) }
    }
}
