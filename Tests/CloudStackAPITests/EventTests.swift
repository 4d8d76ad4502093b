import Foundation
import SnapshotDomain
import SnapshotPorts
import SnapshotServices
import TestKit
import Testing

@testable import CloudStackAPI

@Suite("events of the query API")
struct EventTests {
    /// A cloud whose log and open jobs are given.
    private struct Log: StubCloud {
        var environments: [Environment] { Sample.environments }
        var lines: [ActivityEntry] = []
        var open: [TaskView] = []

        func listActivity(_ filter: ActivityFilter, page: PageRequest, _ call: CallContext)
            async throws(ServiceError) -> CatalogPage<ActivityEntry>
        {
            let found = lines.filter { line in
                (filter.event == nil || filter.event == line.event)
                    && (filter.status == nil || filter.status == line.status)
                    && (filter.subject == nil || filter.subject == line.subjectID)
                    && (filter.from.map { line.createdAt >= $0 } ?? true)
            }
            return CatalogPage(rows: Array(found.dropFirst(page.offset).prefix(page.limit)), total: found.count)
        }

        func overview(of environment: EnvironmentID, _ call: CallContext)
            async throws(ServiceError) -> EnvironmentOverview
        {
            EnvironmentOverview(census: Census(), openTasks: open, pools: [])
        }
    }

    private static func line(
        _ id: Int64,
        _ event: String,
        job: JobID? = nil,
        status: ActivityEntry.Status = .succeeded,
        at seconds: TimeInterval,
        started: Bool = true
    ) -> ActivityEntry {
        let ended = Sample.instant.addingTimeInterval(seconds)
        return ActivityEntry(
            id: id,
            environment: Sample.production.id,
            actor: Sample.principal.actor,
            event: event,
            subjectKind: "volumes",
            subjectID: "v\(id)",
            subjectName: "data",
            job: job,
            status: status,
            message: status == .failed ? "No room." : nil,
            createdAt: ended,
            scheduledAt: job.map { _ in ended.addingTimeInterval(-20) },
            startedAt: job.flatMap { _ in started ? ended.addingTimeInterval(-10) : nil }
        )
    }

    private func events(_ log: Log, _ parameters: [String: String] = [:]) async throws -> [[String: Any]] {
        let answer = try await TestAPI(log).ask("listEvents", parameters)
        return answer.body.isEmpty ? [] : try answer.list("event")
    }

    private func states(_ log: Log, _ parameters: [String: String] = [:]) async throws -> [String] {
        try await events(log, parameters).map { event in
            "\(event["type"] as? String ?? "") \(event["state"] as? String ?? "") \(event["level"] as? String ?? "")"
        }
    }

    @Test("a job has three events that belong together, newest first among those of others; what needs no job has one")
    func stages() async throws {
        let log = Log(lines: [
            Self.line(3, "volumes.resize", job: Sample.id(71), status: .failed, at: 25),
            Self.line(2, "tags.create", at: 20), Self.line(1, "volumes.create", job: Sample.id(70), at: 12),
        ])
        #expect(
            try await states(log) == [
                "VOLUME.RESIZE Completed ERROR", "CREATE_TAGS Completed INFO", "VOLUME.RESIZE Started INFO",
                "VOLUME.CREATE Completed INFO", "VOLUME.RESIZE Scheduled INFO", "VOLUME.CREATE Started INFO",
                "VOLUME.CREATE Scheduled INFO",
            ]
        )
        let created = try await events(log, ["type": "volume.create"])
        let parents = created.map { $0["parentid"] as? String }
        let first = try #require(created.last?["id"] as? String)
        #expect(parents == [first, first, nil])
        #expect(Set(created.compactMap { $0["id"] as? String }).count == 3)
        #expect(try await events(log, ["startid": first]).count == 3)
        #expect(try await states(log, ["level": "error"]) == ["VOLUME.RESIZE Completed ERROR"])
        #expect(try await states(log, ["state": "started", "resourceid": "v1"]) == ["VOLUME.CREATE Started INFO"])
        let text = try await events(log, ["level": "ERROR"]).first?["description"] as? String
        #expect(text?.hasSuffix("No room.") == true)
        var pages: [String] = []
        for page in 1...4 { pages += try await states(log, ["page": "\(page)", "pagesize": "2"]) }
        let all = try await states(log)
        #expect(pages == all)
    }

    @Test("what goes on shows how far it is, and what never ran did not start")
    func open() async throws {
        let waiting = Sample.task(.createVolume, .queued, subjects: [.volume(Sample.id(20))])
        var running = Sample.task(.createVolume, .running, subjects: [.volume(Sample.id(20))])
        running.job.phase = .running(since: Sample.instant)
        #expect(try await states(Log(open: [waiting])) == ["VOLUME.CREATE Scheduled INFO"])
        #expect(
            try await states(Log(open: [running])) == ["VOLUME.CREATE Started INFO", "VOLUME.CREATE Scheduled INFO"]
        )
        let withdrawn = Self.line(1, "volumes.create", job: Sample.id(70), status: .cancelled, at: 1, started: false)
        #expect(
            try await states(Log(lines: [withdrawn])) == [
                "VOLUME.CREATE Completed INFO", "VOLUME.CREATE Scheduled INFO",
            ]
        )
    }

    @Test("several things that one job makes share its beginning")
    func shared() async throws {
        let lines = (1...3).map { Self.line(Int64($0), "instances.create", job: Sample.id(70), at: 5) }
        let found = try await states(Log(lines: lines))
        #expect(found.filter { $0.contains("Completed") }.count == 3)
        #expect(found.count == 5)
    }
}
