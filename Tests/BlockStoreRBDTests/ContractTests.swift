import TestKit
import Testing

@Suite("RBD block store", .serialized)
struct ContractTests {
    @Test("keeps the contract", arguments: BlockStoreContract.all)
    func contract(_ promise: BlockStoreContract) async throws {
        try await withGround { try await promise.check($0) }
    }
}
