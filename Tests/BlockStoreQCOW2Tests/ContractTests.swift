import BlockStoreQCOW2
import Foundation
import Platform
import SnapshotDomain
import SnapshotPorts
import TestKit
import Testing

@Suite("qcow2 block store", .serialized)
struct ContractTests {
    @Test("keeps the contract", arguments: BlockStoreContract.all)
    func contract(_ promise: BlockStoreContract) async throws {
        try await withGround { try await promise.check($0) }
    }
}
