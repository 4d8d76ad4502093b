import TestKit
import Testing

extension QEMUHypervisorTests {
    @Test("keeps the contract", arguments: HypervisorContract.all)
    func contract(_ promise: HypervisorContract) async throws {
        try await withGround { try await promise.check($0) }
    }
}
