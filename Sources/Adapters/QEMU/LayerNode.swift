package import SnapshotDomain

/// The names under which a QEMU program knows a layer: one node for its qcow2 format, one for the file below it.
///
/// Every program of ours that opens a layer uses these names and no other, so that what a program has open can be read
/// from its list of nodes. QEMU allows 31 characters, fewer than a UUID's text has; so the names are a letter and the
/// 128 bits in the base32 alphabet of RFC 4648, lower case, without padding: 27 characters.
package struct LayerNode: Hashable, Sendable {
    /// What a node of a layer is.
    package enum Part: Character, Sendable, CaseIterable {
        /// The qcow2 node: the layer with all that it reads through.
        case layer = "l"
        /// The node of the file itself.
        case file = "f"
    }

    package var layer: LayerID

    package init(_ layer: LayerID) {
        self.layer = layer
    }

    /// The name of the qcow2 node.
    package var name: String { name(of: .layer) }

    /// The name of the file node.
    package var fileName: String { name(of: .file) }

    package func name(of part: Part) -> String {
        String(part.rawValue) + Base32.encode(layer.uuid)
    }

    /// Reads a name back; nil for a name that is not one of ours.
    package static func parse(_ name: String) -> (layer: LayerID, part: Part)? {
        guard let first = name.first, let part = Part(rawValue: first), let uuid = Base32.decode(name.dropFirst())
        else {
            return nil
        }
        return (LayerID(uuid), part)
    }

    /// The layer whose qcow2 node has this name.
    package static func layer(named name: String) -> LayerID? {
        guard let (layer, part) = parse(name), part == .layer else { return nil }
        return layer
    }
}
