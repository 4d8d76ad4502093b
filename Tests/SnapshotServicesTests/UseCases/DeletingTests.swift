import Foundation
import SnapshotDomain
import SnapshotPorts
import TestKit
import Testing

@testable import SnapshotServices

extension CloudTests {
    @Suite("deleting")
    struct Deleting {
        /// Snapshots of one detached volume, each after other blocks were written: `s0` to `s3`.
        private func history(_ cloud: TestCloud) async throws -> (volume: Volume, snapshots: [Snapshot]) {
            let volume = try await cloud.makeVolume("disk")
            var snapshots: [Snapshot] = []
            for number in 0..<4 {
                try await cloud.write(UInt8(0x40 + number), at: number * 2, blocks: 4 + number, to: volume)
                snapshots.append(try await cloud.snapshot(volume, "s\(number)"))
            }
            try await cloud.write(0x4F, at: 1, to: volume)
            return (volume, snapshots)
        }

        @Test("what the plan shows is what happens, whichever snapshot goes", arguments: 0..<4)
        func plan(_ number: Int) async throws {
            try await withCloud { cloud in
                let (volume, snapshots) = try await history(cloud)
                var digests = try await cloud.digests(of: snapshots)
                let live = try await cloud.digest(of: volume)
                let before = try await cloud.store.inventory().layers
                let shown = try await cloud.cloud.planDeletion(
                    of: [snapshots[number].id],
                    in: cloud.home.id,
                    cloud.call
                )
                try await cloud.delete(snapshots[number])
                digests[snapshots[number].id] = nil
                try await cloud.checkInvariants(digests)
                #expect(try await cloud.digest(of: volume) == live)
                let after = try await cloud.store.inventory().layers
                let freed = before.allocated - after.allocated
                #expect(before.count - after.count == shown.plan.unlinked.count + shown.plan.merges.count)
                // A merge may rewrite tables: a few clusters of slack.
                #expect(freed + .kibibytes(256) >= shown.plan.freedAtLeast)
                #expect(freed <= shown.plan.freedAtMost + .kibibytes(256))
            }
        }

        @Test("a plan names what depends on a snapshot, but nothing of environments that the caller cannot see")
        func planForStrangers() async throws {
            try await withCloud { cloud in
                let volume = try await cloud.makeVolume("disk")
                let snapshot = try await cloud.snapshot(volume, "base")
                let secret = try await cloud.cloud.createVolume(
                    CreateVolumeRequest(
                        source: .snapshot(snapshot.id, isFull: false),
                        name: try ResourceName("secret"),
                        environment: cloud.abroad.id
                    ),
                    in: cloud.home.id,
                    cloud.call
                )
                try await cloud.done(secret.job)
                var stranger = cloud.call
                stranger.principal.user.isOperator = false
                stranger.principal.roles = [cloud.home.id: .viewer]
                for (call, names) in [(cloud.call, ["disk", "secret"]), (stranger, ["disk"])] {
                    let plan = try await cloud.cloud.planDeletion(of: [snapshot.id], in: cloud.home.id, call)
                    #expect(plan.dependents.map(\.name.description).sorted() == names)
                }
            }
        }

        @Test("deleting all snapshots leaves one layer, with the volume's content")
        func all() async throws {
            try await withCloud { cloud in
                let (volume, snapshots) = try await history(cloud)
                let live = try await cloud.digest(of: volume)
                for snapshot in snapshots { try await cloud.delete(snapshot) }
                try await cloud.checkInvariants()
                #expect(try await cloud.digest(of: volume) == live)
                #expect(try await cloud.store.inventory().layers.count == 1)
            }
        }

        @Test("a layer that two clones read stays hidden, and merges when one of them goes")
        func hiddenLayer() async throws {
            try await withCloud { cloud in
                let volume = try await cloud.makeVolume("disk")
                try await cloud.write(0x51, blocks: 8, to: volume)
                let snapshot = try await cloud.snapshot(volume, "base")
                var clones: [Volume] = []
                for name in ["one", "two"] {
                    let submitted = try await cloud.cloud.createVolume(
                        CreateVolumeRequest(
                            source: .snapshot(snapshot.id, isFull: false),
                            name: try ResourceName(name)
                        ),
                        in: cloud.home.id,
                        cloud.call
                    )
                    try await cloud.done(submitted.job)
                    clones.append(submitted.resource.volume)
                }
                try await cloud.delete(snapshot)
                try await cloud.done(try await cloud.cloud.deleteVolume(volume.id, in: cloud.home.id, cloud.call))
                try await cloud.checkInvariants()
                #expect(try await cloud.store.inventory().layers.count == 3)
                let content = try await cloud.digest(of: clones[1])
                try await cloud.done(try await cloud.cloud.deleteVolume(clones[0].id, in: cloud.home.id, cloud.call))
                try await cloud.checkInvariants()
                #expect(try await cloud.store.inventory().layers.count == 1)
                #expect(try await cloud.digest(of: clones[1]) == content)
            }
        }

