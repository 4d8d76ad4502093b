import GRDB
import SnapshotDomain
import SnapshotPorts

extension Session {
    func listActivity(_ filter: ActivityFilter, page: PageRequest) throws -> CatalogPage<ActivityEntry> {
        var query = ListQuery<ActivityRecord>()
        query.filter(environment: filter.environment)
        query.filter(states: (filter.status?.rawValue).map { [$0] }, column: "status")
        query.filter("actor_user_id = ?", filter.user?.stored)
        query.filter("event = ?", filter.event)
        query.filter("created_at >= ?", filter.from?.stored)
        query.filter("created_at < ?", filter.until?.stored)
        query.filter("id = ?", filter.id)
        query.filter("subject_id = ?", filter.subject)
        return try run { try query.page($0, orderedBy: "created_at DESC, id DESC", page).map(\.entry) }
    }
}

extension WriteSession {
    @discardableResult
    func append(_ entry: ActivityEntry) throws -> ActivityEntry.ID {
        try run { database in
            try ActivityRecord(entry).insert(into: database)
            return database.lastInsertedRowID
        }
    }
}
