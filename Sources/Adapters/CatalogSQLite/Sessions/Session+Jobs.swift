import Foundation
import GRDB
import SnapshotDomain
import SnapshotPorts

extension Session {
    func findJob(_ id: JobID) throws -> Job? {
        try run { try JobRecord.find($0, where: "id = ?", [id.stored])?.job }
    }

    func findJob(idempotencyKey key: String, user: UserID?) throws -> Job? {
        try run {
            try JobRecord.find(
                $0,
                where: "idempotency_key = ? AND coalesce(actor_user_id, x'') = coalesce(?, x'')",
                [key, user?.stored]
            )?.job
        }
    }

    func openJobs() throws -> [Job] {
        try run { try JobRecord.list($0, where: "phase <> 'ended'", orderedBy: "sequence") }.map(\.job)
    }

    func listJobs(in environment: EnvironmentID, page: PageRequest) throws -> CatalogPage<Job> {
        var query = ListQuery<JobRecord>()
        query.filter(environment: environment)
        return try run { try query.page($0, orderedBy: "sequence DESC", page).map(\.job) }
    }
}

extension WriteSession {
    func insert(_ job: Job) throws {
        try run { try JobRecord(job).insert(into: $0) }
    }

    func update(_ job: Job) throws {
        try run { try JobRecord(job).update(in: $0) }
    }

    func deleteJobs(endedBefore instant: Date) throws {
        try run { try JobRecord.delete($0, where: "phase = 'ended' AND ended_at < ?", [instant.stored]) }
    }
}
