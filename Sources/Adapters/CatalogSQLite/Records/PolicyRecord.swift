import Foundation
import GRDB
import SnapshotDomain
import SnapshotPorts

struct PolicyRecord: Record {
    static let table = "policies"

    let policy: SnapshotPolicy

    init(_ policy: SnapshotPolicy) {
        self.policy = policy
    }

    init(row: Row) throws {
        let interval = try row.word("interval", as: SnapshotPolicy.Interval.self)
        do {
            policy = try SnapshotPolicy(
                id: try row.identifier("id"),
                environment: try row.identifier("environment_id"),
                volume: try row.identifier("volume_id"),
                interval: interval,
                schedule: SnapshotPolicy.Schedule(
                    interval,
                    minute: try row.value("minute"),
                    hour: try row.optional("hour"),
                    day: try row.optional("day")
                ),
                timeZone: try row.value("time_zone"),
                kept: try row.value("kept"),
                isActive: try row.value("is_active"),
                createdAt: try row.instant("created_at")
            )
        } catch let error as ServiceError {
            throw CatalogFault(.damaged, .notDone, "The catalog holds a policy that cannot be: \(error.message)")
        }
    }

    var columns: KeyValuePairs<String, (any DatabaseValueConvertible)?> {
        [
            "id": policy.id.stored,
            "environment_id": policy.environment.stored,
            "volume_id": policy.volume.stored,
            "interval": policy.interval.rawValue,
            "minute": policy.schedule.minute,
            "hour": policy.schedule.hour,
            "day": policy.schedule.day,
            "time_zone": policy.timeZone,
            "kept": policy.kept,
            "is_active": policy.isActive,
            "created_at": policy.createdAt.stored,
        ]
    }
}
