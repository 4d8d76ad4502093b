import GRDB
import SnapshotDomain

struct ActivityRecord: Record {
    static let table = "activity"

    let entry: ActivityEntry

    init(_ entry: ActivityEntry) {
        self.entry = entry
    }

    init(row: Row) throws {
        entry = ActivityEntry(
            id: try row.value("id"),
            environment: try row.optionalIdentifier("environment_id"),
            actor: try row.actor(),
            event: try row.value("event"),
            subjectKind: try row.value("subject_kind"),
            subjectID: try row.value("subject_id"),
            subjectName: try row.value("subject_name"),
            job: try row.optionalIdentifier("job_id"),
            status: try row.word("status"),
            message: try row.optional("message"),
            createdAt: try row.instant("created_at"),
            scheduledAt: try row.optionalInstant("scheduled_at"),
            startedAt: try row.optionalInstant("started_at")
        )
    }

    /// Without the identity, which the database gives.
    var columns: KeyValuePairs<String, (any DatabaseValueConvertible)?> {
        [
            "environment_id": entry.environment?.stored,
            "actor_user_id": entry.actor.user?.stored,
            "actor_name": entry.actor.name,
            "actor_address": entry.actor.address,
            "event": entry.event,
            "subject_kind": entry.subjectKind,
            "subject_id": entry.subjectID,
            "subject_name": entry.subjectName,
            "job_id": entry.job?.stored,
            "status": entry.status.rawValue,
            "message": entry.message,
            "created_at": entry.createdAt.stored,
            "scheduled_at": entry.scheduledAt?.stored,
            "started_at": entry.startedAt?.stored,
        ]
    }
}
