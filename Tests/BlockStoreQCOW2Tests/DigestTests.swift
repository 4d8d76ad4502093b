import SnapshotDomain
import SnapshotPorts
import TestKit
import Testing

@Suite("The digest scheme tree-sha256")
struct DigestTests {
    /// Computed from the definition in `docs/storage-design.md` by other means.
    private static let known: [(size: ByteCount, fills: [Fill], digest: String)] = [
        (.mebibytes(1), [], "3871debeb761105881f03cb15016744820fc7cdd6f30bb5348817d0df01d654c"),
        (
            .mebibytes(10), [Fill(1, 0..<100_000), Fill(3, 9_999_000..<9_999_360)],
            "fbe82099dfd8664e967006b499a26c2a5ea98e3eb7ed01155b6303b2112702e4"
        ),
        (
            .mebibytes(4) + ByteCount(512), [Fill(255, 4_194_815..<4_194_816)],
            "d05aa44fbcf16930a00aeca1822e59085ebc23dd16aa8d40f1bbdc7d0f2e0e94"
        ),
    ]

    @Test("gives known digests for known contents", arguments: 0..<3)
    func knownAnswers(_ number: Int) async throws {
        let (size, fills, digest) = Self.known[number]
        try await withGround { ground in
            let layer = LayerID.random()
            try await ground.store.createLayer(layer, size: size)
            if !fills.isEmpty { try await ground.write(fills, to: layer) }
            let found = try await ground.store.digest(of: layer) { _, _ in }
            #expect(found.description == "tree-sha256:\(digest)")
            // Zeros that are stored are zeros.
            try await ground.write([Fill(0, 200_000..<900_000)], to: layer)
            let again = try await ground.store.digest(of: layer) { _, _ in }
            #expect(again == found)
        }
    }

    @Test("costs what a disk holds, not what it could hold")
    func sparse() async throws {
        try await withGround { ground in
            let layer = LayerID.random()
            let size = VolumeLimits.largest
            try await ground.store.createLayer(layer, size: size)
            try await ground.write([Fill(1, size.bytes - 512..<size.bytes)], to: layer)
            let digest = try await ground.store.digest(of: layer) { done, total in
                #expect(done <= total)
            }
            #expect(digest.description.hasPrefix("tree-sha256:"))
        }
    }
}
