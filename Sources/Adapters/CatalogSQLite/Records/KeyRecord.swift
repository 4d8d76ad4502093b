import GRDB
import SnapshotPorts

struct KeyRecord: Record {
    static let table = "api_keys"

    let key: StoredKey

    init(_ key: StoredKey) {
        self.key = key
    }

    init(row: Row) throws {
        key = StoredKey(
            digest: try row.value("digest"),
            kind: try row.word("kind"),
            user: try row.identifier("user_id"),
            environment: try row.optionalIdentifier("environment_id"),
            secret: try row.optional("secret"),
            text: try row.optional("text"),
            label: try row.value("label"),
            hint: try row.value("hint"),
            createdAt: try row.instant("created_at"),
            lastUsedAt: try row.optionalInstant("last_used_at")
        )
    }

    var columns: KeyValuePairs<String, (any DatabaseValueConvertible)?> {
        [
            "digest": key.digest,
            "kind": key.kind.rawValue,
            "user_id": key.user.stored,
            "environment_id": key.environment?.stored,
            "secret": key.secret,
            "text": key.text,
            "label": key.label,
            "hint": key.hint,
            "created_at": key.createdAt.stored,
            "last_used_at": key.lastUsedAt?.stored,
        ]
    }
}
