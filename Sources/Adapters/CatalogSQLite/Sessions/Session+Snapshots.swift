import Foundation
import GRDB
import SnapshotDomain
import SnapshotPorts

extension Session {
    func findSnapshot(_ id: SnapshotID) throws -> Snapshot? {
        try run { try SnapshotRecord.find($0, where: "id = ?", [id.stored])?.snapshot }
    }

    func findSnapshot(named name: ResourceName, in environment: EnvironmentID) throws -> Snapshot? {
        try run {
            try SnapshotRecord
                .find($0, where: "environment_id = ? AND name = ?", [environment.stored, name.description])?.snapshot
        }
    }

    func listSnapshots(_ filter: SnapshotFilter, order: ListOrder, page: PageRequest) throws -> CatalogPage<Snapshot> {
        let isNarrow = filter.volume != nil || filter.instance != nil || filter.group != nil
        var query = ListQuery<SnapshotRecord>()
        query.filter(environment: filter.environment, isSelective: !isNarrow)
        query.filter(states: filter.states?.map(\.rawValue).sorted())
        query.filter("source_volume_id = ?", filter.volume?.stored)
        query.filter("source_instance_id = ?", filter.instance?.stored)
        query.filter("group_id = ?", filter.group?.stored)
        query.filter("(group_id IS NOT NULL) = ?", filter.isGrouped)
        query.filter(text: filter.text)
        query.filter(ids: filter.ids?.sorted().map(\.stored))
        query.filter("name = ?", filter.name?.description)
        query.filter(tags: filter.tags)
        return try run { try query.page($0, orderedBy: order.sql(), page).map(\.snapshot) }
    }

    func expiredUndoSnapshots(at instant: Date) throws -> [Snapshot] {
        try run {
            try SnapshotRecord.list(
                $0,
                where: "undo_expires_at <= ? AND job_id IS NULL",
                [instant.stored],
                orderedBy: "undo_expires_at, id"
            )
        }.map(\.snapshot)
    }

    func damagedSnapshotCount() throws -> Int {
        try run { database in
            let sql = "SELECT count(*) FROM snapshots WHERE damage_found_at IS NOT NULL"
            return try Int.fetchOne(database.cachedStatement(sql: sql)) ?? 0
        }
    }

    func undoSnapshot(of volume: VolumeID) throws -> Snapshot? {
        try run {
            // Of two at one reading of the clock, the one that was inserted last.
            try SnapshotRecord
                .find($0, where: "undo_volume_id = ? ORDER BY created_at DESC, rowid DESC LIMIT 1", [volume.stored])?
                .snapshot
        }
    }
}

extension WriteSession {
    func insert(_ snapshot: Snapshot) throws {
        try run { try SnapshotRecord(snapshot).insert(into: $0) }
    }

    func update(_ snapshot: Snapshot) throws {
        try run { try SnapshotRecord(snapshot).update(in: $0) }
    }

    func deleteSnapshot(_ id: SnapshotID) throws {
        try run { try SnapshotRecord.delete($0, where: "id = ?", [id.stored]) }
    }
}
