import SnapshotDomain
import SnapshotPorts

extension BlockStoreContract {
    static let making: [BlockStoreContract] = [
        BlockStoreContract("a blank layer reads as zeros and takes next to no space") { ground in
            let layer = try await ground.makeLayer()
            try await ground.expectLayer(layer, on: nil)
            try await ground.expectContent(of: layer, [], "a blank layer")
            let stored = try await ground.store.findLayer(layer)
            try require(
                (stored?.allocated ?? .gibibytes(1)) < .mebibytes(1),
                "a blank layer takes \(String(describing: stored))"
            )
        },
        BlockStoreContract("a layer on another one shows its content") { ground in
            let chain = try await ground.makeChain([[Fill(1, 0..<65_536)], []])
            try await ground.expectLayer(chain[1], on: chain[0])
            try await ground.expectContent(of: chain[1], [Fill(1, 0..<65_536)], "the upper layer")
        },
        BlockStoreContract("a layer on another one can be written, and the other one stays as it was") { ground in
            let below = [Fill(1, 0..<2_000_000)]
            let above = [Fill(2, 4_096..<8_192), Fill(3, 1_999_000..<2_001_000)]
            let chain = try await ground.makeChain([below, above])
            try await ground.expectContent(of: chain[0], below, "the lower layer")
            try await ground.expectContent(of: chain[1], below + above, "the upper layer")
        },
        BlockStoreContract("siblings do not see each other") { ground in
            let base = try await ground.makeLayer([Fill(1, 0..<65_536)])
            let one = try await ground.makeLayer(on: base, [Fill(2, 0..<4_096)])
            let two = try await ground.makeLayer(on: base, [Fill(3, 4_096..<8_192)])
            try await ground.expectContent(of: one, [Fill(1, 0..<65_536), Fill(2, 0..<4_096)], "the first")
            try await ground.expectContent(of: two, [Fill(1, 0..<65_536), Fill(3, 4_096..<8_192)], "the second")
        },
        BlockStoreContract("a layer larger than the one below reads as zeros beyond its end") { ground in
            let base = try await ground.makeLayer([Fill(1, 0..<4_194_304)])
            let above = try await ground.makeLayer(on: base, size: .mebibytes(6), [Fill(2, 6_290_000..<6_291_456)])
            try await ground.expectContent(
                of: above,
                [Fill(1, 0..<4_194_304), Fill(2, 6_290_000..<6_291_456)],
                size: .mebibytes(6),
                "the larger layer"
            )
        },
        BlockStoreContract("creating what exists with the same shape changes nothing") { ground in
            let chain = try await ground.makeChain([[Fill(1, 0..<65_536)], [Fill(2, 0..<4_096)]])
            try await ground.store.createLayer(chain[0], size: .mebibytes(4))
            try await ground.store.createLayer(chain[1], on: chain[0], size: .mebibytes(4), through: nil)
            try await ground.expectContent(of: chain[1], [Fill(1, 0..<65_536), Fill(2, 0..<4_096)], "the upper layer")
        },
        BlockStoreContract("creating what exists with another shape is refused") { ground in
            let chain = try await ground.makeChain([[], []])
            let other = try await ground.makeLayer()
            let store = await ground.store
            try await requireFault(.exists, "another size") {
                try await store.createLayer(chain[0], size: .mebibytes(8))
            }
            try await requireFault(.exists, "no parent") { try await store.createLayer(chain[1], size: .mebibytes(4)) }
            try await requireFault(.exists, "another parent") {
                try await store.createLayer(chain[1], on: other, size: .mebibytes(4), through: nil)
            }
            try await ground.expectLayer(chain[1], on: chain[0])
            try await store.deleteLayer(other)
        },
        BlockStoreContract("a layer cannot be made on what is not there, nor smaller than what it stands on") {
            ground in
            let store = await ground.store
            let (layer, nowhere) = (LayerID.random(), LayerID.random())
            try await requireFault(.notFound, "a missing parent") {
                try await store.createLayer(layer, on: nowhere, size: .mebibytes(4), through: nil)
            }
            let base = try await ground.makeLayer()
            try await requireFault(.exists, "a smaller layer") {
                try await store.createLayer(layer, on: base, size: .mebibytes(2), through: nil)
            }
            try await ground.expectGone(layer)
            try await store.deleteLayer(base)
        },
        BlockStoreContract("a layer grows, keeps its content and shows zeros beyond it") { ground in
            let chain = try await ground.makeChain([[Fill(1, 0..<4_194_304)], [Fill(2, 4_190_000..<4_194_304)]])
            for _ in 1...2 { try await ground.store.growLayer(chain[1], to: .mebibytes(9), through: nil) }
            try await ground.expectLayer(chain[1], on: chain[0], size: .mebibytes(9))
            try await ground.expectContent(
                of: chain[1],
                [Fill(1, 0..<4_194_304), Fill(2, 4_190_000..<4_194_304)],
                size: .mebibytes(9),
                "the grown layer"
            )
            try await ground.expectLayer(chain[0], on: nil)
        },
        BlockStoreContract("a layer does not shrink, and does not grow under another one") { ground in
            let chain = try await ground.makeChain([[], []])
            let store = await ground.store
            try await requireFault(.exists, "shrinking") {
                try await store.growLayer(chain[1], to: .mebibytes(2), through: nil)
            }
            try await requireFault(.inUse, "growing below another layer") {
                try await store.growLayer(chain[0], to: .mebibytes(8), through: nil)
            }
        },
        BlockStoreContract("what was made is there after a restart, and nothing else") { ground in
            let chain = try await ground.makeChain([[Fill(1, 0..<65_536)], [Fill(2, 0..<4_096)]])
            try await ground.restart()
            let found = try await ground.store.inventory()
            try require(Set(found.layers.map(\.id)) == Set(chain), "the pool has \(found.layers) instead of \(chain)")
            try require(found.unknown.isEmpty, "the pool has unknown things: \(found.unknown)")
            try await requireFault(.inUse, "deleting the base after a restart") {
                try await ground.store.deleteLayer(chain[0])
            }
            try await ground.expectContent(of: chain[1], [Fill(1, 0..<65_536), Fill(2, 0..<4_096)], "the upper layer")
        },
        BlockStoreContract("a pool has room, and says how much") { ground in
            let capacity = try await ground.store.capacity()
            try require(capacity.free > .zero && capacity.free <= capacity.total, "the capacity is \(capacity)")
        },
    ]

