import Ceph
import Foundation
import Glibc
import SnapshotDomain
package import SnapshotPorts
import Synchronization

/// What the store knows of the pool, and how it comes to know it.
extension RBDBlockStore {
    /// Reads the whole pool when that was not done yet.
    func load() async throws(BlockStoreFault) {
        if state.withLock({ $0.isLoaded }) { return }
        try await turns.hold(["load"]) { () async throws(BlockStoreFault) in
            if state.withLock({ $0.isLoaded }) { return }
            let found = try await readAll()
            state.withLock { state in
                state.map.notes = found.notes
                state.map.lines = Dictionary(uniqueKeysWithValues: found.lines.map { ($0.image, $0) })
                state.isLoaded = true
            }
        }
    }

    private func readAll() async throws(BlockStoreFault) -> (lines: [Line], notes: Notes, images: [String]) {
        let names = names
        let (images, values) = try await calls.run("list its images") { cluster in
            (try cluster.imageNames(), try cluster.values(of: names.notes))
        }
        var lines: [Line] = []
        for line in try await readLines(images.filter { names.layer(ofImage: $0) != nil }) { lines.append(line) }
        return (lines, Notes(values), images)
    }

    /// Eight at a time: each is a few calls that wait for the cluster.
    private func readLines(_ images: [String]) async throws(BlockStoreFault) -> [Line] {
        let result: Result<[Line], BlockStoreFault> = await withTaskGroup(of: Result<Line?, BlockStoreFault>.self) {
            group in
            var (rest, lines, fault) = (images[...], [Line](), BlockStoreFault?.none)
            func startNext() {
                guard let image = rest.popFirst() else { return }
                group.addTask {
                    do throws(BlockStoreFault) { return .success(try await self.read(image)) } catch {
                        return .failure(error)
                    }
                }
            }
            for _ in 0..<8 { startNext() }
            for await line in group {
                switch line {
                case .success(let line): if let line { lines.append(line) }
                case .failure(let error): fault = fault ?? error
                }
                if fault == nil { startNext() }
            }
            if let fault { return .failure(fault) }
            return .success(lines)
        }
        return try result.get()
    }

    /// An image as it is in the cluster now; nil when it is not there or none of ours.
    func read(_ image: String) async throws(BlockStoreFault) -> Line? {
        guard let first = names.layer(ofImage: image) else { return nil }
        return try await calls.run("look at the image \(image)", evenCancelled: true) { cluster in
            try Self.read(image, first, cluster)
        }
    }

    static func read(_ image: String, _ first: LayerID, _ cluster: Cluster) throws -> Line? {
        do {
            return try cluster.withImage(image, isReadOnly: true) { open in
                Line(
                    image: image,
                    first: first,
                    sizeBytes: try open.sizeBytes(),
                    snapshots: try open.snapshots(),
                    root: try open.parent().map { Line.Root(image: $0.image, snapshot: $0.snapshot) }
                )
            }
        } catch let fault as CephFault where fault.errno == ENOENT {
            return nil
        }
    }

    /// Looks the truth up after calls that had no certain end.
    ///
    /// The caller has the turn of the images.
    func settle(_ images: Set<String>) async throws(BlockStoreFault) {
        if state.withLock({ $0.areNotesDoubtful }) {
            try await turns.hold(["notes"]) { () async throws(BlockStoreFault) in
                let name = names.notes
                let values = try await calls.run("read its notes") { try $0.values(of: name) }
                state.withLock { state in
                    state.map.notes = Notes(values)
                    state.areNotesDoubtful = false
                }
            }
        }
        for image in images.sorted() where state.withLock({ $0.doubtful.contains(image) }) {
            let line = try await read(image)
            learn(image, line)
        }
    }

    /// Takes in what an image is like now.
    func learn(_ image: String, _ line: Line?) {
        state.withLock { state in
            state.map.lines[image] = line
            state.doubtful.remove(image)
            state.changes[image, default: 0] += 1
        }
    }

    /// Changes an image and takes in what it is like then.
    ///
    /// When that fails, it is looked up before the next use.
    func changing(
        _ image: String,
        _ what: String,
        isHeavy: Bool = false,
        _ body: @escaping @Sendable (Cluster) throws -> Void
    ) async throws(BlockStoreFault) {
        let first = names.layer(ofImage: image)
        state.withLock { state in
            state.doubtful.insert(image)
            state.changes[image, default: 0] += 1
        }
        let line = try await calls.run(what, isHeavy: isHeavy, evenCancelled: !isHeavy, changes: true) { cluster in
            try body(cluster)
            return try first.flatMap { try Self.read(image, $0, cluster) }
        }
        learn(image, line)
    }

