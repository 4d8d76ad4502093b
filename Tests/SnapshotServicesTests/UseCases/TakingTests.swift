import Foundation
import SnapshotDomain
import SnapshotPorts
import TestKit
import Testing

@testable import SnapshotServices

/// Real machines take most of a core each: one test after the other.
@Suite("cloud", .serialized)
struct CloudTests {}

extension CloudTests {
    @Suite("taking snapshots")
    struct Taking {
        @Test("a snapshot of a running machine's volume keeps its content, and the machine writes on")
        func running() async throws {
            try await withCloud { cloud in
                let instance = try await cloud.deploy(starts: true)
                let volume = try await cloud.root(of: instance)
                try await cloud.write(0xAA, to: volume)
                let snapshot = try await cloud.snapshot(volume)
                let before = try await cloud.digest(of: snapshot.layer)
                #expect(snapshot.name.description == "web01_ROOT-web01_20261122143001")
                #expect(snapshot.consistency == ConsistencyRecord(requested: .crash, achieved: .crash))
                try await cloud.write(0xBB, to: volume)
                #expect(try await cloud.digest(of: snapshot.layer) == before)
                try await cloud.checkInvariants([snapshot.id: before])
                try await cloud.stop(instance)
                #expect(try await cloud.digest(of: volume) != before)
                try await cloud.checkInvariants([snapshot.id: before])
            }
        }

        @Test("all volumes of an instance are taken in one group, at one instant, and told apart by their names")
        func group() async throws {
            try await withCloud { cloud in
                let instance = try await cloud.deploy(dataVolume: true, starts: true)
                let volumes = try await cloud.volumes(of: instance)
                for volume in volumes { try await cloud.write(0x21, to: volume) }
                let submitted = try await cloud.cloud.takeSnapshots(
                    TakeSnapshotRequest(target: .instance(instance.id), name: try ResourceName("before")),
                    in: cloud.home.id,
                    cloud.call
                )
                let view = try await cloud.done(submitted.job)
                let snapshots = submitted.resource.map(\.snapshot)
                #expect(snapshots.map(\.name.description) == ["before_ROOT-web01", "before_web01_data"])
                #expect(snapshots.first?.group != nil)
                #expect(Set(snapshots.map(\.group)).count == 1)
                #expect(view.job.kind == .createSnapshots)
                for snapshot in snapshots {
                    let now = try await cloud.cloud.snapshot(snapshot.id, in: cloud.home.id, cloud.call)
                    #expect(now.snapshot.state == .available)
                    #expect(now.activity == .idle)
                }
                try await cloud.checkInvariants()
            }
        }

        @Test("generated names that collide are told apart by a number")
        func generatedNames() async throws {
            try await withCloud { cloud in
                let volume = try await cloud.makeVolume("disk")
                let names = [
                    try await cloud.snapshot(volume), try await cloud.snapshot(volume),
                    try await cloud.snapshot(volume),
                ].map(\.name.description)
                let stem = "detached_disk_20261122143001"
                #expect(names == [stem, "\(stem)_2", "\(stem)_3"])
                cloud.time.advance(by: .seconds(1))
                #expect(try await cloud.snapshot(volume).name.description == "detached_disk_20261122143002")
            }
        }

        @Test("a second snapshot of a busy volume waits its turn and succeeds")
        func busyVolume() async throws {
            try await withCloud { cloud in
                let instance = try await cloud.deploy(starts: true)
                let volume = try await cloud.root(of: instance)
                var jobs: [JobID] = []
                for number in 0..<4 {
                    let request = TakeSnapshotRequest(target: .volume(volume.id), name: try ResourceName("s\(number)"))
                    jobs.append(try await cloud.cloud.takeSnapshots(request, in: cloud.home.id, cloud.call).job)
                }
                for job in jobs { try await cloud.done(job) }
                let tree = try await cloud.cloud.tree(of: volume.id, in: cloud.home.id, cloud.call)
                let order = tree.flatMap(\.pins).map(\.name.description).filter { $0.hasPrefix("s") }
                #expect(order == ["s0", "s1", "s2", "s3"])
                try await cloud.checkInvariants()
            }
        }

        @Test("a volume that nobody has is taken without a machine")
        func detached() async throws {
            try await withCloud { cloud in
                let volume = try await cloud.makeVolume("disk")
                try await cloud.write(0x31, to: volume)
                let before = try await cloud.digest(of: volume)
                let snapshot = try await cloud.snapshot(volume, "first")
                try await cloud.write(0x32, to: volume)
                #expect(try await cloud.digest(of: snapshot.layer) == before)
                #expect(snapshot.source.instance == nil)
                try await cloud.checkInvariants([snapshot.id: before])
            }
        }

        @Test("a guest that cannot be frozen gives a crash-consistent snapshot that says why, or none, as was asked")
        func missedFreeze() async throws {
            try await withCloud { cloud in
                let instance = try await cloud.deploy(starts: true)
                let volume = try await cloud.root(of: instance)
                func take(_ onMiss: ConsistencyRequest.OnMiss) async throws -> Submitted<[SnapshotView]> {
                    try await cloud.cloud.takeSnapshots(
                        TakeSnapshotRequest(
                            target: .volume(volume.id),
                            name: try ResourceName("\(onMiss)"),
                            consistency: ConsistencyRequest(
                                mode: .filesystem,
                                maxFreezeMilliseconds: 100,
                                onMiss: onMiss
                            )
                        ),
                        in: cloud.home.id,
                        cloud.call
                    )
                }
                let settled = try await take(.settle)
                try await cloud.done(settled.job)
                let id = try #require(settled.resource.first).snapshot.id
                let record = try await cloud.cloud.snapshot(id, in: cloud.home.id, cloud.call).snapshot.consistency
                #expect(record.requested == .filesystem)
                #expect(record.achieved == .crash)
                #expect(record.agentAnswer?.isEmpty == false)

                let failed = try await take(.fail)
                let reason = try await cloud.failure(of: failed.job)
                #expect([.guestFailed, .unavailable].contains(reason.code), "\(reason)")
                let leftID = try #require(failed.resource.first).snapshot.id
                let left = try await cloud.cloud.snapshot(leftID, in: cloud.home.id, cloud.call)
                #expect(left.snapshot.state.failure == reason.message)
                try await cloud.checkInvariants()
                try await cloud.delete(left.snapshot)
                try await cloud.checkInvariants()
            }
        }

        @Test("a chain at its bound refuses another snapshot before anything is touched")
        func depthBound() async throws {
            var settings = Settings.forTests
            settings.collection.hardDepth = 3
            try await withCloud(settings: settings) { cloud in
                let volume = try await cloud.makeVolume("disk")
                for _ in 0..<2 { try await cloud.snapshot(volume) }
                let third = try await cloud.cloud.takeSnapshots(
                    TakeSnapshotRequest(target: .volume(volume.id)),
                    in: cloud.home.id,
                    cloud.call
                )
                #expect(try await cloud.failure(of: third.job).code == .limitExceeded)
                try await cloud.checkInvariants()
            }
        }
    }
}