    static let removing: [BlockStoreContract] = [
        BlockStoreContract("what is deleted is gone, and deleting it again succeeds") { ground in
            let layer = try await ground.makeLayer([Fill(1, 0..<65_536)])
            for _ in 1...2 { try await ground.store.deleteLayer(layer) }
            try await ground.expectGone(layer)
            try await ground.store.deleteLayer(.random())
        },
        BlockStoreContract("a layer is not deleted while another one stands on it") { ground in
            let chain = try await ground.makeChain([[Fill(1, 0..<65_536)], []])
            try await requireFault(.inUse, "deleting the base") { try await ground.store.deleteLayer(chain[0]) }
            try await ground.expectContent(of: chain[1], [Fill(1, 0..<65_536)], "the upper layer")
            try await ground.store.deleteLayer(chain[1])
            try await ground.store.deleteLayer(chain[0])
        },
        BlockStoreContract("a layer is not deleted while a machine has it open") { ground in
            let layer = try await ground.makeLayer([Fill(1, 0..<65_536)])
            try await ground.withMachine(writing: [layer]) { _ in
                try await requireFault(.inUse, "deleting an open layer") { try await ground.store.deleteLayer(layer) }
            }
            try await ground.store.deleteLayer(layer)
        },
        BlockStoreContract("a deleted layer's name can be used again") { ground in
            let layer = try await ground.makeLayer([Fill(1, 0..<65_536)])
            try await ground.store.deleteLayer(layer)
            try await ground.store.createLayer(layer, size: .mebibytes(4))
            try await ground.expectContent(of: layer, [], "the new layer")
        },
        BlockStoreContract("what is no layer is reported, and set aside when asked") { ground in
            let layer = try await ground.makeLayer()
            try await ground.litter(named: "notes.txt")
            let unknown = try await ground.store.inventory().unknown
            try require(unknown.map(\.name) == ["notes.txt"], "the unknown things are \(unknown)")
            let places = try await [
                ground.store.quarantine(unknown[0]),
                ground.store.quarantine(
                    UnknownItem(name: "\(layer)", allocated: .zero, layer: layer, reason: "unknown")
                ),
            ]
            try require(Set(places).count == 2, "two things are set aside at \(places)")
            let left = try await ground.store.inventory()
            try require(left.layers.isEmpty && left.unknown.isEmpty, "the pool still has \(left)")
            try await requireFault(.notFound, "setting aside what is not there") {
                _ = try await ground.store.quarantine(unknown[0])
            }
        },
        BlockStoreContract("a layer that others stand on is not set aside") { ground in
            let chain = try await ground.makeChain([[], []])
            let item = UnknownItem(name: "\(chain[0])", allocated: .zero, layer: chain[0], reason: "unknown")
            try await requireFault(.inUse, "setting the base aside") { _ = try await ground.store.quarantine(item) }
            try await ground.expectLayer(chain[0], on: nil)
        },
    ]
}
