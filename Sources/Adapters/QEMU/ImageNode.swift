package import SnapshotDomain

/// The name under which a QEMU program knows an image of a Ceph pool: the letter `r`, and the identity of the image in
/// the alphabet of ``LayerNode``.
///
/// An image is named by the first layer of its line.
package struct ImageNode: Hashable, Sendable {
    package static let letter: Character = "r"

    package var image: LayerID

    package init(_ image: LayerID) {
        self.image = image
    }

    package var name: String { String(Self.letter) + Base32.encode(image.uuid) }

    /// Reads a name back; nil for a name that is not that of an image.
    package static func parse(_ name: String) -> ImageNode? {
        guard name.first == letter, let uuid = Base32.decode(name.dropFirst()) else { return nil }
        return ImageNode(LayerID(uuid))
    }
}
