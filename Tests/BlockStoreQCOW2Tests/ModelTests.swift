import Foundation
import TestKit
import Testing

@Suite("A qcow2 block store at random", .serialized)
struct ModelTests {
    /// `INSTANTA_MODEL_SEED` repeats a game, and `INSTANTA_MODEL_OPERATIONS` makes it longer or shorter.
    private static func number(_ name: String) -> UInt64? {
        ProcessInfo.processInfo.environment[name].flatMap(UInt64.init)
    }

    @Test("does what arrays of bytes do")
    func model() async throws {
        let seed = Self.number("INSTANTA_MODEL_SEED") ?? .random(in: 0...UInt64(UInt32.max))
        let operations = Int(Self.number("INSTANTA_MODEL_OPERATIONS") ?? 1_000)
        print("The model plays \(operations) operations; INSTANTA_MODEL_SEED=\(seed) repeats them.")
        try await withGround { ground in
            try await BlockStoreModel(ground: ground, seed: seed).play(operations: operations)
        }
    }
}
