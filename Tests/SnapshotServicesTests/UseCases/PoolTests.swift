import Foundation
import SnapshotDomain
import SnapshotPorts
import TestKit
import Testing

@testable import SnapshotServices

extension CloudTests {
    @Suite("several pools")
    struct Pools {
        @Test("a volume is made in the pool that is chosen, else in the default one, and in no unknown one")
        func choice() async throws {
            try await withCloud { cloud in
                #expect(try await cloud.makeVolume("usual").pool == .local)
                let chosen = try await cloud.makeVolume("chosen", pool: .fast)
                #expect(chosen.pool == .fast)
                try await cloud.write(0x41, blocks: 4, to: chosen)
                let snapshot = try await cloud.snapshot(chosen, "there")
                #expect(snapshot.pool == .fast)
                let unknown = try #require(PoolID("nowhere"))
                await #expect(throws: ServiceError.self) { _ = try await cloud.makeVolume("lost", pool: unknown) }
                try await cloud.checkInvariants()
            }
        }

        @Test("a clone is made in its snapshot's pool; a full copy goes where it is asked to")
        func copies() async throws {
            try await withCloud { cloud in
                let volume = try await cloud.makeVolume("source")
                try await cloud.write(0x42, blocks: 8, to: volume)
                let snapshot = try await cloud.snapshot(volume, "still")
                func request(_ name: String, isFull: Bool) throws -> CreateVolumeRequest {
                    CreateVolumeRequest(
                        source: .snapshot(snapshot.id, isFull: isFull),
                        name: try ResourceName(name),
                        pool: .fast
                    )
                }
                let refused = await #expect(throws: ServiceError.self) {
                    _ = try await cloud.cloud.createVolume(
                        try request("thin", isFull: false),
                        in: cloud.home.id,
                        cloud.call
                    )
                }
                #expect(refused?.code == .invalidInput)
                let made = try await cloud.cloud.createVolume(
                    try request("full", isFull: true),
                    in: cloud.home.id,
                    cloud.call
                )
                try await cloud.done(made.job)
                let copy = try await cloud.volume(made.resource.volume.id)
                #expect(copy.pool == .fast)
                #expect(try await cloud.digest(of: copy) == cloud.digest(of: snapshot.layer))
                try await cloud.checkInvariants()
            }
        }

        @Test("a volume moves with its content; its snapshots stay, and going back to one takes it back")
        func move() async throws {
            try await withCloud { cloud in
                let volume = try await cloud.makeVolume("nomad")
                try await cloud.write(0x43, blocks: 8, to: volume)
                let snapshot = try await cloud.snapshot(volume, "before")
                try await cloud.write(0x44, at: 4, blocks: 8, to: volume)
                let content = try await cloud.digest(of: volume)
                let digests = try await cloud.digests(of: [snapshot])
                try await cloud.move(volume, to: .fast)
                #expect(try await cloud.volume(volume.id).pool == .fast)
                #expect(try await cloud.digest(of: volume) == content)
                try await cloud.checkInvariants(digests, after: "the move")
                // What it left behind is gone, but for the snapshot.
                #expect(try await cloud.store.inventory().layers.map(\.id) == [snapshot.layer])
                try await cloud.revert(.snapshot(snapshot.id))
                #expect(try await cloud.volume(volume.id).pool == .local)
                try await cloud.checkInvariants(digests, after: "the way back")
                try await cloud.revert(.undo(volume.id))
                #expect(try await cloud.digest(of: volume) == content)
                try await cloud.checkInvariants(digests, after: "the undo")
            }
        }

        @Test("a volume of a running machine does not move, and one that is there already neither")
        func movesOnlyAtRest() async throws {
            try await withCloud { cloud in
                let instance = try await cloud.deploy(starts: true)
                let root = try await cloud.root(of: instance)
                let running = await #expect(throws: ServiceError.self) { try await cloud.move(root, to: .fast) }
                #expect(running?.code == .wrongState)
                try await cloud.stop(instance)
                let there = await #expect(throws: ServiceError.self) { try await cloud.move(root, to: .local) }
                #expect(there?.code == .wrongState)
                let content = try await cloud.digest(of: root)
                try await cloud.move(root, to: .fast)
                #expect(try await cloud.digest(of: root) == content)
                try await cloud.start(instance)
                try await cloud.checkInvariants()
            }
        }

