import Foundation
import SnapshotDomain
import SnapshotPorts
import TestKit
import Testing

@testable import SnapshotServices

extension CloudTests {
    @Suite("reverting")
    struct Reverting {
        @Test("a revert, its undo, and the undo of the undo each bring back what they should")
        func undo() async throws {
            try await withCloud { cloud in
                let volume = try await cloud.makeVolume("disk")
                try await cloud.write(0x71, to: volume)
                let old = try await cloud.digest(of: volume)
                let snapshot = try await cloud.snapshot(volume, "before upgrade")
                try await cloud.write(0x72, at: 3, to: volume)
                let new = try await cloud.digest(of: volume)

                try await cloud.revert(.snapshot(snapshot.id))
                #expect(try await cloud.digest(of: volume) == old)
                try await cloud.revert(.undo(volume.id))
                #expect(try await cloud.digest(of: volume) == new)
                try await cloud.revert(.undo(volume.id))
                #expect(try await cloud.digest(of: volume) == old)
                try await cloud.checkInvariants([snapshot.id: old])
            }
        }

        @Test("a running machine is stopped, put back and started again", arguments: [true, false])
        func running(_ restarts: Bool) async throws {
            try await withCloud { cloud in
                let instance = try await cloud.deploy(starts: true)
                let volume = try await cloud.root(of: instance)
                let snapshot = try await cloud.snapshot(volume, "before")
                let digests = try await cloud.digests(of: [snapshot])
                try await cloud.write(0x73, to: volume)
                try await cloud.revert(.snapshot(snapshot.id), restarts: restarts)
                #expect(await cloud.hypervisor.status(of: instance.id) == (restarts ? .running : .stopped))
                try await cloud.checkInvariants(digests)
                if restarts { try await cloud.stop(instance) }
                #expect(try await cloud.digest(of: volume) == digests[snapshot.id])
            }
        }

        @Test("a revert whose layers cannot be made, as in a full pool, has not touched the machine")
        func noRoom() async throws {
            try await withCloud { cloud in
                let instance = try await cloud.deploy(starts: true)
                let snapshot = try await cloud.snapshot(try await cloud.root(of: instance), "before")
                let machine = try String(contentsOfFile: cloud.pidFile(of: instance.id), encoding: .utf8)
                cloud.faults.arm(next: "store.createLayer.on", .before)
                let submitted = try await cloud.cloud.revert(
                    .snapshot(snapshot.id),
                    restarts: true,
                    in: cloud.home.id,
                    cloud.call
                )
                _ = try await cloud.failure(of: submitted.job)
                #expect(cloud.faults.disarm() != nil)
                #expect(await cloud.hypervisor.status(of: instance.id) == .running)
                #expect(try String(contentsOfFile: cloud.pidFile(of: instance.id), encoding: .utf8) == machine)
                try await cloud.checkInvariants()
            }
        }

        @Test("all volumes of an instance go back to one instant together")
        func group() async throws {
            try await withCloud { cloud in
                let instance = try await cloud.deploy(dataVolume: true)
                let volumes = try await cloud.volumes(of: instance)
                let submitted = try await cloud.cloud.takeSnapshots(
                    TakeSnapshotRequest(target: .instance(instance.id)),
                    in: cloud.home.id,
                    cloud.call
                )
                try await cloud.done(submitted.job)
                var before: [ContentDigest] = []
                for volume in volumes { before.append(try await cloud.digest(of: volume)) }
                for volume in volumes { try await cloud.write(0x74, at: 5, to: volume) }
                let group = try #require(submitted.resource.first?.snapshot.group)
                try await cloud.revert(.group(group, of: instance.id))
                for (volume, digest) in zip(volumes, before) { #expect(try await cloud.digest(of: volume) == digest) }
                try await cloud.checkInvariants()
            }
        }

        @Test("siblings and newer snapshots survive a revert, and each can be gone to")
        func branches() async throws {
            try await withCloud { cloud in
                let volume = try await cloud.makeVolume("disk")
                var snapshots: [Snapshot] = []
                for number in 0..<3 {
                    try await cloud.write(UInt8(0x75 + number), at: number, to: volume)
                    snapshots.append(try await cloud.snapshot(volume, "s\(number)"))
                }
                let digests = try await cloud.digests(of: snapshots)
                for number in [0, 2, 1] {
                    try await cloud.revert(.snapshot(snapshots[number].id))
                    #expect(try await cloud.digest(of: volume) == digests[snapshots[number].id])
                    try await cloud.write(0x7F, at: 9, to: volume)
                }
                try await cloud.checkInvariants(digests)
            }
        }

        @Test("a volume that was grown has its old size after a revert")
        func size() async throws {
            try await withCloud { cloud in
                let volume = try await cloud.makeVolume("disk")
                let snapshot = try await cloud.snapshot(volume, "small")
                let larger = TestCloud.diskSize + .mebibytes(4)
                try await cloud.done(
                    try await cloud.cloud.resizeVolume(volume.id, to: larger, in: cloud.home.id, cloud.call).job
                )
                #expect(try await cloud.volume(volume.id).size == larger)
                try await cloud.revert(.snapshot(snapshot.id))
                #expect(try await cloud.volume(volume.id).size == TestCloud.diskSize)
                try await cloud.checkInvariants()
            }
        }

        @Test("a volume whose active layer is lost works again after a revert to a snapshot that is whole")
        func healing() async throws {
            try await withCloud { cloud in
                let volume = try await cloud.makeVolume("disk")
                try await cloud.write(0x7A, to: volume)
                let snapshot = try await cloud.snapshot(volume, "whole")
                let digests = try await cloud.digests(of: [snapshot])
                let lost = try await cloud.volume(volume.id).activeLayer
                await cloud.stopRoom()
                try FileManager.default.removeItem(atPath: cloud.file(of: lost))
                try await cloud.startRoom()
                #expect(try await cloud.volume(volume.id).state.failure != nil)
                let refused = await #expect(throws: ServiceError.self) { try await cloud.snapshot(volume) }
                #expect(refused?.code == .wrongState)
                try await cloud.revert(.snapshot(snapshot.id))
                #expect(try await cloud.volume(volume.id).state == .available)
                #expect(try await cloud.digest(of: volume) == digests[snapshot.id])
                let undo = try #require(try await cloud.catalog.read { try $0.undoSnapshot(of: volume.id) })
                #expect(undo.state.failure != nil)
                try await cloud.delete(undo)
                try await cloud.checkInvariants(digests)
            }
        }
    }
}
