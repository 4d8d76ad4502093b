import CatalogSQLite
import Foundation
import SnapshotDomain
import SnapshotPorts
import Testing

@Suite("Catalog: jobs and the activity log")
struct JobAndActivityTests {
    static let phases: [Job.Phase] = [
        .queued,
        .running(since: Sample.instant + 1),
        .ended(.succeeded, at: Sample.instant + 2),
        .ended(.cancelled, at: Sample.instant + 3),
        .ended(
            .failed(
                ServiceError(
                    .wrongState,
                    "The volume is in use.",
                    subject: .volume(.random()),
                    currentState: "Busy",
                    expectedStates: ["Ready"]
                )
            ),
            at: Sample.instant + 4
        ),
    ]

    @Test("a job is read back in every phase", arguments: phases)
    func phase(_ phase: Job.Phase) async throws {
        try await withCatalog { catalog in
            var job = Sample.job(in: .random(), user: .random())
            try await catalog.write { [job] in try $0.insert(job) }
            let inserted = try await catalog.read { [job] in try $0.findJob(job.id) }
            #expect(inserted == job)
            job.phase = phase
            job.isCancelRequested = true
            job.program = Data([0, 0xFF, 0x80])
            try await catalog.write { [job] in try $0.update(job) }
            let updated = try await catalog.read { [job] in try $0.findJob(job.id) }
            #expect(updated == job)
        }
    }

    @Test("jobs keep the order in which they came, whatever the clock said")
    func order() async throws {
        try await withCatalog { catalog in
            let environment = EnvironmentID.random()
            var jobs = (0..<5).map { _ in Sample.job(in: environment) }
            for index in jobs.indices { jobs[index].createdAt = Sample.instant - Double(index) }
            jobs[1].phase = .ended(.succeeded, at: Sample.instant)
            jobs[3].phase = .running(since: Sample.instant)
            let foreign = Sample.job(in: .random())
            try await catalog.write { [jobs] (writer) throws in
                for job in jobs { try writer.insert(job) }
                try writer.insert(foreign)
            }
            try await catalog.read { [jobs] (reader) throws in
                #expect(try reader.openJobs() == [jobs[0], jobs[2], jobs[3], jobs[4], foreign])
                let page = try reader.listJobs(in: environment, page: PageRequest(offset: 1, limit: 2))
                #expect(page.rows == [jobs[3], jobs[2]])
                #expect(page.total == 5)
            }
        }
    }

    @Test("an idempotency key finds the job of its user, and is taken for that user only")
    func idempotencyKey() async throws {
        try await withCatalog { catalog in
            let (environment, user) = (EnvironmentID.random(), UserID.random())
            let personal = Sample.job(in: environment, user: user, idempotencyKey: "k")
            let service = Sample.job(in: environment, idempotencyKey: "k")
            try await catalog.write { (writer) throws in
                try writer.insert(personal)
                try writer.insert(service)
            }
            try await catalog.read { (reader) throws in
                #expect(try reader.findJob(idempotencyKey: "k", user: user) == personal)
                #expect(try reader.findJob(idempotencyKey: "k", user: nil) == service)
                #expect(try reader.findJob(idempotencyKey: "k", user: .random()) == nil)
                #expect(try reader.findJob(idempotencyKey: "K", user: user) == nil)
            }
            for taken in [user, nil] {
                await #expect(throws: CatalogFault.self) {
                    try await catalog.write {
                        try $0.insert(Sample.job(in: environment, user: taken, idempotencyKey: "k"))
                    }
                }
            }
        }
    }

    @Test("jobs that ended before an instant are forgotten, and no others")
    func deleteJobs() async throws {
        try await withCatalog { catalog in
            let environment = EnvironmentID.random()
            let phases: [Job.Phase] = [
                .queued, .running(since: .distantPast), .ended(.succeeded, at: Sample.instant - 1),
                .ended(.cancelled, at: Sample.instant),
            ]
            let jobs = phases.map { Sample.job(in: environment, phase: $0) }
            try await catalog.write { (writer) throws in
                for job in jobs { try writer.insert(job) }
                try writer.deleteJobs(endedBefore: Sample.instant)
            }
            let left = try await catalog.read { try $0.listJobs(in: environment, page: .all) }
            #expect(left.rows.map(\.id) == [jobs[3].id, jobs[1].id, jobs[0].id])
            #expect(left.total == 3)
        }
    }

    @Test("the activity log is newest first and filtered by every field")
    func activity() async throws {
        try await withCatalog { catalog in
            let (environment, user) = (EnvironmentID.random(), UserID.random())
            let entries = [
                Sample.activity(in: environment, user: user, at: Sample.instant),
                Sample.activity(in: environment, event: "volumes.create", at: Sample.instant + 2),
                Sample.activity(in: nil, user: user, status: .failed, at: Sample.instant + 1),
                Sample.activity(in: environment, user: user, status: .failed, at: Sample.instant + 2),
            ]
            try await catalog.write { (writer) throws in
                for entry in entries { try writer.append(entry) }
            }
            func list(_ filter: ActivityFilter) async throws -> [String] {
                let page = try await catalog.read { try $0.listActivity(filter, page: .all) }
                #expect(page.total == page.rows.count)
                return page.rows.map(\.subjectID)
            }
            let ids = entries.map(\.subjectID)
            #expect(try await list(ActivityFilter()) == [ids[3], ids[1], ids[2], ids[0]])
            #expect(try await list(ActivityFilter(environment: environment)) == [ids[3], ids[1], ids[0]])
            #expect(try await list(ActivityFilter(user: user)) == [ids[3], ids[2], ids[0]])
            #expect(try await list(ActivityFilter(event: "volumes.create")) == [ids[1]])
            #expect(try await list(ActivityFilter(status: .failed)) == [ids[3], ids[2]])
            #expect(try await list(ActivityFilter(environment: environment, status: .failed)) == [ids[3]])
            #expect(
                try await list(ActivityFilter(from: Sample.instant + 1, until: Sample.instant + 2)) == [ids[2]]
            )
            let first = try await catalog.read { try $0.listActivity(ActivityFilter(), page: PageRequest(limit: 1)) }
            #expect(first.rows.first?.id == 4)
            #expect(first.total == 4)
            let stored = try #require(first.rows.first)
            #expect(stored.actor == entries[3].actor)
            #expect(stored.job == entries[3].job)
            #expect(stored.message == entries[3].message)
            #expect(stored.createdAt == entries[3].createdAt)
        }
    }
}