    /// Changes the notes, all at once and durably: a change of the tree.
    func note(_ what: String, _ change: @Sendable (inout PoolMap) -> Void) async throws(BlockStoreFault) {
        try await turns.hold(["notes"]) { () async throws(BlockStoreFault) in
            var map = state.withLock { $0.map }
            let old = map.notes.values
            change(&map)
            let new = map.notes.values
            let changed = new.filter { old[$0.key] != $0.value }
            let gone = old.keys.filter { new[$0] == nil }.sorted()
            guard !changed.isEmpty || !gone.isEmpty else { return }
            let name = names.notes
            state.withLock { $0.areNotesDoubtful = true }
            try await calls.run(what, evenCancelled: true, changes: true) { cluster in
                try cluster.change(name, set: changed, remove: gone)
            }
            let notes = map.notes
            state.withLock { state in
                state.map.notes = notes
                state.areNotesDoubtful = false
            }
        }
        let reached = reached
        do { try reached(.noted) } catch {
            throw BlockStoreFault(.io, .unknown, "The pool could not \(what).", cause: "\(error)")
        }
    }

    // MARK: Asking

    func place(of layer: LayerID) -> PoolMap.Place? {
        state.withLock { $0.map.index().places[layer] }
    }

    func children(of layer: LayerID) -> Set<LayerID> {
        state.withLock { $0.map.index().children[layer] ?? [] }
    }

    func parent(of layer: LayerID) -> LayerID? {
        state.withLock { $0.map.index().parents[layer] }
    }

    /// What a layer stands on and its size, as far as the store knows.
    func known(_ layer: LayerID) -> (parent: LayerID?, size: ByteCount)? {
        state.withLock { state in
            let index = state.map.index()
            guard let place = index.places[layer], let line = state.map.lines[place.image] else { return nil }
            return (index.parents[layer], ByteCount(place.point?.sizeBytes ?? line.sizeBytes))
        }
    }

    /// The image that a layer is in, to wait for its turn.
    func imageNow(of layer: LayerID, orOf other: LayerID? = nil) async throws(BlockStoreFault) -> String {
        for candidate in [layer, other].compactMap({ $0 }) {
            if let place = place(of: candidate) { return place.image }
        }
        // A call whose answer was lost may have made it.
        let doubtful = state.withLock { $0.doubtful }
        if !doubtful.isEmpty {
            try await turns.hold(doubtful) { () async throws(BlockStoreFault) in try await settle(doubtful) }
            if let place = place(of: layer) { return place.image }
        }
        throw .missing(layer)
    }

    // MARK: Sizes

    /// A layer with the bytes that are in its account.
    func measure(_ id: LayerID, in map: inout PoolMap) async throws(BlockStoreFault) -> StoredLayer? {
        let index = map.index()
        guard let place = index.places[id], let line = map.lines[place.image] else { return nil }
        var sum: Int64 = 0
        for piece in map.pieces(inAccountOf: id) {
            // In a clone, what a snapshot holds may still grow: the first write to an object copies it up for the snapshots too.
            sum += try await bytes(of: piece, isLasting: map.lines[piece.image]?.root == nil)
        }
        return StoredLayer(
            id: id,
            parent: index.parents[id],
            size: ByteCount(place.point?.sizeBytes ?? line.sizeBytes),
            allocated: ByteCount(sum)
        )
    }

    private func bytes(of piece: PoolMap.Piece, isLasting: Bool) async throws(BlockStoreFault) -> Int64 {
        let point = isLasting ? piece.point : nil
        let key = point.map { PieceKey(image: piece.image, from: piece.previous?.id ?? 0, to: $0.id) }
        if let key, let known = knownSizes.withLock({ $0[key] }) { return known }
        let sum = try await calls.run("measure the image \(piece.image)") { cluster -> Int64 in
            do {
                return try cluster.withImage(piece.image, snapshot: piece.point?.name, isReadOnly: true) { open in
                    try Self.bytes(since: piece.previous?.name, in: open)
                }
            } catch let fault as CephFault where fault.errno == ENOENT {
                // Merged away a moment ago: the next look finds it elsewhere.
                return 0
            }
        }
        if let key { knownSizes.withLock { $0[key] = sum } }
        return sum
    }

