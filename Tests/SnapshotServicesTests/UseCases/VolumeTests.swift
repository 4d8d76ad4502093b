import Foundation
import SnapshotDomain
import SnapshotPorts
import TestKit
import Testing

@testable import SnapshotServices

extension CloudTests {
    @Suite("volumes")
    struct Volumes {
        @Test("a volume grows with its content, at rest and under a running machine", arguments: [false, true])
        func grow(_ isRunning: Bool) async throws {
            try await withCloud { cloud in
                let instance = try await cloud.deploy(dataVolume: true, starts: isRunning)
                let volume = try #require(try await cloud.volumes(of: instance).last)
                try await cloud.write(0x91, to: volume)
                let snapshot = try await cloud.snapshot(volume, "small")
                let digests = try await cloud.digests(of: [snapshot])
                let size = TestCloud.diskSize + .mebibytes(3)
                try await cloud.done(
                    try await cloud.cloud.resizeVolume(volume.id, to: size, in: cloud.home.id, cloud.call).job
                )
                #expect(try await cloud.volume(volume.id).size == size)
                try await cloud.checkInvariants(digests)
                try await cloud.delete(snapshot)
                try await cloud.checkInvariants()
            }
        }

        @Test("a volume is attached to a running machine, which writes it at once")
        func attach() async throws {
            try await withCloud { cloud in
                let instance = try await cloud.deploy(starts: true)
                let volume = try await cloud.makeVolume("disk")
                let attached = try await cloud.cloud.attachVolume(
                    volume.id,
                    to: instance.id,
                    in: cloud.home.id,
                    cloud.call
                )
                try await cloud.done(attached.job)
                let now = try await cloud.volume(volume.id)
                #expect(now.attachment == Volume.Attachment(instance: instance.id, slot: 1))
                try await cloud.write(0x92, to: now)
                try await cloud.checkInvariants()
                try await cloud.snapshot(now, "while attached")
                try await cloud.checkInvariants()
            }
        }

        @Test("a guest that does not let go of a disk keeps it; at rest it goes, and to another instance")
        func detach() async throws {
            try await withCloud { cloud in
                let instance = try await cloud.deploy(dataVolume: true, starts: true)
                let volume = try #require(try await cloud.volumes(of: instance).last)
                let refused = try await cloud.cloud.detachVolume(volume.id, in: cloud.home.id, cloud.call)
                #expect(try await cloud.failure(of: refused.job).code == .guestFailed)
                #expect(try await cloud.volume(volume.id).attachment != nil)
                try await cloud.stop(instance)
                try await cloud.done(try await cloud.cloud.detachVolume(volume.id, in: cloud.home.id, cloud.call).job)
                let other = try await cloud.deploy("other")
                try await cloud.done(
                    try await cloud.cloud.attachVolume(volume.id, to: other.id, in: cloud.home.id, cloud.call).job
                )
                #expect(try await cloud.volume(volume.id).attachment?.instance == other.id)
                try await cloud.checkInvariants()
            }
        }

        @Test("a volume made from a snapshot is attached to a running machine at once")
        func createAttached() async throws {
            try await withCloud { cloud in
                let instance = try await cloud.deploy(starts: true)
                let snapshot = try await cloud.snapshot(try await cloud.root(of: instance), "source")
                let submitted = try await cloud.cloud.createVolume(
                    CreateVolumeRequest(
                        source: .snapshot(snapshot.id, isFull: false),
                        name: try ResourceName("beside"),
                        instance: instance.id
                    ),
                    in: cloud.home.id,
                    cloud.call
                )
                try await cloud.done(submitted.job)
                try await cloud.checkInvariants()
                try await cloud.write(0x93, to: try await cloud.volume(submitted.resource.volume.id))
                try await cloud.checkInvariants()
            }
        }

