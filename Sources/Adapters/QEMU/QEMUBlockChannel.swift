import Foundation
package import SnapshotDomain
package import SnapshotPorts

/// The way to the disks of a machine that runs in QEMU: its monitor.
///
/// The hypervisor makes it, and the qcow2 store takes it apart. Both name the nodes of layers by ``LayerNode``.
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
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        self.init(scheme: Self.blockChainScheme, description: try encoder.encode(chain))
    }

    /// The chain to open; nil when the source is of another kind.
    package func blockChain() throws -> BlockChain? {
        guard scheme == Self.blockChainScheme else { return nil }
        return try JSONDecoder().decode(BlockChain.self, from: description)
    }
}
