import Foundation
import SnapshotDomain
import SnapshotPorts
import TestKit
import Testing

@testable import SnapshotServices

extension CloudTests {
    @Suite("memory")
    struct MemoryTests {
        private func take(_ cloud: TestCloud, _ instance: Instance) async throws -> (SnapshotGroupID, [Snapshot]) {
            var request = TakeSnapshotRequest.withMemory(of: instance.id)
            // A memory that is missing for any reason says why.
            request.consistency.onMiss = .fail
            let submitted = try await cloud.cloud.takeSnapshots(request, in: cloud.home.id, cloud.call)
            try await cloud.done(submitted.job)
            let ids = submitted.resource.map(\.snapshot.id)
            let snapshots = try await cloud.catalog.read { reader in try ids.compactMap { try reader.findSnapshot($0) }
            }
            return (try #require(snapshots.first?.group), snapshots)
        }

        @Test("a group is saved with its memory, and the machine goes on from it")
        func roundTrip() async throws {
            try await withCloud { cloud in
                let instance = try await cloud.deploy(dataVolume: true, starts: true)
                let root = try await cloud.root(of: instance)
                try await cloud.write(0xA1, blocks: 4, to: root)
                let (group, snapshots) = try await take(cloud, instance)
                #expect(snapshots.count == 2)
                for snapshot in snapshots {
                    #expect(snapshot.consistency.requested == .memory)
                    #expect(snapshot.consistency.achieved == .memory)
                    #expect(snapshot.consistency.freezeMilliseconds != nil)
                }
                let image = try #require(try await cloud.catalog.read { try $0.findMemoryImage(group) })
                #expect(image.size.bytes > 0)
                #expect(image.shape.disks.count == 2)
                let before = try await cloud.digest(of: snapshots[0].layer)
                try await cloud.write(0xA2, blocks: 4, to: root)

                try await cloud.revert(.group(group, of: instance.id), restarts: false)
                #expect(await cloud.hypervisor.status(of: instance.id) == .running)
                #expect(try await cloud.catalog.read { try $0.findInstance(instance.id)?.power } == .running)
                try await cloud.stop(instance)
                #expect(try await cloud.digest(of: root) == before)
                try await cloud.checkInvariants(after: "going back")

                // What was replaced can be had again, as after any revert.
                try await cloud.revert(.undo(root.id))
                #expect(try await cloud.digest(of: root) != before)
                for snapshot in snapshots { try await cloud.delete(snapshot) }
                #expect(try await cloud.catalog.read { try $0.listMemoryImages() }.isEmpty)
                try await cloud.checkInvariants(after: "the deletion")
            }
        }

        @Test("a machine of another shape is refused with the difference, and can go back without its memory")
        func otherShape() async throws {
            try await withCloud { cloud in
                let instance = try await cloud.deploy(starts: true)
                let (group, _) = try await take(cloud, instance)
                let volume = try await cloud.makeVolume("later")
                try await cloud.done(
                    try await cloud.cloud.attachVolume(volume.id, to: instance.id, in: cloud.home.id, cloud.call).job
                )
                let target = RevertTarget.group(group, of: instance.id)
                let refusal = await #expect(throws: ServiceError.self) {
                    try await cloud.cloud.revert(target, restarts: true, in: cloud.home.id, cloud.call)
                }
                #expect(refusal?.code == .wrongState)
                #expect(refusal?.message.contains("attached to it later") == true)
                let without = try await cloud.cloud.revert(
                    target,
                    restarts: true,
                    memory: .ignore,
                    in: cloud.home.id,
                    cloud.call
                )
                try await cloud.done(without.job)
                #expect(await cloud.hypervisor.status(of: instance.id) == .running)
                try await cloud.checkInvariants(after: "a revert without memory")
            }
        }