    /// What differs from a snapshot and is there: first by the map of objects, which costs next to nothing, then exactly
    /// within those that changed, unless they are so many that exactness would cost more than it is worth.
    static func bytes(since snapshot: String?, in image: Image) throws -> Int64 {
        let size = try image.sizeBytes()
        let objects = try image.changes(since: snapshot, in: 0..<size, includesParent: false, wholeObjects: true)
            .filter(\.exists)
        let whole = objects.reduce(0) { $0 + $1.length }
        guard whole <= 4_096 * objectSize else { return whole }
        var sum: Int64 = 0
        for object in objects {
            let range = object.offset..<min(size, object.offset + object.length)
            sum += try image.changes(since: snapshot, in: range, includesParent: false, wholeObjects: false)
                .filter(\.exists).reduce(0) { $0 + $1.length }
        }
        return sum
    }

    // MARK: The whole pool

    package func inventory() async throws(BlockStoreFault) -> PoolInventory {
        try await load()
        let before = state.withLock { $0.changes }
        let found = try await readAll()
        state.withLock { state in
            let names = Set(found.lines.map(\.image))
            // What changed while we read is known better already.
            func isUnchanged(_ image: String) -> Bool {
                state.changes[image] == before[image] && !state.doubtful.contains(image)
            }
            for line in found.lines where isUnchanged(line.image) { state.map.lines[line.image] = line }
            for image in state.map.lines.keys where !names.contains(image) && isUnchanged(image) {
                state.map.lines[image] = nil
            }
        }
        await sweepEverything(found.images)
        var map = state.withLock { $0.map }
        var layers: [StoredLayer] = []
        for id in map.index().places.keys.sorted() {
            if let stored = try await measure(id, in: &map) { layers.append(stored) }
        }
        return PoolInventory(layers: layers, unknown: try await unknownImages(found.images))
    }

    private func unknownImages(_ images: [String]) async throws(BlockStoreFault) -> [UnknownItem] {
        var items: [UnknownItem] = []
        for image in images.sorted() {
            guard let name = names.name(ofImage: image), names.layer(ofImage: image) == nil else { continue }
            let size = try await calls.run("measure the image \(image)") { cluster in
                try cluster.withImage(image, isReadOnly: true) { try Self.bytes(since: nil, in: $0) }
            }
            items.append(
                UnknownItem(
                    name: name,
                    allocated: ByteCount(size),
                    reason: "Its name begins as those of layers do, and is no layer's."
                )
            )
        }
        return items
    }

    package func quarantine(_ item: UnknownItem) async throws(BlockStoreFault) -> String {
        try await load()
        if let layer = item.layer { return try await quarantine(layer) }
        guard !item.name.isEmpty, !item.name.contains("/"), !item.name.contains("@") else {
            throw BlockStoreFault(.notFound, .notDone, "'\(item.name)' is not the name of something in the pool.")
        }
        let (image, target) = ("\(names.prefix).\(item.name)", names.quarantine(item.name))
        try await changing(image, "set '\(item.name)' aside") { cluster in
            try cluster.renameImage(image, to: target)
        }
        return "\(calls.address.pool)/\(target)"
    }

    /// Keeps a layer's content as an image that is no layer.
    private func quarantine(_ layer: LayerID) async throws(BlockStoreFault) -> String {
        let image = try await imageNow(of: layer)
        let target = names.quarantine("\(layer)")
        try await turns.hold([image]) { () async throws(BlockStoreFault) in
            try await settle([image])
            guard var place = place(of: layer) else { throw .missing(layer) }
            try requireChildless(layer)
            if place.point == nil {
                try await requireUnwatched(image, layer)
                try await freeze(layer, in: image, goingOnAs: .random(), nil, isLive: false)
                guard let frozen = self.place(of: layer) else { throw .missing(layer) }
                place = frozen
                let newest = frozen.point?.id ?? 0
                try await note("set the layer \(layer) aside") { map in
                    map.notes.heads[image] = Notes.Head(newest: newest, layer: nil)
                }
            }
            guard let point = place.point else { throw .missing(layer) }
            try await calls.run("set the layer \(layer) aside", changes: true) { cluster in
                try cluster.clone(image, snapshot: point.name, to: target)
            }
            try await note("set the layer \(layer) aside") { $0.notes.hide(point.id, of: image) }
        }
        try await sweep([image])
        return "\(calls.address.pool)/\(target)"
    }
}
