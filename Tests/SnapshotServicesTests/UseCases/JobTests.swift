import Foundation
import SnapshotDomain
import SnapshotPorts
import TestKit
import Testing

@testable import SnapshotServices

extension CloudTests {
    @Suite("jobs")
    struct Jobs {
        @Test("a retry with the same key joins the first call's job, while it runs and when it has ended")
        func idempotency() async throws {
            try await withCloud { cloud in
                let volume = try await cloud.makeVolume("disk")
                var call = cloud.call
                call.idempotencyKey = "once"
                let request = TakeSnapshotRequest(target: .volume(volume.id))
                let first = try await cloud.cloud.takeSnapshots(request, in: cloud.home.id, call)
                let second = try await cloud.cloud.takeSnapshots(request, in: cloud.home.id, call)
                try await cloud.done(first.job)
                let third = try await cloud.cloud.takeSnapshots(request, in: cloud.home.id, call)
                #expect(first.job == second.job && second.job == third.job)
                #expect(third.resource.map(\.snapshot.id) == first.resource.map(\.snapshot.id))
                #expect(
                    try await cloud.cloud.listSnapshots(
                        SnapshotFilter(environment: cloud.home.id),
                        order: .byName,
                        page: .all,
                        cloud.call
                    ).total == 1
                )
                call.idempotencyKey = "twice"
                #expect(try await cloud.cloud.takeSnapshots(request, in: cloud.home.id, call).job != first.job)
                try await cloud.checkInvariants()
            }
        }

        @Test("keys belong to their users")
        func keysOfOthers() async throws {
            try await withCloud { cloud in
                let volume = try await cloud.makeVolume("disk")
                func call(_ name: String) -> CallContext {
                    let user = User(id: .random(), name: name, isOperator: true, createdAt: cloud.time.now)
                    return CallContext(
                        principal: Principal(user: user, roles: [:]),
                        requestID: name,
                        idempotencyKey: "same"
                    )
                }
                let request = TakeSnapshotRequest(target: .volume(volume.id))
                let ana = try await cloud.cloud.takeSnapshots(request, in: cloud.home.id, call("ana"))
                let bo = try await cloud.cloud.takeSnapshots(request, in: cloud.home.id, call("bo"))
                #expect(ana.job != bo.job)
                for job in [ana.job, bo.job] { try await cloud.done(job) }
                try await cloud.checkInvariants()
            }
        }

        @Test("a waiting job that is cancelled leaves nothing, and those behind it go on")
        func cancelWaiting() async throws {
            try await withCloud { cloud in
                let volume = try await cloud.makeVolume("disk")
                let gate = Gate()
                cloud.faults.hold("store.createLayer.on", at: gate)
                let first = try await cloud.take(volume, "first")
                await gate.reached()
                let second = try await cloud.take(volume, "second")
                let third = try await cloud.take(volume, "third")
                #expect(try await cloud.cloud.task(third.job, cloud.call).queuePosition == 2)
                _ = try await cloud.cloud.cancelTask(second.job, cloud.call)
                let cancelled = try await cloud.end(of: second.job)
                #expect(cancelled.status == .cancelled)
                gate.open()
                try await cloud.done(first.job)
                try await cloud.done(third.job)
                let id = try #require(second.resource.first).snapshot.id
                #expect(try await cloud.catalog.read { try $0.findSnapshot(id) } == nil)
                try await cloud.checkInvariants()
            }
        }

