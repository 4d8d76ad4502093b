import Foundation
import SnapshotDomain
import SnapshotPorts
import TestKit
import Testing

@testable import SnapshotServices

extension CloudTests {
    @Suite("destroying and recovering")
    struct Destroying {
        @Test("a destroyed instance stops, goes out of the lists, lets its name and its data disks go, and comes back")
        func instance() async throws {
            try await withCloud { cloud in
                let template = try await cloud.makeTemplate()
                let instance = try await cloud.deploy(from: template, dataVolume: true, starts: true)
                let volumes = try await cloud.volumes(of: instance)
                let (root, data) = (volumes[0], volumes[1])
                let snapshot = try await cloud.snapshot(root, "before")
                let digests = try await cloud.digests(of: [snapshot])
                try await cloud.destroy(instance)
                try await cloud.checkInvariants(digests)

                let view = try await cloud.cloud.instance(instance.id, in: cloud.home.id, cloud.call)
                #expect(view.shownState == .destroyed)
                #expect(view.status == .stopped)
                #expect(view.volumes.map(\.id) == [root.id])
                #expect(try await cloud.volume(data.id).attachment == nil)
                #expect(try await cloud.shown() == [])
                #expect(try await cloud.shown([.destroyed]) == [instance.id])
                let seen = try await cloud.cloud.volume(root.id, in: cloud.home.id, cloud.call)
                #expect(seen.shownState == .destroyed)
                // It takes its space still: what can be recovered is somewhere.
                #expect(seen.space.shared + seen.space.exclusive > .zero)

                for refused in [
                    { _ = try await $0.startInstance(instance.id, in: $1.home.id, $1.call) },
                    { _ = try await $0.destroyInstance(instance.id, with: [], in: $1.home.id, $1.call) },
                    { try await $0.renameInstance(instance.id, to: ResourceName("x"), in: $1.home.id, $1.call) },
                    { _ = try await $0.attachVolume(data.id, to: instance.id, in: $1.home.id, $1.call) },
                    { _ = try await $0.revert(.snapshot(snapshot.id), restarts: true, in: $1.home.id, $1.call) },
                    { try await $0.takeSnapshots(.init(target: .volume(root.id)), in: $1.home.id, $1.call) },
                ] as [@Sendable (LocalCloud, TestCloud) async throws -> Any] {
                    await #expect(throws: ServiceError.self) { _ = try await refused(cloud.cloud, cloud) }
                }

                // Its name is free, and so is its root volume's; it comes back only when they are again.
                let second = try await cloud.deploy(from: template)
                let error = await #expect(throws: ServiceError.self) {
                    _ = try await cloud.cloud.recoverInstance(instance.id, in: cloud.home.id, cloud.call)
                }
                #expect(error?.code == .nameTaken)
                try await cloud.destroy(second)
                let back = try await cloud.cloud.recoverInstance(instance.id, in: cloud.home.id, cloud.call)
                #expect(back.shownState == .stopped)
                #expect(back.volumes.map(\.state) == [.available])
                try await cloud.start(instance)
                try await cloud.checkInvariants(digests)
                await #expect(throws: ServiceError.self) {
                    _ = try await cloud.cloud.recoverInstance(instance.id, in: cloud.home.id, cloud.call)
                }
            }
        }

        @Test("named data disks are put aside with their instance, and come back with it")
        func data() async throws {
            try await withCloud { cloud in
                let instance = try await cloud.deploy(dataVolume: true)
                let data = try #require(try await cloud.volumes(of: instance).last)
                try await cloud.destroy(instance, with: [data.id])
                #expect(try await cloud.volume(data.id).state.destroyedAt != nil)
                let error = await #expect(throws: ServiceError.self) {
                    _ = try await cloud.cloud.recoverVolume(data.id, in: cloud.home.id, cloud.call)
                }
                #expect(error?.code == .inUse)
                _ = try await cloud.cloud.recoverInstance(instance.id, in: cloud.home.id, cloud.call)
                #expect(try await cloud.volume(data.id).state == .available)
                #expect(try await cloud.volume(data.id).attachment?.instance == instance.id)
                try await cloud.checkInvariants()
            }
        }

        @Test("what was destroyed is purged when its time is over, and not before")
        func purge() async throws {
            try await withCloud { cloud in
                let instance = try await cloud.deploy(dataVolume: true)
                let volumes = try await cloud.volumes(of: instance)
                let loose = try await cloud.makeVolume("loose")
                try await cloud.destroy(instance, with: [volumes[1].id])
                _ = try await cloud.cloud.destroyVolume(loose.id, in: cloud.home.id, cloud.call)
                cloud.time.advance(by: .seconds(86_399))
                try await cloud.checkInvariants()
                #expect(try await cloud.catalog.read { try $0.findInstance(instance.id) } != nil)
                cloud.time.advance(by: .seconds(2))
                try await cloud.checkInvariants()
                let left = try await cloud.catalog.read { reader in
                    try [volumes[0].id, volumes[1].id, loose.id].compactMap { try reader.findVolume($0) }.count
                        + (reader.findInstance(instance.id) == nil ? 0 : 1)
                }
                #expect(left == 0)
                #expect(try await cloud.hypervisor.inventory().isEmpty)
            }
        }

        @Test("a detached volume is destroyed and recovered; one that is in use is not")
        func volume() async throws {
            try await withCloud { cloud in
                let volume = try await cloud.makeVolume("disk")
                try await cloud.write(0x42, to: volume)
                let digest = try await cloud.digest(of: volume)
                let gone = try await cloud.cloud.destroyVolume(volume.id, in: cloud.home.id, cloud.call)
                #expect(gone.shownState == .destroyed)
                let other = try await cloud.makeVolume("disk")
                let error = await #expect(throws: ServiceError.self) {
                    _ = try await cloud.cloud.recoverVolume(volume.id, in: cloud.home.id, cloud.call)
                }
                #expect(error?.code == .nameTaken)
                try await cloud.done(try await cloud.cloud.deleteVolume(other.id, in: cloud.home.id, cloud.call))
                _ = try await cloud.cloud.recoverVolume(volume.id, in: cloud.home.id, cloud.call)
                #expect(try await cloud.digest(of: try await cloud.volume(volume.id)) == digest)

                let instance = try await cloud.deploy(dataVolume: true)
                for attached in try await cloud.volumes(of: instance) {
                    let error = await #expect(throws: ServiceError.self) {
                        _ = try await cloud.cloud.destroyVolume(attached.id, in: cloud.home.id, cloud.call)
                    }
                    #expect(error?.code == .inUse)
                }
                // For good, from where it lies.
                _ = try await cloud.cloud.destroyVolume(volume.id, in: cloud.home.id, cloud.call)
                try await cloud.done(try await cloud.cloud.deleteVolume(volume.id, in: cloud.home.id, cloud.call))
                try await cloud.checkInvariants()
            }
        }

        @Test("an environment is deleted with what was put aside in it")
        func environment() async throws {
            try await withCloud { cloud in
                try await cloud.destroy(try await cloud.deploy(dataVolume: true))
                try await cloud.done(try await cloud.cloud.deleteEnvironment(cloud.home.id, cloud.call))
                try await cloud.checkInvariants()
            }
        }

        @Test("a restored machine holds its template again, and what it held can be undone to")
        func restore() async throws {
            try await withCloud { cloud in
                let template = try await cloud.makeTemplate()
                let other = try await cloud.makeTemplate("other", fill: 0x22)
                let instance = try await cloud.deploy(from: template)
                let root = try await cloud.root(of: instance)
                let fresh = try await cloud.digest(of: root)
                try await cloud.write(0x99, at: 2, to: root)
                let used = try await cloud.digest(of: try await cloud.volume(root.id))
                let restored = try await cloud.cloud.restoreInstance(
                    instance.id,
                    to: nil,
                    in: cloud.home.id,
                    cloud.call
                )
                try await cloud.done(restored.job)
                #expect(try await cloud.digest(of: try await cloud.volume(root.id)) == fresh)
                try await cloud.revert(.undo(root.id))
                #expect(try await cloud.digest(of: try await cloud.volume(root.id)) == used)
                let changed = try await cloud.cloud.restoreInstance(
                    instance.id,
                    to: other.id,
                    in: cloud.home.id,
                    cloud.call
                )
                try await cloud.done(changed.job)
                let row = try #require(try await cloud.catalog.read { try $0.findInstance(instance.id) })
                #expect(row.template == other.id)
                try await cloud.checkInvariants()
            }
        }
    }
}

extension TestCloud {
    fileprivate func destroy(_ instance: Instance, with volumes: Set<VolumeID> = []) async throws {
        try await done(try await cloud.destroyInstance(instance.id, with: volumes, in: home.id, call))
    }

    /// What a list of instances shows.
    fileprivate func shown(_ states: Set<ResourceState.Word>? = nil) async throws -> [InstanceID] {
        try await cloud.listInstances(
            InstanceFilter(environment: home.id, states: states),
            order: .byName,
            page: .all,
            call
        ).rows.map(\.instance.id)
    }
}
