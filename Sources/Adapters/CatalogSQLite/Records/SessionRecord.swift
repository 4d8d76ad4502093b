import GRDB
import SnapshotPorts

/// Somebody who is signed in, as a row.
struct SessionRecord: Record {
    static let table = "sessions"

    let session: StoredSession

    init(_ session: StoredSession) {
        self.session = session
    }

    init(row: Row) throws {
        session = StoredSession(
            digest: try row.value("digest"),
            user: try row.identifier("user_id"),
            createdAt: try row.instant("created_at"),
            expiresAt: try row.instant("expires_at")
        )
    }

    var columns: KeyValuePairs<String, (any DatabaseValueConvertible)?> {
        [
            "digest": session.digest,
            "user_id": session.user.stored,
            "created_at": session.createdAt.stored,
            "expires_at": session.expiresAt.stored,
        ]
    }
}
