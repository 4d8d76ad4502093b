import Foundation
import SnapshotDomain
import Testing

@testable import SnapshotServices

extension CloudTests {
    /// Random work over two machines and two environments, compared with a model of what should be there.
    ///
    /// `INSTANTA_MODEL_SEED` repeats a run, and `INSTANTA_MODEL_OPERATIONS` makes it longer.
    @Suite("model")
    struct Model {
        @Test("after random work every disk holds what it should, and nothing is left over")
        func randomWork() async throws {
            let environment = ProcessInfo.processInfo.environment
            let seed = environment["INSTANTA_MODEL_SEED"].flatMap(UInt64.init) ?? UInt64.random(in: 0...UInt64.max)
            let operations = environment["INSTANTA_MODEL_OPERATIONS"].flatMap(Int.init) ?? 1_000
            print("model test: INSTANTA_MODEL_SEED=\(seed) INSTANTA_MODEL_OPERATIONS=\(operations)")
            try await withCloud { cloud in
                let run = try await ModelRun(cloud, seed: seed)
                do {
                    try await run.run(operations: operations)
                } catch {
                    Issue.record("seed \(seed), after \(run.history.suffix(12).joined(separator: ", ")): \(error)")
                }
            }
        }
    }
}
