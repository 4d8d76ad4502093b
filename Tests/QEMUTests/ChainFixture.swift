import Foundation
import Platform
import Testing

@testable import QEMU

/// A chain of qcow2 layers on disk and open in a storage daemon, and what its disk must read as.
struct ChainFixture {
    static let sizeBytes: Int64 = 4 << 20

    let client: QMPClient
    let daemon: StorageDaemon
    let chain: BlockChain
    /// What each layer with those below it reads as; the base first.
    let contents: [Data]

    /// Makes as many layers as asked, each with some random writes, and opens them.
    static func make(_ depth: Int, _ daemon: StorageDaemon, in directory: String, seed: UInt64, extendedL2: Bool = true)
        async throws -> ChainFixture
    {
        var random = SeededGenerator(seed: seed)
        var chain = BlockChain([])
        var contents: [Data] = []
        var content = Data(count: Int(sizeBytes))
        let client = try await daemon.client()
        for number in 0..<depth {
            let layer = layer(number, in: directory)
            var options = ["extended_l2": extendedL2 ? "on" : "off"]
            if number > 0 {
                // Relative, as a pool that can be moved needs it.
                options["backing_file"] = "layer\(number - 1).qcow2"
                options["backing_fmt"] = "qcow2"
            }
            try await Shared.images.create(layer.path, format: .qcow2, sizeBytes: sizeBytes, options: options)
            let below = chain.top?.nodeName
            try await client.execute("blockdev-add", BlockChain.blockdevArguments(layer, over: below, isWritable: true))
            chain.layers.append(layer)
            let writes = (0..<6).map { _ in
                let length = Int.random(in: 1...200_000, using: &random)
                return (Int64.random(in: 0...sizeBytes - Int64(length), using: &random), random.bytes(length))
            }
            try await daemon.withExport(node: layer.nodeName, writable: true) { disk in
                for (offset, data) in writes { try await disk.write(data, at: offset) }
                try await disk.flush()
            }
            for (offset, data) in writes { content.replaceSubrange(Int(offset)..<Int(offset) + data.count, with: data) }
            contents.append(content)
        }
        // Opened again as a machine would: read-only below the top.
        for layer in chain.layers.reversed() {
            try await client.execute("blockdev-del", ["node-name": .string(layer.nodeName)])
        }
        for arguments in chain.blockdevArguments() { try await client.execute("blockdev-add", arguments) }
        return ChainFixture(client: client, daemon: daemon, chain: chain, contents: contents)
    }

    static func layer(_ number: Int, in directory: String) -> BlockChainLayer {
        BlockChainLayer(nodeName: "l\(number)", path: "\(directory)/layer\(number).qcow2", fileNodeName: "f\(number)")
    }

    /// What a node reads as now.
    func read(_ node: String) async throws -> Data {
        try await daemon.withExport(node: node, writable: false) { disk in
            try await disk.read(offset: 0, length: Int(disk.sizeBytes))
        }
    }

    var nodeNames: Set<String> {
        get async throws {
            let nodes = try await client.execute("query-named-block-nodes", ["flat": true])
            return Set((nodes.array ?? []).compactMap { $0["node-name"]?.string })
        }
    }
}
