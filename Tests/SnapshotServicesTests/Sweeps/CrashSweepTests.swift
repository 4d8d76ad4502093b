import SnapshotDomain
import Testing

@testable import SnapshotServices

extension CloudTests {
    /// The service dies before and after every step of every kind of job, and a new one finds what it left.
    @Suite("crash sweep")
    struct CrashSweep {
        @Test(
            "a service that dies at any step is followed by one that finishes the job",
            arguments: SweptOperation.chosen(SweptOperation.all)
        )
        func service(_ operation: SweptOperation) async throws {
            try await sweep(operation, killsMachine: false)
        }

        @Test(
            "so it is when the machine dies with it",
            arguments: SweptOperation.chosen(SweptOperation.all).filter(\.needsMachine)
        )
        func machine(_ operation: SweptOperation) async throws {
            try await sweep(operation, killsMachine: true)
        }

        private func sweep(_ operation: SweptOperation, killsMachine: Bool) async throws {
            try await withCloud { cloud in
                let scene = try await Scene(in: cloud)
                var attempt = 0
                // A clean run says where there is to die.
                try await cloud.bring(scene.instance, toRunning: operation.needsMachine)
                var steps: [StepName] = []
                let clean = try await operation.submit(cloud, scene, attempt) { cloud.crashes.startCounting() }
                try await cloud.done(clean)
                steps = cloud.crashes.stopCounting()
                try await cloud.checkInvariants(after: "a clean run")
                #expect(!steps.isEmpty)
                for (number, step) in steps.enumerated() {
                    attempt += 1
                    try await cloud.bring(scene.instance, toRunning: operation.needsMachine)
                    let job = try await operation.submit(cloud, scene, attempt) { cloud.crashes.arm(number) }
                    try await until("the crash at \(step) comes") { cloud.crashes.hasCrashed }
                    await cloud.stopRoom()
                    cloud.crashes.disarm()
                    if killsMachine { try await cloud.killMachine(scene.instance.id) }
                    try await cloud.startRoom()
                    let view = try await cloud.end(of: job)
                    // Without its machine, a job may rightly fail; with it, it must not.
                    if !killsMachine { #expect(view.status == .succeeded, "\(step): \(view.failure?.message ?? "")") }
                    try await cloud.checkInvariants(after: "\(step)")
                }
                // It all works still, and what was frozen is what it was.
                attempt += 1
                try await cloud.bring(scene.instance, toRunning: operation.needsMachine)
                try await cloud.done(try await operation.submit(cloud, scene, attempt) {})
                try await cloud.checkInvariants(scene.digests, after: "all of it")
            }
        }
    }
}
