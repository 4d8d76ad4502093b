import Foundation
import SnapshotDomain
import SnapshotPorts

extension BlockStoreContract {
    private static let first = Fill(1, 0..<1_048_576)
    private static let second = Fill(2, 65_536..<131_072)
    private static let third = Fill(3, 100_000..<1_100_000)

    static let machines: [BlockStoreContract] = [
        BlockStoreContract("a switch keeps what was written before it and nothing that was written after") { ground in
            let old = try await ground.makeLayer([first])
            let new = LayerID.random()
            try await ground.withMachine(writing: [old]) { machine in
                try await machine.write(second, toDisk: 0)
                try await ground.switchOver(machine, [LayerSwitch(from: old, to: new)])
                try require(try await machine.activeLayers() == [new], "the machine writes another layer")
                try await machine.write(third, toDisk: 0)
                try await ground.expectContent(of: old, [first, second], "the old layer")
                try await machine.expect(Fill(1, 0..<65_536), onDisk: 0)
                try await machine.expect(third, onDisk: 0)
            }
            try await ground.expectContent(of: old, [first, second], "the old layer")
            try await ground.expectContent(of: new, [first, second, third], "the new layer")
        },
        BlockStoreContract("what a machine writes and has open is told by its handles, before and after a switch") {
            ground in
            let base = try await ground.makeLayer([first])
            let old = [try await ground.makeLayer(on: base), try await ground.makeLayer(on: base)]
            let new = LayerID.random()
            try await ground.withMachine(writing: old) { machine in
                try await ground.expectOpen([base] + old, written: old, in: machine)
                try await ground.switchOver(machine, [LayerSwitch(from: old[0], to: new)])
                try await ground.expectOpen([base, new] + old, written: [new, old[1]], in: machine)
            }
            let store = await ground.store
            let stranger = DiskHandle("nothing of ours")
            try require(try await store.writtenLayer(through: stranger) == nil, "a stranger's handle leads to a layer")
            try require(try await store.openLayers(through: [stranger]).isEmpty, "a stranger's handle opens a layer")
        },
        BlockStoreContract("all disks of one call are switched, or none") { ground in
            let old = [try await ground.makeLayer([first]), try await ground.makeLayer([second])]
            let new = [LayerID.random(), LayerID.random()]
            try await ground.withMachine(writing: old) { machine in
                let switches = zip(old, new).map { LayerSwitch(from: $0, to: $1) }
                for change in switches {
                    try await ground.store.createLayer(
                        change.to,
                        on: change.from,
                        size: .mebibytes(4),
                        through: machine.channel
                    )
                }
                try await ground.store.prepareSwitch([switches[0]], through: machine.channel)
                do {
                    try await ground.store.finishSwitch(switches, through: machine.channel)
                    throw Broken(description: "a switch to a layer that was not prepared should fail")
                } catch is BlockStoreFault {
                    try require(try await machine.activeLayers() == old, "a switch that failed has switched a disk")
                }
                try await ground.store.prepareSwitch(switches, through: machine.channel)
                try await ground.store.finishSwitch(switches, through: machine.channel)
                try require(try await machine.activeLayers() == new, "a switch has left a disk behind")
            }
        },
        BlockStoreContract("every part of a switch can be repeated") { ground in
            let old = try await ground.makeLayer([first])
            let new = LayerID.random()
            let switches = [LayerSwitch(from: old, to: new)]
            try await ground.withMachine(writing: [old]) { machine in
                let (store, channel) = (await ground.store, machine.channel)
                for _ in 1...2 { try await ground.switchOver(machine, switches) }
                try await machine.write(second, toDisk: 0)
                for _ in 1...2 { try await store.finishSwitch(switches, through: channel) }
                for _ in 1...2 { try await store.abandonSwitch(switches, through: channel) }
                try require(try await machine.activeLayers() == [new], "a finished switch was taken back")
                try await machine.expect(second, onDisk: 0)
            }
        },
        BlockStoreContract("an abandoned switch leaves nothing in the machine") { ground in
            let old = try await ground.makeLayer([first])
            let new = LayerID.random()
            let switches = [LayerSwitch(from: old, to: new)]
            try await ground.withMachine(writing: [old]) { machine in
                let store = await ground.store
                try await store.createLayer(new, on: old, size: .mebibytes(4), through: machine.channel)
                try await store.prepareSwitch(switches, through: machine.channel)
                for _ in 1...2 { try await store.abandonSwitch(switches, through: machine.channel) }
                try require(try await machine.openLayers() == [old], "the machine still has other layers open")
                try await store.deleteLayer(new)
                try await machine.write(second, toDisk: 0)
            }
            try await ground.expectContent(of: old, [first, second], "the layer")
        },
        BlockStoreContract("layers below the one that a machine writes are folded while it writes") { ground in
            let chain = try await ground.makeChain([[first], [second], [third], []])
            try await ground.withMachine(writing: [chain[3]]) { machine in
                try await machine.write(Fill(4, 0..<512), toDisk: 0)
                for _ in 1...2 {
                    try await ground.store.foldLayer(
                        chain[2],
                        into: chain[1],
                        through: machine.channel,
                        progress: ignore
                    )
                }
                try await machine.write(Fill(5, 512..<1_024), toDisk: 0)
                try require(
                    try await machine.openLayers() == [chain[0], chain[2], chain[3]],
                    "the machine has other layers open than those that are left"
                )
                try await machine.expect(Fill(3, 131_072..<1_100_000), onDisk: 0)
                // And down to the base, as if nothing had happened before.
                try await ground.store.foldLayer(chain[2], into: chain[0], through: machine.channel, progress: ignore)
                try require(try await machine.openLayers() == [chain[2], chain[3]], "the base is still open")
            }
            let content = [first, second, third]
            try await ground.expectContent(of: chain[2], content, "the folded layer")
            try await ground.expectContent(of: chain[3], content + [Fill(4, 0..<512), Fill(5, 512..<1_024)], "the top")
        },
        BlockStoreContract("a layer that a machine writes is not folded") { ground in
            let chain = try await ground.makeChain([[first], [second]])
            try await ground.withMachine(writing: [chain[1]]) { machine in
                try await requireFault(.inUse, "folding what is written") {
                    try await ground.store.foldLayer(
                        chain[1],
                        into: chain[0],
                        through: machine.channel,
                        progress: ignore
                    )
                }
                try await machine.write(third, toDisk: 0)
            }
            try await ground.expectContent(of: chain[1], [first, second, third], "the layer")
        },
        BlockStoreContract("a layer is pulled while a machine writes it") { ground in
            let chain = try await ground.makeChain([[first], [second], [Fill(4, 70_000..<70_512)]])
            try await ground.withMachine(writing: [chain[2]]) { machine in
                try await machine.write(third, toDisk: 0)
                for _ in 1...2 {
                    try await ground.store.pullLayer(
                        chain[2],
                        downTo: chain[0],
                        through: machine.channel,
                        progress: ignore
                    )
                }
                try require(try await machine.openLayers() == [chain[0], chain[2]], "a hidden layer is still open")
                try await ground.store.deleteLayer(chain[1])
                try await ground.store.pullLayer(chain[2], downTo: nil, through: machine.channel, progress: ignore)
                try require(try await machine.openLayers() == [chain[2]], "the base is still open")
                try await machine.write(Fill(5, 0..<512), toDisk: 0)
            }
            try await ground.expectLayer(chain[2], on: nil)
            try await ground.expectContent(
                of: chain[2],
                [first, second, Fill(4, 70_000..<70_512), third, Fill(5, 0..<512)],
                "the pulled layer"
            )
        },
        BlockStoreContract("a layer at rest is pulled below the one that a machine writes") { ground in
            let chain = try await ground.makeChain([[first], [second], [third], []])
            try await ground.withMachine(writing: [chain[3]]) { machine in
                try await ground.store.pullLayer(chain[2], downTo: chain[0], through: machine.channel, progress: ignore)
                try await machine.write(Fill(5, 0..<512), toDisk: 0)
                try require(
                    try await machine.openLayers() == [chain[0], chain[2], chain[3]],
                    "a hidden layer is still open"
                )
            }
            try await ground.expectContent(of: chain[2], [first, second, third], "the pulled layer")
            try await ground.expectContent(of: chain[3], [first, second, third, Fill(5, 0..<512)], "the top")
        },
        BlockStoreContract("a disk grows while a machine writes it") { ground in
            let chain = try await ground.makeChain([[first], []])
            try await ground.withMachine(writing: [chain[1]]) { machine in
                for _ in 1...2 {
                    try await ground.store.growLayer(chain[1], to: .mebibytes(6), through: machine.channel)
                }
                try await machine.write(Fill(5, 6_000_000..<6_000_512), toDisk: 0)
            }
            try await ground.expectContent(
                of: chain[1],
                [first, Fill(5, 6_000_000..<6_000_512)],
                size: .mebibytes(6),
                "the grown layer"
            )
        },
        BlockStoreContract("a layer that a machine reads can be digested, copied and exported") { ground in
            let chain = try await ground.makeChain([[first, second], []])
            try await ground.withMachine(writing: [chain[1]]) { machine in
                try await machine.write(third, toDisk: 0)
                let store = await ground.store
                let copy = LayerID.random()
                try await store.copyLayer(chain[0], to: copy, progress: ignore)
                let digests = [
                    try await store.digest(of: chain[0], progress: ignore),
                    try await store.digest(of: copy, progress: ignore),
                ]
                try require(digests[0] == digests[1], "a copy has another digest")
                let stream = try await store.export(chain[0], as: .raw, progress: ignore)
                var bytes = Data()
                for try await chunk in stream.chunks { bytes += chunk }
                try require(
                    DiskModel(bytes: bytes) == DiskModel(size: .mebibytes(4), [first, second]),
                    "the exported bytes are others"
                )
            }
        },
        BlockStoreContract("a clone of a layer that a machine reads is independent of it") { ground in
            let chain = try await ground.makeChain([[first], []])
            try await ground.withMachine(writing: [chain[1]]) { machine in
                try await machine.write(third, toDisk: 0)
                let clone = try await ground.makeLayer(on: chain[0], [second])
                try await ground.expectContent(of: clone, [first, second], "the clone")
            }
        },
    ]
}

extension BlockStoreGround {
    /// Expects the store to know layers by what a machine has open.
    func expectOpen(_ open: [LayerID], written: [LayerID], in machine: any ContractMachine) async throws {
        var found: [LayerID?] = []
        for handle in try await machine.writtenDisks() {
            found.append(try await store.writtenLayer(through: handle))
        }
        try require(found == written, "the layers \(written) are written, and the store says \(found)")
        let all = try await store.openLayers(through: try await machine.openDisks())
        try require(all == Set(open), "the layers \(open) are open, and the store says \(all)")
    }

    /// Makes the new layers and puts a machine on them.
    func switchOver(_ machine: any ContractMachine, _ switches: [LayerSwitch]) async throws {
        for change in switches {
            try await store.createLayer(
                change.to,
                on: change.from,
                size: .mebibytes(4),
                through: machine.channel
            )
        }
        try await store.prepareSwitch(switches, through: machine.channel)
        try await store.finishSwitch(switches, through: machine.channel)
    }
}
