import Foundation
package import SnapshotPorts

/// An image of a Ceph pool that a QEMU program opens as a writable disk.
///
/// All layers of a line are in one image, so the program never opens anything else while layers freeze below it, and does
/// not notice it. It finds the cluster's addresses and the user's key by the configuration file: no secret is here.
package struct RBDDisk: Sendable, Hashable, Codable {
    /// The name of the node in a machine, by ``ImageNode``.
    package var nodeName: String
    /// The pool's name in the cluster.
    package var pool: String
    /// A namespace of the pool; nil for none.
    package var namespace: String?
    package var image: String
    /// The absolute path of the cluster's configuration file.
    package var configuration: String
    /// The user's name without `client.`.
    package var user: String

    package init(
        nodeName: String,
        pool: String,
        namespace: String? = nil,
        image: String,
        configuration: String,
        user: String
    ) {
        self.nodeName = nodeName
        self.pool = pool
        self.namespace = namespace
        self.image = image
        self.configuration = configuration
        self.user = user
    }

    /// The arguments of the `blockdev-add` command, or the value of a `-blockdev` option, that opens the image.
    ///
    /// The write-back cache of the client library stays on: it honours the guest's flushes, writes through until the guest
    /// has flushed once, and is written out before every snapshot. Zeros are looked for as on files, so that what a guest
    /// clears takes no space in the pool.
    ///
    /// - Parameters:
    ///   - nodeName: The name that the node gets, when it is not to be the machine's.
    ///   - isWritable: Whether the node may be written to.
    ///   - snapshot: What to open instead of the image's present content, for reading.
    /// - Returns: The arguments.
    package func blockdevArguments(
        nodeName: String? = nil,
        isWritable: Bool = true,
        snapshot: String? = nil
    ) -> [String: JSONValue] {
        var arguments: [String: JSONValue] = [
            "driver": "rbd",
            "node-name": .string(nodeName ?? self.nodeName),
            "pool": .string(pool),
            "image": .string(image),
            "conf": .string(configuration),
            "user": .string(user),
            "read-only": .bool(!isWritable),
            "discard": "unmap",
            "detect-zeroes": isWritable ? "unmap" : "off",
            "cache": ["direct": false, "no-flush": false],
        ]
        if let namespace { arguments["namespace"] = .string(namespace) }
        if let snapshot { arguments["snapshot"] = .string(snapshot) }
        return arguments
    }
}

extension DiskSource {
    /// The scheme of a source that holds an ``RBDDisk`` as JSON.
    package static let rbdScheme = "qemu-rbd"

    /// A source that a hypervisor of this kind opens as the given image.
    package init(_ disk: RBDDisk) throws {
        try self.init(scheme: Self.rbdScheme, encoding: disk)
    }

    /// The image to open; nil when the source is of another kind.
    package func rbdDisk() throws -> RBDDisk? {
        guard scheme == Self.rbdScheme else { return nil }
        return try JSONDecoder().decode(RBDDisk.self, from: description)
    }
}