        @Test(
            "a running job that is cancelled takes back what it did",
            arguments: ["store.prepareSwitch", "store.finishSwitch", "store.findLayer"]
        )
        func cancelRunning(_ call: String) async throws {
            try await withCloud { cloud in
                let instance = try await cloud.deploy(starts: true)
                let volume = try await cloud.root(of: instance)
                let gate = Gate()
                cloud.faults.hold(call, at: gate)
                let submitted = try await cloud.take(volume, "unwanted")
                await gate.reached()
                _ = try await cloud.cloud.cancelTask(submitted.job, cloud.call)
                gate.open()
                let view = try await cloud.end(of: submitted.job)
                #expect(view.status == .cancelled)
                try await cloud.checkInvariants()
                let ended = await #expect(throws: ServiceError.self) {
                    try await cloud.cloud.cancelTask(submitted.job, cloud.call)
                }
                #expect(ended?.code == .wrongState)
                try await cloud.snapshot(volume, "wanted")
                try await cloud.checkInvariants()
            }
        }

        @Test("a deletion that is past the point of return succeeds, whoever cancels it")
        func cancelTooLate() async throws {
            try await withCloud { cloud in
                let volume = try await cloud.makeVolume("disk")
                let snapshot = try await cloud.snapshot(volume)
                let gate = Gate()
                cloud.faults.hold("catalog.write", after: 1, at: gate)
                let job = try await cloud.cloud.deleteSnapshot(snapshot.id, in: cloud.home.id, cloud.call)
                await gate.reached()
                _ = try await cloud.cloud.cancelTask(job, cloud.call)
                gate.open()
                try await cloud.done(job)
                #expect(try await cloud.catalog.read { try $0.findSnapshot(snapshot.id) } == nil)
                try await cloud.checkInvariants()
            }
        }

        @Test("who looks at a snapshot hears of its verification, which changes nothing else", .timeLimit(.minutes(1)))
        func eventOfReading() async throws {
            try await withCloud { cloud in
                let snapshot = try await cloud.snapshot(try await cloud.makeVolume("disk"), "base")
                let events = cloud.world.feed.listen()
                let submitted = try await cloud.cloud.verifySnapshot(snapshot.id, in: cloud.home.id, cloud.call)
                try await cloud.done(submitted.job)
                // When it begins, and when its result is there. The end of the job before may still be told, too.
                let heard = events.filter { $0.subject == .snapshot(snapshot.id) }.prefix(2)
                #expect(await heard.reduce(into: 0) { count, _ in count += 1 } == 2)
                let row = try await cloud.catalog.read { try $0.findSnapshot(snapshot.id) }
                #expect(row?.verification != nil)
            }
        }

        @Test("what only reads a thing shows on it, and is no change of its state")
        func reading() async throws {
            try await withCloud { cloud in
                let volume = try await cloud.makeVolume("disk")
                let snapshot = try await cloud.snapshot(volume, "base")
                let gate = Gate()
                cloud.faults.hold("store.digest", at: gate)
                let submitted = try await cloud.cloud.verifySnapshot(snapshot.id, in: cloud.home.id, cloud.call)
                await gate.reached()
                let seen = try await cloud.cloud.snapshot(snapshot.id, in: cloud.home.id, cloud.call)
                #expect(seen.activity.job == submitted.job)
                #expect(seen.activity.kind == .verifySnapshot)
                #expect(seen.activity.onlyReads)
                #expect(seen.activity.changingKind == nil)
                #expect(seen.shownState == .completed)
                gate.open()
                try await cloud.done(submitted.job)
                let after = try await cloud.cloud.snapshot(snapshot.id, in: cloud.home.id, cloud.call)
                #expect(after.activity == .idle)
            }
        }

        @Test("each job leaves a line in the log with who asked and how it ended")
        func activity() async throws {
            try await withCloud { cloud in
                let volume = try await cloud.makeVolume("disk")
                let snapshot = try await cloud.snapshot(volume, "seen")
                try await cloud.delete(snapshot)
                let log = try await cloud.cloud.listActivity(
                    ActivityFilter(environment: cloud.home.id),
                    page: .all,
                    cloud.call
                ).rows
                #expect(log.map(\.event).prefix(2) == ["snapshots.delete", "snapshots.create"])
                #expect(log.prefix(2).allSatisfy { $0.status == .succeeded && $0.subjectName == "seen" })
                #expect(log.allSatisfy { $0.actor.name == Principal.service.user.name })
            }
        }

        @Test("those who wait for a task get its end, or its present state after the limit")
        func awaiting() async throws {
            try await withCloud { cloud in
                let volume = try await cloud.makeVolume("disk")
                let gate = Gate()
                cloud.faults.hold("store.createLayer.on", at: gate)
                let submitted = try await cloud.take(volume, "slow")
                await gate.reached()
                let early = try await cloud.cloud.awaitTask(submitted.job, atMost: .milliseconds(1), cloud.call)
                #expect(early.status == .running)
                let view = try await cloud.cloud.volume(volume.id, in: cloud.home.id, cloud.call)
                #expect(view.activity.kind == .createSnapshots)
                gate.open()
                try await cloud.done(submitted.job)
                #expect(try await cloud.cloud.volume(volume.id, in: cloud.home.id, cloud.call).activity == .idle)
            }
        }
    }
}

extension TestCloud {
    /// Asks for a snapshot and does not wait.
    func take(_ volume: Volume, _ name: String) async throws -> Submitted<[SnapshotView]> {
        try await cloud.takeSnapshots(
            TakeSnapshotRequest(target: .volume(volume.id), name: try ResourceName(name)),
            in: volume.environment,
            call
        )
    }
}