        @Test("memory is of a whole instance that runs")
        func refusals() async throws {
            try await withCloud { cloud in
                let instance = try await cloud.deploy()
                let stopped = await #expect(throws: ServiceError.self) {
                    try await cloud.cloud.takeSnapshots(.withMemory(of: instance.id), in: cloud.home.id, cloud.call)
                }
                #expect(stopped?.code == .wrongState)
                let root = try await cloud.root(of: instance)
                let single = await #expect(throws: ServiceError.self) {
                    try await cloud.cloud.takeSnapshots(
                        TakeSnapshotRequest(target: .volume(root.id), consistency: ConsistencyRequest(mode: .memory)),
                        in: cloud.home.id,
                        cloud.call
                    )
                }
                #expect(single?.code == .invalidInput)
            }
        }

        @Test(
            "a memory that changed on the disk is found by verification and refused by a revert, before anything is stopped"
        )
        func damaged() async throws {
            try await withCloud { cloud in
                let instance = try await cloud.deploy(starts: true)
                let (group, snapshots) = try await take(cloud, instance)
                let path = "\(cloud.folder)/memory/\(group)/memory"
                let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
                try file.seek(toOffset: 100_000)
                try file.write(contentsOf: Data(repeating: 0xEE, count: 64))
                try file.close()
                let verified = try await cloud.failure(
                    of: try await cloud.cloud.verifySnapshot(snapshots[0].id, in: cloud.home.id, cloud.call).job
                )
                #expect(verified.code == .damaged)
                let reverted = try await cloud.failure(
                    of: try await cloud.cloud.revert(
                        .group(group, of: instance.id),
                        restarts: true,
                        in: cloud.home.id,
                        cloud.call
                    ).job
                )
                #expect(reverted.code == .damaged)
                #expect(await cloud.hypervisor.status(of: instance.id) == .running)
                let now = try await cloud.catalog.read { try $0.findSnapshot(snapshots[0].id) }
                #expect(now?.damage != nil)
            }
        }

        @Test("at a start, memory that is gone is reported, and such as nobody knows is set aside")
        func reconciling() async throws {
            try await withCloud { cloud in
                let instance = try await cloud.deploy(starts: true)
                let (group, _) = try await take(cloud, instance)
                let stranger = SnapshotGroupID.random()
                await cloud.stopRoom()
                try FileManager.default.moveItem(
                    atPath: "\(cloud.folder)/memory/\(group)",
                    toPath: "\(cloud.folder)/memory/\(stranger)"
                )
                try await cloud.startRoom()
                let image = try #require(try await cloud.catalog.read { try $0.findMemoryImage(group) })
                #expect(image.damage?.contains("missing") == true)
                #expect(FileManager.default.fileExists(atPath: "\(cloud.folder)/quarantine/memory-\(stranger)"))
                #expect(try await cloud.hypervisor.memoryInventory().images.isEmpty)
                let refusal = await #expect(throws: ServiceError.self) {
                    try await cloud.cloud.revert(
                        .group(group, of: instance.id),
                        restarts: true,
                        in: cloud.home.id,
                        cloud.call
                    )
                }
                #expect(refusal?.code == .damaged)
            }
        }

        @Test("a pause that may be too short leaves a snapshot that is whole, with memory or without")
        func shortPause() async throws {
            try await withCloud { cloud in
                let instance = try await cloud.deploy(starts: true)
                var request = TakeSnapshotRequest.withMemory(of: instance.id)
                request.consistency.maxFreezeMilliseconds = 50
                let submitted = try await cloud.cloud.takeSnapshots(request, in: cloud.home.id, cloud.call)
                try await cloud.done(submitted.job)
                let id = try #require(submitted.resource.first).snapshot.id
                let snapshot = try #require(try await cloud.catalog.read { try $0.findSnapshot(id) })
                #expect(snapshot.state == .available)
                let group = try #require(snapshot.group)
                let image = try await cloud.catalog.read { try $0.findMemoryImage(group) }
                #expect((image != nil) == (snapshot.consistency.achieved == .memory))
                #expect(await cloud.hypervisor.status(of: instance.id) == .running)
                try await cloud.checkInvariants(after: "a short pause")
            }
        }
    }
}
