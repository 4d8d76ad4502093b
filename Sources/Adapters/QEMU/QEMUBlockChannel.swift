import Foundation
package import SnapshotDomain
package import SnapshotPorts

/// The way to the disks of a machine that runs in QEMU: its monitor.
///
/// The hypervisor makes it, and the stores whose disks QEMU opens take it apart. All name the nodes by ``LayerNode`` and
/// ``ImageNode``.
package struct QEMUBlockChannel: LiveBlockChannel {
    package let instance: InstanceID
    package let client: QMPClient

    package init(instance: InstanceID, client: QMPClient) {
        self.instance = instance
        self.client = client
    }
}

extension DiskSource {
    /// The scheme of a source that holds a ``BlockChain`` as JSON: absolute paths and node names, base first.
    package static let blockChainScheme = "qemu-block-chain"

    /// A source that a hypervisor of this kind opens as the given chain.
    package init(_ chain: BlockChain) throws {
        try self.init(scheme: Self.blockChainScheme, encoding: chain)
    }

    /// One description has one text, so that sources can be compared.
    init(scheme: String, encoding description: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        self.init(scheme: scheme, description: try encoder.encode(description))
    }

    /// The chain to open; nil when the source is of another kind.
    package func blockChain() throws -> BlockChain? {
        guard scheme == Self.blockChainScheme else { return nil }
        return try JSONDecoder().decode(BlockChain.self, from: description)
    }
}
