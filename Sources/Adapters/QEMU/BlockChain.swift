/// One qcow2 file of a chain, with the names of its nodes in a QEMU program.
package struct BlockChainLayer: Sendable, Hashable, Codable {
    /// The name of the qcow2 node.
    package var nodeName: String
    /// The absolute path of the file.
    package var path: String
    /// The name of the node of the file itself.
    package var fileNodeName: String

    package init(nodeName: String, path: String, fileNodeName: String) {
        self.nodeName = nodeName
        self.path = path
        self.fileNodeName = fileNodeName
    }
}

/// The qcow2 files that together are the content of a disk, the base first.
///
/// Every layer becomes a node of its own with an explicit reference to the one below, so QEMU never opens a file because
/// another file names it, and what backs what is our decision alone. Backing names in the files serve `qemu-img` only.
package struct BlockChain: Sendable, Hashable, Codable {
    /// The longest node name that QEMU accepts.
    package static let maximumNodeNameBytes = 31

    /// Base first, top last.
    package var layers: [BlockChainLayer]

    package init(_ layers: [BlockChainLayer]) {
        self.layers = layers
    }

    package var top: BlockChainLayer? { layers.last }

    /// The arguments of the `blockdev-add` commands, or the values of `-blockdev` options, that open the chain; in the
    /// order in which they must be given.
    ///
    /// - Parameters:
    ///   - options: How to open the files.
    ///   - isTopWritable: Whether the top may be written to. The others never are, except by jobs that QEMU runs.
    /// - Returns: One set of arguments for each layer, base first.
    package func blockdevArguments(
        options: BlockChainOptions = BlockChainOptions(),
        isTopWritable: Bool = true
    ) -> [[String: JSONValue]] {
        var below: BlockChainLayer?
        return layers.map { layer in
            let isWritable = isTopWritable && layer == layers.last
            let node = Self.blockdevArguments(layer, over: below?.nodeName, isWritable: isWritable, options: options)
            below = layer
            return node
        }
    }

    /// The arguments of the `blockdev-add` command that opens one layer.
    ///
    /// - Parameters:
    ///   - layer: The file.
    ///   - backing: The node below. Nil opens the layer with nothing below, whatever its header says: for a base, and
    ///     for a fresh overlay on which `blockdev-snapshot` will put the present top.
    ///   - isWritable: Whether the node may be written to.
    ///   - options: How to open the file.
    /// - Returns: The arguments.
    package static func blockdevArguments(
        _ layer: BlockChainLayer,
        over backing: String?,
        isWritable: Bool,
        options: BlockChainOptions = BlockChainOptions()
    ) -> [String: JSONValue] {
        let cache: JSONValue = ["direct": .bool(options.bypassesPageCache), "no-flush": false]
        return [
            "driver": "qcow2",
            "node-name": .string(layer.nodeName),
            "read-only": .bool(!isWritable),
            "backing": backing.map { .string($0) } ?? .null,
            "discard": "unmap",
            // Also below the top: a job that writes to a lower layer keeps zeros as zeros.
            "detect-zeroes": options.detectsZeroes ? "unmap" : "off",
            "cache": cache,
            // The file inherits read-only from its qcow2 node, and must: a job that writes to a lower layer reopens both.
            "file": [
                "driver": "file",
                "node-name": .string(layer.fileNodeName),
                "filename": .string(layer.path),
                "aio": "threads",
                "discard": "unmap",
                "cache": cache,
            ],
        ]
    }
}

/// How the files of a chain are opened.
package struct BlockChainOptions: Sendable, Hashable, Codable {
    /// Opens files with `O_DIRECT`.
    ///
    /// Off by default: QEMU then flushes when the guest does, and reads of shared layers come from one page cache.
    package var bypassesPageCache: Bool
    /// Frees space when a guest writes zeros, at the price of looking at every write.
    package var detectsZeroes: Bool

    package init(bypassesPageCache: Bool = false, detectsZeroes: Bool = true) {
        self.bypassesPageCache = bypassesPageCache
        self.detectsZeroes = detectsZeroes
    }
}
