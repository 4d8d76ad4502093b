import Foundation
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

/// The 128 bits of a UUID as 26 characters.
private enum Base32 {
    static let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)

    static func encode(_ uuid: UUID) -> String {
        let bytes = withUnsafeBytes(of: uuid.uuid) { Array($0) }
        var text: [UInt8] = []
        var bits = 0
        var bitCount = 0
        for byte in bytes {
            bits = bits << 8 | Int(byte)
            bitCount += 8
            while bitCount >= 5 {
                bitCount -= 5
                text.append(alphabet[bits >> bitCount & 31])
            }
            bits &= (1 << bitCount) - 1
        }
        if bitCount > 0 { text.append(alphabet[bits << (5 - bitCount) & 31]) }
        return String(decoding: text, as: UTF8.self)
    }

    /// Nil for anything that `encode` does not write, such as upper case or bits set beyond the last byte.
    static func decode(_ text: Substring) -> UUID? {
        guard text.utf8.count == 26 else { return nil }
        var bytes: [UInt8] = []
        var bits = 0
        var bitCount = 0
        for character in text.utf8 {
            guard let value = alphabet.firstIndex(of: character) else { return nil }
            bits = bits << 5 | value
            bitCount += 5
            if bitCount >= 8 {
                bitCount -= 8
                bytes.append(UInt8(bits >> bitCount))
                bits &= (1 << bitCount) - 1
            }
        }
        guard bytes.count == 16, bits == 0 else { return nil }
        var uuid = UUID().uuid
        withUnsafeMutableBytes(of: &uuid) { $0.copyBytes(from: bytes) }
        return UUID(uuid: uuid)
    }
}
