import Ceph
import Foundation
import SnapshotDomain

/// One image of ours: a line of layers, of which the snapshots are frozen and the present content, the *head*, is the last.
///
/// ```
///  image instanta.A     @A.B      @B.C      head
///                        A         B         C
/// ```
///
/// The name of a snapshot says which layer froze there and which one goes on. So freezing is one call, atomic, and needs
/// nothing to be copied or written down.
struct Line: Hashable, Sendable {
    /// A snapshot of ours.
    struct Point: Hashable, Sendable {
        /// Grows within the whole pool, and is never used again.
        var id: UInt64
        var name: String
        var frozen: LayerID
        var next: LayerID
        var sizeBytes: Int64
    }

    /// The snapshot that an image was cloned from.
    struct Root: Hashable, Sendable {
        var image: String
        var snapshot: String
    }

    var image: String
    /// The layer that the image began with, which its name says.
    var first: LayerID
    var sizeBytes: Int64
    /// Oldest first.
    var points: [Point]
    var root: Root?

    init(image: String, first: LayerID, sizeBytes: Int64, snapshots: [Image.Snapshot], root: Root?) {
        self.image = image
        self.first = first
        self.sizeBytes = sizeBytes
        // What others froze by hand is theirs: it is no layer, and is left alone.
        points = snapshots.compactMap { snapshot in
            guard let pair = ImageNames.layers(inPoint: snapshot.name) else { return nil }
            return Point(
                id: snapshot.id,
                name: snapshot.name,
                frozen: pair.frozen,
                next: pair.next,
                sizeBytes: snapshot.sizeBytes
            )
        }
        self.root = root
    }
}

/// The names that we give: all begin in a way of their own, so that a pool can be shared with others.
struct ImageNames: Hashable, Sendable {
    /// Where the names begin; `instanta` unless two services share a pool.
    var prefix: String

    func image(_ first: LayerID) -> String { "\(prefix).\(first)" }

    /// What is being made, and has no layer's name yet.
    func unfinished() -> String { "\(prefix)-new.\(UUID().uuidString.lowercased())" }

    func isUnfinished(_ image: String) -> Bool { image.hasPrefix("\(prefix)-new.") }

    func quarantine(_ name: String) -> String {
        "\(prefix)-quarantine.\(UUID().uuidString.prefix(8).lowercased()).\(name)"
    }

    /// The object that holds the notes.
    var notes: String { "\(prefix).notes" }

    /// The part of an image's name that is ours to read; nil for what is not ours.
    func name(ofImage image: String) -> String? {
        image.hasPrefix("\(prefix).") ? String(image.dropFirst(prefix.count + 1)) : nil
    }

    /// The layer that an image began with; nil when the name is none of ours.
    func layer(ofImage image: String) -> LayerID? {
        guard let name = name(ofImage: image), let layer = LayerID(name), self.image(layer) == image else { return nil }
        return layer
    }

    static func point(_ frozen: LayerID, _ next: LayerID) -> String { "\(frozen).\(next)" }

    static func layers(inPoint name: String) -> (frozen: LayerID, next: LayerID)? {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let frozen = LayerID(String(parts[0])), let next = LayerID(String(parts[1])) else {
            return nil
        }
        return (frozen, next)
    }
}

/// What names cannot say, in one small map that changes all at once.
///
/// A change of the tree that is more than freezing is one write here. What follows from it on the images is repeated until it
/// is done, and changes no layer any more.
struct Notes: Hashable, Sendable {
    /// Which layer a head is, where the newest snapshot's name does not say it any more.
    struct Head: Hashable, Sendable {
        /// The newest snapshot when this was written: a newer one makes the note old, a removed one does not.
        var newest: UInt64
        /// Nil when nobody needs the head.
        var layer: LayerID?
        /// A head that nobody needs still holds bytes of its own.
        var holdsBytes = false

        init(newest: UInt64, layer: LayerID?, holdsBytes: Bool = false) {
            self.newest = newest
            self.layer = layer
            self.holdsBytes = holdsBytes
        }
    }

    /// By image.
    var heads: [String: Head] = [:]
    /// Snapshots that are no layers any more, by image: only clones may still need them.
    var hidden: [String: Set<UInt64>] = [:]
    /// What layers stand on, where that is not what lies below them; by image and layer.
    var parents: [String: [LayerID: LayerID?]] = [:]

    init() {}

    /// Reads the map; what is not ours to read is left alone.
    init(_ values: [String: String]) {
        for (key, value) in values {
            let words = key.split(separator: " ").map(String.init)
            guard words.count >= 2 else { continue }
            let image = words[1]
            switch (words[0], words.count) {
            case ("head", 2):
                let parts = value.split(separator: " ").map(String.init)
                guard parts.count == 2, let newest = UInt64(parts[0]) else { continue }
                heads[image] = Head(newest: newest, layer: LayerID(parts[1]), holdsBytes: parts[1] == "full")
            case ("hidden", 3):
                if let id = UInt64(words[2]) { hidden[image, default: []].insert(id) }
            case ("parent", 3):
                if let layer = LayerID(words[2]) { parents[image, default: [:]][layer] = .some(LayerID(value)) }
            default: continue
            }
        }
    }

    /// The map as it is stored.
    var values: [String: String] {
        var values: [String: String] = [:]
        for (image, head) in heads {
            values["head \(image)"] = "\(head.newest) \(head.layer?.description ?? (head.holdsBytes ? "full" : "none"))"
        }
        for (image, ids) in hidden { for id in ids { values["hidden \(image) \(id)"] = "" } }
        for (image, entries) in parents {
            for (layer, parent) in entries { values["parent \(image) \(layer)"] = parent?.description ?? "none" }
        }
        return values
    }

    mutating func hide(_ point: UInt64, of image: String) { hidden[image, default: []].insert(point) }

    mutating func forget(_ point: UInt64, of image: String) {
        hidden[image]?.remove(point)
        if hidden[image]?.isEmpty == true { hidden[image] = nil }
    }

    mutating func forget(image: String) {
        heads[image] = nil
        hidden[image] = nil
        parents[image] = nil
    }

    func isHidden(_ point: UInt64, of image: String) -> Bool { hidden[image]?.contains(point) == true }
}