        @Test("snapshots of a running machine are deleted below it, and what it writes stays")
        func running() async throws {
            try await withCloud { cloud in
                let instance = try await cloud.deploy(starts: true)
                let volume = try await cloud.root(of: instance)
                var snapshots: [Snapshot] = []
                for number in 0..<3 {
                    try await cloud.write(UInt8(0x61 + number), at: number, blocks: 4, to: volume)
                    snapshots.append(try await cloud.snapshot(volume, "s\(number)"))
                }
                try await cloud.write(0x6F, at: 20, to: volume)
                try await cloud.snapshot(volume, "last")
                let digests = try await cloud.digests(of: snapshots)
                try await cloud.delete(snapshots[1])
                try await cloud.checkInvariants(digests)
                try await cloud.delete(snapshots[0])
                try await cloud.checkInvariants(digests)
                try await cloud.stop(instance)
                try await cloud.checkInvariants(digests)
            }
        }

        @Test(
            "an instance goes with its root disk; data disks and snapshots go when named",
            arguments: [false, true],
            [false, true]
        )
        func instance(_ deletesSnapshots: Bool, _ deletesData: Bool) async throws {
            try await withCloud { cloud in
                let instance = try await cloud.deploy(dataVolume: true, starts: true)
                let volumes = try await cloud.volumes(of: instance)
                let data = try #require(volumes.last)
                var snapshots: [Snapshot] = []
                for volume in volumes { snapshots.append(try await cloud.snapshot(volume)) }
                let digests = try await cloud.digests(of: snapshots)
                let job = try await cloud.cloud.deleteInstance(
                    instance.id,
                    DeleteInstanceRequest(
                        deletesSnapshots: deletesSnapshots,
                        volumesToDelete: deletesData ? [data.id] : []
                    ),
                    in: cloud.home.id,
                    cloud.call
                )
                try await cloud.done(job)
                try await cloud.checkInvariants(digests)
                let left = try await cloud.catalog.read { [snapshots] reader in
                    (
                        instance: try reader.findInstance(instance.id),
                        volumes: try volumes.map { try reader.findVolume($0.id) },
                        snapshots: try snapshots.compactMap { try reader.findSnapshot($0.id) }
                    )
                }
                #expect(left.instance == nil)
                #expect(left.volumes[0] == nil)
                #expect((left.volumes[1] == nil) == deletesData)
                #expect(left.volumes[1]?.attachment == nil)
                #expect(left.snapshots.isEmpty == deletesSnapshots)
                #expect(try await cloud.hypervisor.inventory().isEmpty)
            }
        }

        @Test("an environment goes with everything in it, and nothing elsewhere")
        func environment() async throws {
            try await withCloud { cloud in
                let instance = try await cloud.deploy(dataVolume: true, starts: true)
                let snapshot = try await cloud.snapshot(try await cloud.root(of: instance), "kept elsewhere")
                let elsewhere = try await cloud.cloud.createVolume(
                    CreateVolumeRequest(
                        source: .snapshot(snapshot.id, isFull: false),
                        name: try ResourceName("clone"),
                        environment: cloud.abroad.id
                    ),
                    in: cloud.home.id,
                    cloud.call
                )
                try await cloud.done(elsewhere.job)
                let content = try await cloud.digest(of: elsewhere.resource.volume)
                let job = try await cloud.cloud.deleteEnvironment(cloud.home.id, cloud.call)
                await #expect(throws: ServiceError.self) { try await cloud.makeVolume("too late") }
                try await cloud.done(job)
                try await cloud.checkInvariants()
                #expect(try await cloud.catalog.read { try $0.findEnvironment(cloud.home.id) } == nil)
                #expect(try await cloud.hypervisor.inventory().isEmpty)
                #expect(try await cloud.store.inventory().layers.count == 1)
                #expect(try await cloud.digest(of: elsewhere.resource.volume) == content)
            }
        }

        @Test("an undo snapshot goes by itself when its time is over")
        func expiry() async throws {
            try await withCloud { cloud in
                let volume = try await cloud.makeVolume("disk")
                let snapshot = try await cloud.snapshot(volume, "before")
                try await cloud.revert(.snapshot(snapshot.id))
                let view = try await cloud.cloud.volume(volume.id, in: cloud.home.id, cloud.call)
                let undo = try #require(view.undo)
                cloud.time.advance(by: cloud.settings.undoLifetime + .seconds(1))
                await cloud.keepHouse()
                try await cloud.checkInvariants()
                #expect(try await cloud.catalog.read { try $0.findSnapshot(undo.id) } == nil)
                #expect(try await cloud.catalog.read { try $0.findSnapshot(snapshot.id) } != nil)
            }
        }
    }
}

extension [StoredLayer] {
    fileprivate var allocated: ByteCount { reduce(.zero) { $0 + $1.allocated } }
}
