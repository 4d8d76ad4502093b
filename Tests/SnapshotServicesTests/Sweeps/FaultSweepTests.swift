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
                .take, .delete, .deleteLive, .revert, .clone, .deploy, .template, .fetchTemplate,
            ])
        )
        func sweep(_ operation: SweptOperation) async throws {
            try await withCloud { cloud in
                let scene = try await Scene(in: cloud)
                try await cloud.bring(scene.instance, toRunning: operation.needsMachine)
                var attempt = 0
                let clean = try await operation.submit(cloud, scene, attempt) { cloud.faults.startCounting() }
                try await cloud.endOfJobs()
                let calls = cloud.faults.stopCounting()
                try await cloud.done(clean)
                try await cloud.checkInvariants(after: "a clean run")
                for moment in CallFaults.Moment.allCases {
                    for number in calls.indices {
                        attempt += 1
                        try await cloud.bring(scene.instance, toRunning: operation.needsMachine)
                        let failed = try await cloud.fail(number, moment) { ready in
                            try await operation.submit(cloud, scene, attempt, ready)
                        }
                        try await cloud.checkInvariants(
                            after: "\(moment) \(failed ?? "nothing"), number \(number) of \(calls.count)"
                        )
                    }
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
    /// Has one call of some work fail, and waits until nothing of the work runs any more.
    ///
    /// Afterwards the service goes on, or a new one does, and housekeeping has come round.
    ///
    /// - Returns: The call that failed; nil when it was not made this time, as the collector may find less to do.
    fileprivate func fail(
        _ number: Int,
        _ moment: CallFaults.Moment,
        _ submit: (_ ready: () -> Void) async throws -> JobID
    ) async throws -> String? {
        do {
            _ = try await submit { faults.arm(call: number, moment) }
        } catch {
            // A request may be refused by the fault.
        }
        try await until("the fault") { faults.hasFailed || isQuiet }
        if moment == .dying {
            await stopRoom()
        } else {
            try await endOfJobs()
        }
        let failed = faults.disarm()
        if moment == .dying { try await startRoom() }
        try await endOfJobs()
        // What the collector could not do is done with the next housekeeping.
        await keepHouse()
        return failed
    }

    private var isQuiet: Bool { engine.counts == (0, 0) && world.leases.held.isEmpty }

    /// Waits until no job runs and nothing uses a layer, whatever is left to collect.
    fileprivate func endOfJobs() async throws {
        try await until("the jobs end") { isQuiet }
    }
}
