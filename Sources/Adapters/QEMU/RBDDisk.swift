import Foundation
package import SnapshotPorts

/// A Ceph RBD image that a QEMU program opens as a writable disk.
///
/// All layers of a line are in one image, so the program never opens anything else while layers freeze below it. It finds
/// the cluster's addresses and the user's key by the configuration file: no secret is here.
package struct RBDDisk: Sendable, Hashable, Codable {
    /// The pool's name in the cluster.
    package var pool: String
    /// A namespace of the pool; nil for none.
    package var namespace: String?
    package var image: String
    /// The absolute path of the cluster's configuration file.
    package var configuration: String
    /// The user's name without `client.`.
    package var user: String

    package init(pool: String, namespace: String? = nil, image: String, configuration: String, user: String) {
        self.pool = pool
        self.namespace = namespace
        self.image = image
        self.configuration = configuration
        self.user = user
    }

    /// The arguments of the `blockdev-add` command, or the value of a `-blockdev` option, that opens the image.
    ///
    /// - Parameters:
    ///   - nodeName: The name that the node gets.
    ///   - isWritable: Whether the node may be written to.
    ///   - snapshot: What to open instead of the image's present content, for reading.
    /// - Returns: The arguments.
    package func blockdevArguments(
        nodeName: String,
        isWritable: Bool = true,
        snapshot: String? = nil
    ) -> [String: JSONValue] {
        var arguments: [String: JSONValue] = [
            "driver": "rbd", "node-name": .string(nodeName), "pool": .string(pool), "image": .string(image),
            "conf": .string(configuration), "user": .string(user),
            "read-only": .bool(!isWritable), "discard": "unmap", "detect-zeroes": "off",
            // The host keeps no pages of it; the client library has a cache of its own, which a guest's flush writes out.
            "cache": .object(["direct": true, "no-flush": false]),
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
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        self.init(scheme: Self.rbdScheme, description: try encoder.encode(disk))
    }

    /// The image to open; nil when the source is of another kind.
    package func rbdDisk() throws -> RBDDisk? {
        guard scheme == Self.rbdScheme else { return nil }
        return try JSONDecoder().decode(RBDDisk.self, from: description)
    }
}
