package import SnapshotPorts

/// A disk as QEMU opens it, in whichever kind of pool it lies.
package enum OpenableDisk: Sendable, Hashable {
    case chain(BlockChain)
    case image(RBDDisk)

    /// Reads a source; nil when it is of a kind that QEMU cannot open, or describes nothing.
    ///
    /// - Throws: When its description is damaged.
    package init?(_ source: DiskSource) throws {
        if let chain = try source.blockChain(), chain.top != nil {
            self = .chain(chain)
        } else if let image = try source.rbdDisk() {
            self = .image(image)
        } else {
            return nil
        }
    }

    /// The node that a device reads and writes.
    package var topNode: String {
        switch self {
        case .chain(let chain): chain.top?.nodeName ?? ""
        case .image(let image): image.nodeName
        }
    }

    /// The arguments of the `blockdev-add` commands, or the values of `-blockdev` options, that open the disk, in order.
    package func blockdevArguments() -> [[String: JSONValue]] {
        switch self {
        case .chain(let chain): chain.blockdevArguments()
        case .image(let image): [image.blockdevArguments()]
        }
    }
}

/// What a QEMU program has open is told by the names of its nodes.
extension DiskHandle {
    /// The handle behind a node, or nil for a node that is not of a disk of ours.
    ///
    /// A file stands for the layer in it: a program that has the one open uses the other.
    package init?(node name: String) {
        if let (layer, _) = LayerNode.parse(name) {
            self.init(LayerNode(layer))
        } else if ImageNode.parse(name) != nil {
            self.init(name)
        } else {
            return nil
        }
    }

    package init(_ layer: LayerNode) {
        self.init(layer.name)
    }

    package init(_ image: ImageNode) {
        self.init(image.name)
    }

    /// The layer, when one is a node of its own.
    package var layer: LayerNode? { LayerNode.layer(named: name).map(LayerNode.init) }

    /// The image of a Ceph pool.
    package var image: ImageNode? { ImageNode.parse(name) }
}