        @Test("a move that is cancelled changes nothing and leaves nothing")
        func cancelledMove() async throws {
            try await withCloud { cloud in
                let volume = try await cloud.makeVolume("stays")
                try await cloud.write(0x45, blocks: 8, to: volume)
                let gate = Gate()
                cloud.faults.hold("store.importContent", at: gate)
                let moved = try await cloud.cloud.moveVolume(volume.id, to: .fast, in: cloud.home.id, cloud.call)
                await gate.reached()
                #expect(try await cloud.cloud.volume(volume.id, in: cloud.home.id, cloud.call).shownState == .moving)
                _ = try await cloud.cloud.cancelTask(moved.job, cloud.call)
                gate.open()
                #expect(try await cloud.end(of: moved.job).status == .cancelled)
                #expect(try await cloud.volume(volume.id).pool == .local)
                #expect(try await cloud.fast.inventory().layers.isEmpty)
                try await cloud.checkInvariants()
            }
        }

        @Test("a template is copied to a pool with the first deployment there, once, and goes with the template")
        func templates() async throws {
            try await withCloud { cloud in
                let template = try await cloud.makeTemplate()
                // Both are accepted before either has copied anything.
                let gate = Gate()
                cloud.faults.hold("store.importContent", at: gate)
                var jobs: [JobID] = []
                for name in ["one", "two"] {
                    jobs.append(
                        try await cloud.cloud.deploy(try .far(name, template), in: cloud.home.id, cloud.call).job
                    )
                }
                await gate.reached()
                gate.open()
                for job in jobs { try await cloud.done(job) }
                // The template's copy, and two thin disks on it.
                #expect(try await cloud.fast.inventory().layers.count == 3)
                let view = try await cloud.cloud.template(template.id, in: cloud.home.id, cloud.call)
                #expect(view.pools == [.local, .fast])
                #expect(view.dependentCount == 2)
                try await cloud.checkInvariants(after: "two deployments")
                for instance in try await cloud.catalog.read({ try $0.allInstances(in: nil) }) {
                    let root = try await cloud.root(of: instance)
                    #expect(root.pool == .fast)
                    #expect(try await cloud.digest(of: root) == cloud.digest(of: template.layer))
                    let job = try await cloud.cloud.deleteInstance(
                        instance.id,
                        DeleteInstanceRequest(),
                        in: cloud.home.id,
                        cloud.call
                    )
                    try await cloud.done(job)
                }
                try await cloud.checkInvariants(after: "their deletion")
                #expect(try await cloud.fast.inventory().layers.count == 1, "the copy is kept for the next")
                try await cloud.done(try await cloud.cloud.deleteTemplate(template.id, in: cloud.home.id, cloud.call))
                try await cloud.checkInvariants(after: "the template's")
                #expect(try await cloud.fast.inventory().layers.isEmpty)
            }
        }

        @Test("a pool is checked by what is done there, and nothing stays of it")
        func check() async throws {
            try await withCloud { cloud in
                let check = try await cloud.cloud.checkPool(.fast, cloud.call)
                #expect(check.isGood, "\(check.findings)")
                #expect(check.findings.map(\.step) == PoolCheck.Step.allCases)
                cloud.absence.begin(.failing)
                #expect(try await !cloud.cloud.checkPool(.fast, cloud.call).isGood)
                cloud.absence.end()
                try await cloud.checkInvariants()
            }
        }
    }
}

