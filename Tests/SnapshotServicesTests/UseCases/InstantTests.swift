import SnapshotDomain
import SnapshotPorts
import TestKit
import Testing

@testable import SnapshotServices

extension CloudTests {
    @Suite("several disks at one instant")
    struct Instants {
        /// Takes all disks again and again, and looks whether the guest wrote between any two of them.
        private func expectOneInstant(_ cloud: TestCloud, _ instance: Instance, isHeld: Bool) async throws {
            var last = 0
            for round in 1...6 {
                let snapshots = try await cloud.snapshots(of: instance, "round \(round)")
                try #require(snapshots.count == 2)
                var numbers: [Int] = []
                for snapshot in snapshots {
                    let store = try cloud.world.store(snapshot.pool)
                    numbers.append(try await cloud.number(on: snapshot.layer, in: store))
                    #expect(snapshot.consistency.achieved == .crash)
                    #expect((snapshot.consistency.freezeMilliseconds != nil) == isHeld)
                }
                #expect([0, 1].contains(numbers[0] - numbers[1]), "round \(round): \(numbers)")
                #expect(numbers[1] >= last, "the guest counts on")
                last = numbers[1]
            }
            #expect(await cloud.hypervisor.status(of: instance.id) == .running)
        }

        @Test("one call that switches all disks needs no pause")
        func together() async throws {
            try await withCloud { cloud in
                let instance = try await cloud.deployCountingGuest()
                try await expectOneInstant(cloud, instance, isHeld: false)
                // A guest that writes on changes what was measured.
                try await cloud.stop(instance)
                try await cloud.checkInvariants()
            }
        }

        @Test("disks that go over one by one do so while the machine stands still, for as long as is recorded")
        func apart() async throws {
            try await withCloud { cloud in
                let instance = try await cloud.deployCountingGuest()
                cloud.faults.splitSwitches()
                try await expectOneInstant(cloud, instance, isHeld: true)
                // A single disk has its own instant.
                let single = try await cloud.snapshot(try await cloud.root(of: instance))
                #expect(single.consistency.freezeMilliseconds == nil)
                try await cloud.stop(instance)
                try await cloud.checkInvariants()
            }
        }

        @Test("a switch that takes longer than the machine may stand still fails, and the machine runs on")
        func tooLong() async throws {
            try await withCloud { cloud in
                let instance = try await cloud.deploy(dataVolume: true, starts: true)
                cloud.faults.splitSwitches()
                let submitted = try await cloud.cloud.takeSnapshots(
                    TakeSnapshotRequest(
                        target: .instance(instance.id),
                        consistency: ConsistencyRequest(maxFreezeMilliseconds: 50)
                    ),
                    in: cloud.home.id,
                    cloud.call
                )
                let reason = try await cloud.failure(of: submitted.job)
                #expect(reason.code == .guestFailed, "\(reason)")
                try await until("the machine runs") {
                    await cloud.hypervisor.status(of: instance.id) == .running
                }
                try await cloud.checkInvariants()
            }
        }

        @Test("a service that dies between two switches does not pass off two instants as one")
        func interrupted() async throws {
            try await withCloud { cloud in
                let instance = try await cloud.deploy(dataVolume: true, starts: true)
                cloud.faults.splitSwitches()
                cloud.faults.arm(next: "store.finishSwitch", .dying)
                let submitted = try await cloud.cloud.takeSnapshots(
                    TakeSnapshotRequest(target: .instance(instance.id)),
                    in: cloud.home.id,
                    cloud.call
                )
                try await until("the service dies") { cloud.faults.hasFailed }
                await cloud.stopRoom()
                _ = cloud.faults.disarm()
                try await cloud.startRoom()
                let reason = try await cloud.failure(of: submitted.job)
                #expect(reason.code == .unavailable, "\(reason)")
                try await until("the machine runs") {
                    await cloud.hypervisor.status(of: instance.id) == .running
                }
                try await cloud.checkInvariants()
                #expect(try await cloud.snapshots(of: instance, "again").count == 2)
            }
        }
    }
}
