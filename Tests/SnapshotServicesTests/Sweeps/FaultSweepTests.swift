import SnapshotDomain
import SnapshotPorts
import TestKit
import Testing

@testable import SnapshotServices

extension CloudTests {
    /// Every call to the catalog, the pool, the hypervisor and the image fetcher fails once, in each way that a call can
    /// fail, in every kind of job.
    @Suite("fault sweep")
    struct FaultSweep {
        /// Which call of an operation goes wrong, and how.
        private struct Attempt {
            var call: Int
            var moment: CallFaults.Moment
        }

        /// So many broken clouds say enough about an operation.
        private static let enoughFailures = 4

        @Test(
            "a call that fails, loses its answer or is the service's last leaves everything in order",
            arguments: SweptOperation.chosen(SweptOperation.all)
        )
        func sweep(_ operation: SweptOperation) async throws {
            var pending: [Attempt]?
            var failures = 0
            // One scene serves all attempts. After a failure a new one does: what the first left must not be blamed on others.
            repeat {
                try await withCloud { cloud in
                    let scene = try await Scene(in: cloud)
                    var number = 0
                    func begin(_ ready: () -> Void) async throws -> JobID {
                        try await cloud.bring(scene.instance, toRunning: operation.needsMachine)
                        number += 1
                        return try await operation.submit(cloud, scene, number, ready)
                    }
                    let calls = try await cloud.calls(of: begin)
                    var attempts =
                        pending
                        ?? calls.indices.flatMap { call in
                            CallFaults.Moment.allCases.map { Attempt(call: call, moment: $0) }
                        }
                    while let attempt = attempts.popLast() {
                        do {
                            let failed = try await cloud.fail(attempt.call, attempt.moment, begin)
                            try await cloud.checkInvariants(
                                after: "\(attempt.moment) \(failed ?? "nothing"), \(attempt.call + 1) of \(calls)"
                            )
                        } catch {
                            failures += 1
                            pending = attempts
                            return
                        }
                    }
                    pending = []
                    try await cloud.done(try await begin {})
                    try await cloud.checkInvariants(scene.digests, after: "all of it")
                }
            } while pending?.isEmpty == false && failures < Self.enoughFailures
        }
    }
}

extension TestCloud {
    /// The calls to ports that some work makes when nothing fails.
    fileprivate func calls(of work: (_ ready: () -> Void) async throws -> JobID) async throws -> [String] {
        let job = try await work { faults.startCounting() }
        try await endOfJobs()
        let calls = faults.stopCounting()
        try await done(job)
        try await checkInvariants(after: "a clean run")
        return calls
    }

    /// Has one call of some work fail, and waits until nothing of the work runs any more.
    ///
    /// Afterwards the service goes on, or a new one does, and housekeeping has come round.
    ///
    /// - Returns: The call that failed; nil when it was not made this time, as the collector may find less to do.
    fileprivate func fail(
        _ number: Int,
        _ moment: CallFaults.Moment,
        _ work: (_ ready: () -> Void) async throws -> JobID
    ) async throws -> String? {
        var isReady = false
        do {
            _ = try await work {
                isReady = true
                faults.arm(call: number, moment)
            }
        } catch {
            // A request may be refused by the fault; what it needs beforehand may not.
            guard isReady else { throw error }
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