        @Test("a deployment that fails gives back the volume that it was to attach")
        func failedDeployment() async throws {
            try await withCloud { cloud in
                let template = try await cloud.makeTemplate()
                let volume = try await cloud.makeVolume("mine")
                cloud.faults.arm(next: "store.createLayer.on", .before)
                let submitted = try await cloud.cloud.deploy(
                    DeployRequest(
                        source: .template(template.id),
                        name: try ResourceName("web"),
                        attaching: volume.id,
                        startsInstances: false
                    ),
                    in: cloud.home.id,
                    cloud.call
                )
                _ = try await cloud.failure(of: submitted.job)
                try await cloud.checkInvariants()
                #expect(try await cloud.volume(volume.id).attachment == nil)
                let instances = InstanceFilter(environment: cloud.home.id)
                let left = try await cloud.cloud.listInstances(instances, order: .byName, page: .all, cloud.call)
                #expect(left.total == 0)
            }
        }

        @Test("a machine that ends by itself is seen to be off, and what it wrote is accounted for")
        func crash() async throws {
            try await withCloud { cloud in
                let instance = try await cloud.deploy(starts: true)
                let volume = try await cloud.root(of: instance)
                try await cloud.write(0x94, blocks: 9, to: volume)
                try await cloud.killMachine(instance.id)
                try await until("the end is recorded") {
                    try await cloud.catalog.read { try $0.findInstance(instance.id) }?.power == .stopped
                }
                try await cloud.checkInvariants()
                let events = try await cloud.cloud.listActivity(
                    ActivityFilter(environment: cloud.home.id, event: "instances.crashed"),
                    page: .all,
                    cloud.call
                )
                #expect(events.total == 1)
                try await cloud.start(instance)
                try await cloud.checkInvariants()
            }
        }

        @Test("a data volume that cannot be used is detached, and its instance starts without it")
        func failedVolume() async throws {
            try await withCloud { cloud in
                let instance = try await cloud.deploy(dataVolume: true)
                let data = try #require(try await cloud.volumes(of: instance).last { $0.role == .data })
                try await cloud.catalog.write { writer in
                    var row = data
                    row.state = .failed(reason: "A part of it is missing.")
                    try writer.update(row)
                }
                let start = try await cloud.cloud.startInstance(instance.id, in: cloud.home.id, cloud.call).job
                let refusal = try await cloud.failure(of: start)
                #expect(refusal.code == .damaged)
                #expect(refusal.message.contains("Detach it"))
                try await cloud.done(try await cloud.cloud.detachVolume(data.id, in: cloud.home.id, cloud.call).job)
                try await cloud.start(instance)
                let row = try await cloud.volume(data.id)
                #expect(row.attachment == nil)
                #expect(row.state.failure != nil, "what is missing is missing still")
            }
        }

        @Test("a machine whose end nobody noted is noted by housekeeping")
        func unnotedEnd() async throws {
            try await withCloud { cloud in
                let instance = try await cloud.deploy(starts: true)
                try await cloud.stop(instance)
                try await cloud.catalog.write { try $0.setPower(.running, of: instance.id) }
                await cloud.keepHouse()
                let power = try await cloud.catalog.read { try $0.findInstance(instance.id) }?.power
                #expect(power == .stopped)
                try await cloud.checkInvariants()
            }
        }

        @Test("a chain that is too long for its pool says what is missing to end that")
        func depth() async throws {
            var settings = Settings.forTests
            settings.collection.softDepth = 1
            try await withCloud(settings: settings) { cloud in
                let volume = try await cloud.makeVolume("disk")
                let chain = { try await cloud.cloud.volume(volume.id, in: cloud.home.id, cloud.call).chain }
                #expect(try await chain() == ChainDepth(layers: 1))
                // A layer of a size that no disk has: nobody could copy it.
                var below = Layer(
                    id: .random(),
                    pool: .local,
                    parent: nil,
                    size: volume.size,
                    allocated: .gibibytes(1 << 30),
                    phase: .ready
                )
                try await cloud.catalog.write { [below] writer in
                    try writer.insert(below)
                    var active = try #require(try writer.findLayer(volume.activeLayer))
                    active.parent = below.id
                    try writer.update(active)
                }
                cloud.world.ledger.invalidate()
                let deep = try await chain()
                #expect(deep.layers == 2)
                #expect(try #require(deep.missingRoom) < below.allocated)
                // With room, it is only a matter of time.
                below.allocated = .zero
                try await cloud.catalog.write { [below] in try $0.update(below) }
                cloud.world.ledger.invalidate()
                #expect(try await chain() == ChainDepth(layers: 2))
            }
        }
    }
}
