import Foundation
import SnapshotDomain
import SnapshotPorts

extension BlockStoreContract {
    private static let some = [Fill(1, 0..<100_000), Fill(2, 4_194_304..<4_200_000), Fill(3, 9_999_000..<9_999_360)]
    private static let size = ByteCount.mebibytes(10)

    static let contents: [BlockStoreContract] = [
        BlockStoreContract("the digest is of the content, whatever layers and zeros it is made of") { ground in
            let store = await ground.store
            let plain = try await ground.makeLayer(size: size, some)
            let wanted = try await store.digest(of: plain, progress: ignore)
            let base = try await ground.makeLayer(size: size, [Fill(9, 0..<5_000_000), some[2]])
            let layered = try await ground.makeLayer(on: base, size: size, [Fill(0, 0..<5_000_000), some[0], some[1]])
            try require(
                try await store.digest(of: layered, progress: ignore) == wanted,
                "two layers have another digest"
            )
            try await store.pullLayer(layered, downTo: nil, through: nil, progress: ignore)
            try require(try await store.digest(of: layered, progress: ignore) == wanted, "a pull changes the digest")
        },
        BlockStoreContract("the digest tells one byte, its place and the size") { ground in
            let store = await ground.store
            var digests: Set<ContentDigest> = []
            digests.insert(try await store.digest(of: try await ground.makeLayer(size: size), progress: ignore))
            digests.insert(
                try await store.digest(of: try await ground.makeLayer(size: .mebibytes(11)), progress: ignore)
            )
            for fill in [Fill(1, 0..<1), Fill(2, 0..<1), Fill(1, 1..<2), Fill(1, 4_194_304..<4_194_305)] {
                let layer = try await ground.makeLayer(size: size, [fill])
                digests.insert(try await store.digest(of: layer, progress: ignore))
            }
            try require(digests.count == 6, "six contents have \(digests.count) digests")
        },
        BlockStoreContract("a copy has the content and depends on nothing") { ground in
            let base = try await ground.makeLayer(size: size, [some[0]])
            let layer = try await ground.makeLayer(on: base, size: size, [some[1], some[2]])
            let copy = LayerID.random()
            for _ in 1...2 { try await ground.store.copyLayer(layer, to: copy, progress: ignore) }
            try await ground.expectLayer(copy, on: nil, size: size)
            try await ground.store.deleteLayer(layer)
            try await ground.store.deleteLayer(base)
            try await ground.expectContent(of: copy, some, size: size, "the copy")
        },
        BlockStoreContract("a copy does not replace what is there") { ground in
            let source = try await ground.makeLayer(some.dropLast(2))
            let chain = try await ground.makeChain([[], []])
            try await requireFault(.exists, "copying over another layer") {
                try await ground.store.copyLayer(source, to: chain[1], progress: ignore)
            }
            try await requireFault(.notFound, "copying what is not there") {
                try await ground.store.copyLayer(.random(), to: .random(), progress: ignore)
            }
        },
        BlockStoreContract("a raw export is the disk, byte for byte") { ground in
            let base = try await ground.makeLayer(size: size, [some[0]])
            let layer = try await ground.makeLayer(on: base, size: size, [some[1], some[2]])
            let stream = try await ground.store.export(layer, as: .raw, progress: ignore)
            try require(stream.length == size, "the export announces \(stream.length)")
            var bytes = Data()
            for try await chunk in stream.chunks {
                try require(chunk.count <= 1 << 20, "a chunk has \(chunk.count) bytes")
                bytes += chunk
            }
            try require(DiskModel(bytes: bytes) == DiskModel(size: size, some), "the exported bytes are others")
        },
        BlockStoreContract("what is exported can be imported, in every format") { ground in
            let store = await ground.store
            let base = try await ground.makeLayer(size: size, [some[0]])
            let layer = try await ground.makeLayer(on: base, size: size, [some[1], some[2]])
            for format in ImageFormat.allCases {
                let path = try await ground.makeFile(try await store.export(layer, as: format, progress: ignore))
                let facts = try await store.inspectImage(at: path, format: format)
                try require(facts.size == size, "an inspection finds \(facts)")
                let imported = LayerID.random()
                for _ in 1...2 { try await store.importImage(at: path, format: format, to: imported, progress: ignore) }
                try await ground.expectLayer(imported, on: nil, size: size)
                try await ground.expectContent(of: imported, some, size: size, "the imported layer (\(format))")
                let stored = try await store.findLayer(imported)
                try require(
                    (stored?.allocated ?? size) <= facts.needed + .mebibytes(1),
                    "\(facts), but \(String(describing: stored))"
                )
            }
        },
        BlockStoreContract(
            "a content that is sent becomes a layer that depends on nothing, and its zeros take no space"
        ) {
            ground in
            let store = await ground.store
            let base = try await ground.makeLayer(size: .mebibytes(64), [some[0], Fill(7, 50_000_000..<50_100_000)])
            let layer = try await ground.makeLayer(on: base, size: .mebibytes(64), [Fill(0, 0..<65_536), some[1]])
            let wanted = try await store.digest(of: layer, progress: ignore)
            let received = LayerID.random()
            for _ in 1...2 {
                let content = try await store.export(layer, as: .raw, progress: ignore)
                try await store.importContent(content, to: received, progress: ignore)
            }
            try await ground.expectLayer(received, on: nil, size: .mebibytes(64))
            try require(
                try await store.digest(of: received, progress: ignore) == wanted,
                "what came has another content"
            )
            let stored = try await store.findLayer(received)
            try require((stored?.allocated ?? .mebibytes(64)) < .mebibytes(16), "\(String(describing: stored))")
        },
        BlockStoreContract("a content that is cut, too long, failed or for another layer's place leaves nothing") {
            ground in
            let store = await ground.store
            let layer = LayerID.random()
            for count in [1, 3] {
                try await requireFault(.badImage, "\(count) mebibytes where 2 should come") {
                    try await store.importContent(.filled(count, announcing: 2), to: layer, progress: ignore)
                }
            }
            let fault = BlockStoreFault(.unavailable, .notDone, "The other pool is away.")
            try await requireFault(.unavailable, "a content whose source fails") {
                try await store.importContent(
                    .filled(1, announcing: 2, thenFailing: fault),
                    to: layer,
                    progress: ignore
                )
            }
            try await ground.expectGone(layer)
            let chain = try await ground.makeChain([[], []])
            try await requireFault(.exists, "a content in another layer's place") {
                try await store.importContent(.filled(2, announcing: 2), to: chain[1], progress: ignore)
            }
            let task = Task { try await store.importContent(.filled(2, announcing: 2), to: layer, progress: ignore) }
            task.cancel()
            do {
                try await task.value
            } catch let fault as BlockStoreFault {
                try require(fault.code == .cancelled, "a cancelled call fails with \(fault)")
                try await ground.expectGone(layer)
            }
        },
        BlockStoreContract("an export that is dropped half-way leaves nothing") { ground in
            let layer = try await ground.makeLayer(size: size, some)
            for format in ImageFormat.allCases {
                let stream = try await ground.store.export(layer, as: format, progress: ignore)
                for try await _ in stream.chunks { break }
            }
            try await ground.expectContent(of: layer, some, size: size, "the exported layer")
        },
        BlockStoreContract("a cancelled call fails as cancelled, and what it made is gone") { ground in
            let store = await ground.store
            let layer = try await ground.makeLayer(size: size, some)
            let copy = LayerID.random()
            let calls: [@Sendable () async throws -> Void] = [
                { try await store.copyLayer(layer, to: copy, progress: ignore) },
                { _ = try await store.digest(of: layer, progress: ignore) },
                { _ = try await store.export(layer, as: .qcow2, progress: ignore) },
            ]
            for call in calls {
                let task = Task { try await call() }
                task.cancel()
                do {
                    try await task.value
                } catch let fault as BlockStoreFault {
                    try require(fault.code == .cancelled, "a cancelled call fails with \(fault)")
                    try await ground.expectGone(copy)
                }
            }
            try await ground.expectContent(of: layer, some, size: size, "the layer")
        },
        BlockStoreContract("a file that is no image is refused") { ground in
            let store = await ground.store
            let text = Data("This is a letter and no disk.\n".utf8)
            let path = try await ground.makeFile(
                ImageStream(
                    length: ByteCount(Int64(text.count)),
                    sha256: nil,
                    chunks: AsyncThrowingStream { continuation in
                        continuation.yield(text)
                        continuation.finish()
                    }
                )
            )
            let layer = LayerID.random()
            try await requireFault(.badImage, "inspecting") {
                _ = try await store.inspectImage(at: path, format: .qcow2)
            }
            try await requireFault(.badImage, "importing") {
                try await store.importImage(at: path, format: .qcow2, to: layer, progress: ignore)
            }
            try await requireFault(.badImage, "a missing file") {
                _ = try await store.inspectImage(at: path + ".gone", format: .raw)
            }
            try await ground.expectGone(layer)
        },
        BlockStoreContract("what is not there is not found, by whatever call") { ground in
            let store = await ground.store
            let (layer, other) = (LayerID.random(), LayerID.random())
            try require(try await store.findLayer(layer) == nil, "a layer that was never made is found")
            let calls: [(String, () async throws -> Void)] = [
                ("growing", { try await store.growLayer(layer, to: size, through: nil) }),
                ("folding", { try await store.foldLayer(layer, into: other, through: nil, progress: ignore) }),
                ("pulling", { try await store.pullLayer(layer, downTo: nil, through: nil, progress: ignore) }),
                ("a digest", { _ = try await store.digest(of: layer, progress: ignore) }),
                ("a raw export", { _ = try await store.export(layer, as: .raw, progress: ignore) }),
                ("a qcow2 export", { _ = try await store.export(layer, as: .qcow2, progress: ignore) }),
                ("a disk source", { _ = try await store.diskSource(for: [layer]) }),
            ]
            for (what, call) in calls { try await requireFault(.notFound, what, call) }
        },
    ]
}

extension ImageStream {
    /// Mebibytes of sevens.
    fileprivate static func filled(
        _ count: Int,
        announcing announced: Int64,
        thenFailing fault: BlockStoreFault? = nil
    ) -> ImageStream {
        ImageStream(
            length: .mebibytes(announced),
            sha256: nil,
            chunks: AsyncThrowingStream { continuation in
                for _ in 0..<count { continuation.yield(Data(repeating: 7, count: 1 << 20)) }
                continuation.finish(throwing: fault)
            }
        )
    }
}
