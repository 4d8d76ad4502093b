import SnapshotDomain
import SnapshotPorts
import TestKit
import Testing

@testable import SnapshotServices

extension CloudTests {
    /// Every call to the catalog, the pool and the hypervisor fails once, in each way that a call can fail.
    @Suite("fault sweep")
    struct FaultSweep {
        @Test(
            "a call that fails, loses its answer or is the service's last leaves everything in order",
            arguments: SweptOperation.chosen([
                .take, .delete, .deleteLive, .revert, .clone, .deploy, .template, .fullTemplate,
            ]),
            CallFaults.Moment.allCases
        )
        func sweep(_ operation: SweptOperation, _ moment: CallFaults.Moment) async throws {
            try await withCloud { cloud in
                let scene = try await Scene(in: cloud)
                try await cloud.bring(scene.instance, toRunning: operation.needsMachine)
                var attempt = 0
                let clean = try await operation.submit(cloud, scene, attempt) { cloud.faults.startCounting() }
                try await cloud.restOrFail()
                let calls = cloud.faults.stopCounting()
                try await cloud.done(clean)
                try await cloud.checkInvariants(after: "a clean run")
                for number in calls.indices {
                    attempt += 1
                    try await cloud.bring(scene.instance, toRunning: operation.needsMachine)
                    // A request can be refused by the fault; a job that was accepted comes to its end.
                    _ = try? await operation.submit(cloud, scene, attempt) { cloud.faults.arm(call: number, moment) }
                    // What the collector does may take fewer calls this time.
                    try await until("the fault") { cloud.faults.hasFailed || cloud.isQuiet }
                    if moment == .dying { await cloud.stopRoom() }
                    if moment != .dying { try await cloud.restOrFail() }
                    let failed = cloud.faults.disarm()
                    if moment == .dying { try await cloud.startRoom() }
                    // What the collector could not do is done with the next housekeeping.
                    try await cloud.restOrFail()
                    await cloud.keepHouse()
                    try await cloud.checkInvariants(
                        after: "\(moment) \(failed ?? "nothing"), number \(number) of \(calls.count)"
                    )
                }
                attempt += 1
                try await cloud.bring(scene.instance, toRunning: operation.needsMachine)
                try await cloud.done(try await operation.submit(cloud, scene, attempt) {})
                try await cloud.checkInvariants(scene.digests, after: "all of it")
            }
        }
    }
}

extension TestCloud {
    fileprivate var isQuiet: Bool { engine.counts == (0, 0) && world.leases.held.isEmpty }

    /// Waits until no job runs and nothing uses a layer, whatever is left to collect.
    fileprivate func restOrFail() async throws {
        try await until("the jobs end") { isQuiet }
    }
}