extension CloudTests {
    @Suite("a pool that is away")
    struct AbsentPools {
        @Test(
            "the service starts without it, the others work, and it is back by itself",
            arguments: [Absence.Manner.failing, .hanging]
        )
        func start(_ manner: Absence.Manner) async throws {
            try await withCloud { cloud in
                let volume = try await cloud.makeVolume("there", pool: .fast)
                try await cloud.write(0x51, blocks: 8, to: volume)
                let snapshot = try await cloud.snapshot(volume, "kept")
                let content = try await cloud.digest(of: volume)
                await cloud.stopRoom()
                cloud.absence.begin(manner)
                try await cloud.startRoom(looksEvery: .milliseconds(20))

                let pools = try await cloud.cloud.listPools(cloud.call)
                #expect(pools.map(\.state) == [.down, .ready])
                #expect(pools.first?.trouble?.contains("fast") == true)
                // Everything in it is shown, with the reason.
                let view = try await cloud.cloud.volume(volume.id, in: cloud.home.id, cloud.call)
                #expect(view.volume.state == .available)
                #expect(view.failure?.code == .unavailable)
                // What needs it is refused, the rest goes on.
                let refused = await #expect(throws: ServiceError.self) { try await cloud.snapshot(volume, "no") }
                #expect(refused?.code == .unavailable)
                let near = try await cloud.makeVolume("near")
                try await cloud.snapshot(near)
                // A deletion needs only the catalog: the rest is collected later.
                try await cloud.delete(snapshot)

                cloud.absence.end()
                try await until("the pool is back") { cloud.world.watch.isReady(.fast) }
                #expect(try await cloud.cloud.listPools(cloud.call).allSatisfy { $0.state == .ready })
                #expect(try await cloud.digest(of: volume) == content)
                try await cloud.snapshot(volume, "again")
                try await cloud.checkInvariants()
            }
        }

        @Test("work that was accepted waits for it, and says so", arguments: [Absence.Manner.failing, .hanging])
        func waiting(_ manner: Absence.Manner) async throws {
            try await withCloud { cloud in
                let volume = try await cloud.makeVolume("there", pool: .fast)
                cloud.crashes.arm(0)
                let job = try await cloud.take(volume, "in time").job
                try await until("the crash comes") { cloud.crashes.hasCrashed }
                await cloud.stopRoom()
                cloud.crashes.disarm()
                cloud.absence.begin(manner)
                try await cloud.startRoom(looksEvery: .milliseconds(20))
                let task = try await cloud.cloud.task(job, cloud.call)
                #expect(task.status == .queued)
                #expect(task.awaitedPool == .fast)
                cloud.absence.end()
                try await cloud.done(job)
                try await cloud.checkInvariants()
            }
        }

        @Test("a pool that goes away under the service is found out, and back")
        func outage() async throws {
            try await withCloud { cloud in
                await cloud.stopRoom()
                try await cloud.startRoom(looksEvery: .milliseconds(20))
                let volume = try await cloud.makeVolume("there", pool: .fast)
                cloud.absence.begin(.failing)
                try await until("it is missed") { !cloud.world.watch.isReady(.fast) }
                await #expect(throws: ServiceError.self) { try await cloud.snapshot(volume, "no") }
                cloud.absence.end()
                try await until("it is back") { cloud.world.watch.isReady(.fast) }
                try await cloud.snapshot(volume, "yes")
                try await cloud.checkInvariants()
            }
        }

        @Test("a pool that is no longer configured loses nothing")
        func notConfigured() async throws {
            try await withCloud { cloud in
                let volume = try await cloud.makeVolume("there", pool: .fast)
                try await cloud.write(0x52, blocks: 8, to: volume)
                let content = try await cloud.digest(of: volume)
                await cloud.stopRoom()
                try await cloud.startRoom(pools: [.local])
                #expect(try await cloud.cloud.listPools(cloud.call).map(\.state) == [.notConfigured, .ready])
                let view = try await cloud.cloud.volume(volume.id, in: cloud.home.id, cloud.call)
                #expect(view.failure?.message.contains("not configured") == true)
                await #expect(throws: ServiceError.self) { try await cloud.snapshot(volume, "no") }
                try await cloud.makeVolume("near")
                await cloud.stopRoom()
                try await cloud.startRoom()
                #expect(try await cloud.digest(of: volume) == content)
                try await cloud.snapshot(volume, "yes")
                try await cloud.checkInvariants()
            }
        }
    }
}

extension DeployRequest {
    /// A small machine that stays off, in the other pool.
    fileprivate static func far(_ name: String, _ template: Template) throws -> DeployRequest {
        DeployRequest(
            source: .template(template.id),
            name: try ResourceName(name),
            computeOffering: "custom",
            cpuCount: 1,
            memory: .mebibytes(64),
            network: .isolated,
            startsInstances: false,
            pool: .fast
        )
    }
}
