import SnapshotDomain
import SnapshotPorts

extension BlockStoreContract {
    private static let low = [Fill(1, 0..<1_000_000), Fill(1, 3_000_000..<3_100_000)]
    private static let middle = [Fill(2, 500_000..<600_000), Fill(2, 2_000_000..<2_000_512), Fill(0, 0..<40_960)]
    private static let high = [
        Fill(3, 550_000..<560_000), Fill(3, 4_190_000..<4_194_304), Fill(0, 3_000_000..<3_050_000),
    ]

    static let merging: [BlockStoreContract] = [
        BlockStoreContract("a folded layer takes its parent's place, and no content changes") { ground in
            let chain = try await ground.makeChain([low, middle, high])
            let clone = try await ground.makeLayer(on: chain[2], [Fill(4, 0..<512)])
            try await ground.store.foldLayer(chain[2], into: chain[1], through: nil, progress: ignore)
            try await ground.expectGone(chain[1])
            try await ground.expectLayer(chain[2], on: chain[0])
            try await ground.expectContent(of: chain[0], low, "the base")
            try await ground.expectContent(of: chain[2], low + middle + high, "the folded layer")
            try await ground.expectContent(of: clone, low + middle + high + [Fill(4, 0..<512)], "what stands on it")
        },
        BlockStoreContract("a layer can be folded into a base") { ground in
            let chain = try await ground.makeChain([low, middle])
            try await ground.store.foldLayer(chain[1], into: chain[0], through: nil, progress: ignore)
            try await ground.expectGone(chain[0])
            try await ground.expectLayer(chain[1], on: nil)
            try await ground.expectContent(of: chain[1], low + middle, "the folded layer")
        },
        BlockStoreContract("folding what is folded changes nothing") { ground in
            let chain = try await ground.makeChain([low, middle, high])
            for _ in 1...2 {
                try await ground.store.foldLayer(chain[2], into: chain[1], through: nil, progress: ignore)
            }
            try await ground.restart()
            try await ground.store.foldLayer(chain[2], into: chain[1], through: nil, progress: ignore)
            try await ground.expectContent(of: chain[2], low + middle + high, "the folded layer")
        },
        BlockStoreContract("a layer is not folded into what others stand on, nor into one of another size") { ground in
            let base = try await ground.makeLayer(low)
            let one = try await ground.makeLayer(on: base, middle)
            let two = try await ground.makeLayer(on: base, high)
            let store = await ground.store
            try await requireFault(.inUse, "folding into a shared layer") {
                try await store.foldLayer(one, into: base, through: nil, progress: ignore)
            }
            let larger = try await ground.makeLayer(on: one, size: .mebibytes(8))
            try await requireFault(.exists, "folding a larger layer") {
                try await store.foldLayer(larger, into: one, through: nil, progress: ignore)
            }
            try await requireFault(.exists, "folding into what it does not stand on") {
                try await store.foldLayer(larger, into: two, through: nil, progress: ignore)
            }
            try await ground.expectContent(of: two, low + high, "the other layer")
        },
        BlockStoreContract("a pulled layer stands on its ancestor, and no content changes") { ground in
            let chain = try await ground.makeChain([low, middle, [Fill(5, 100_000..<200_000)], high])
            let sibling = try await ground.makeLayer(on: chain[2], [Fill(6, 0..<512)])
            try await ground.store.pullLayer(chain[3], downTo: chain[0], through: nil, progress: ignore)
            let below = low + middle + [Fill(5, 100_000..<200_000)]
            try await ground.expectLayer(chain[3], on: chain[0])
            try await ground.expectContent(of: chain[3], below + high, "the pulled layer")
            try await ground.expectContent(of: chain[2], below, "the layer below")
            try await ground.expectContent(of: sibling, below + [Fill(6, 0..<512)], "the sibling")
            try await ground.store.deleteLayer(sibling)
            try await ground.store.deleteLayer(chain[2])
            try await ground.store.deleteLayer(chain[1])
            try await ground.expectContent(of: chain[3], below + high, "the pulled layer, alone on its base")
        },
        BlockStoreContract("a layer pulled down to nothing depends on nothing") { ground in
            let chain = try await ground.makeChain([low, middle, high])
            for _ in 1...2 {
                try await ground.store.pullLayer(chain[2], downTo: nil, through: nil, progress: ignore)
            }
            try await ground.store.deleteLayer(chain[1])
            try await ground.store.deleteLayer(chain[0])
            try await ground.expectLayer(chain[2], on: nil)
            try await ground.expectContent(of: chain[2], low + middle + high, "the pulled layer")
        },
        BlockStoreContract("what stands on a pulled layer notices nothing") { ground in
            let chain = try await ground.makeChain([low, middle, high])
            try await ground.store.pullLayer(chain[1], downTo: nil, through: nil, progress: ignore)
            try await ground.expectLayer(chain[1], on: nil)
            try await ground.expectLayer(chain[2], on: chain[1])
            try await ground.expectContent(of: chain[2], low + middle + high, "the layer on it")
        },
        BlockStoreContract("a layer that was grown can be pulled") { ground in
            let base = try await ground.makeLayer([Fill(1, 0..<4_194_304)])
            let layer = try await ground.makeLayer(on: base, size: .mebibytes(7), [Fill(2, 5_000_000..<5_000_512)])
            try await ground.store.pullLayer(layer, downTo: nil, through: nil, progress: ignore)
            try await ground.expectContent(
                of: layer,
                [Fill(1, 0..<4_194_304), Fill(2, 5_000_000..<5_000_512)],
                size: .mebibytes(7),
                "the pulled layer"
            )
        },
        BlockStoreContract("a layer is pulled only down to what it stands on") { ground in
            let chain = try await ground.makeChain([low, middle])
            let other = try await ground.makeLayer()
            try await requireFault(.exists, "pulling down to a stranger") {
                try await ground.store.pullLayer(chain[1], downTo: other, through: nil, progress: ignore)
            }
            try await ground.expectLayer(chain[1], on: chain[0])
        },
        BlockStoreContract("merging copies what the one layer has, and not more") { ground in
            // A thousandth of the disk, scattered: whole chunks around it would be a hundred times that.
            let scattered = (0..<16).map { Fill(7, $0 * 260_000..<$0 * 260_000 + 512) }
            for isFold in [true, false] {
                let chain = try await ground.makeChain([[Fill(1, 0..<4_194_304)], scattered, scattered])
                let store = await ground.store
                if isFold {
                    try await store.foldLayer(chain[2], into: chain[1], through: nil, progress: ignore)
                } else {
                    try await store.pullLayer(chain[2], downTo: chain[0], through: nil, progress: ignore)
                }
                let stored = try await store.findLayer(chain[2])
                try require(
                    (stored?.allocated ?? .gibibytes(1)) < .mebibytes(1),
                    "the merged layer takes \(String(describing: stored))"
                )
            }
        },
    ]
}
