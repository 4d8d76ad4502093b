import BlockStoreQCOW2
import Foundation
import SnapshotDomain
import SnapshotPorts
import Testing

@testable import TestKit

@Suite("The digest of a layer in a cluster")
struct DigestTests {
    @Test("is that of the same content in a folder")
    func sameDigest() async throws {
        try await withGround { ground in
            let base = try await ground.makeLayer(
                size: .mebibytes(10),
                [Fill(1, 0..<100_000), Fill(2, 5_000_000..<5_000_512)]
            )
            let layer = try await ground.makeLayer(on: base, size: .mebibytes(10), [Fill(3, 9_999_000..<9_999_360)])
            let file = try await ground.makeFile(try await ground.store.export(layer, as: .raw) { _, _ in })
            let folder = try await QCOW2BlockStore.open(
                pool: .local,
                at: "\(ground.directory)/pool",
                quarantine: "\(ground.directory)/quarantine",
                runtime: "\(ground.directory)/run",
                group: Shared.group,
                logger: Shared.logger
            )
            try await folder.importImage(at: file, format: .raw, to: layer) { _, _ in }
            let digests = [
                try await ground.store.digest(of: layer) { _, _ in },
                try await folder.digest(of: layer) { _, _ in },
            ]
            #expect(digests[0] == digests[1])
            await folder.close()
        }
    }
}
