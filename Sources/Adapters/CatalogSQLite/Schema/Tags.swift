extension CatalogSchema {
    /// Tags, and the memory of what was deleted.
    static let tags =
        """
        CREATE TABLE tags (
            resource_id BLOB NOT NULL CHECK (length(resource_id) = 16),
            key TEXT NOT NULL CHECK (key <> ''),
            value TEXT NOT NULL,
            kind TEXT NOT NULL CHECK (kind IN ('volume', 'snapshot', 'snapshot_group', 'template', 'instance')),
            environment_id BLOB NOT NULL CHECK (length(environment_id) = 16),
            PRIMARY KEY (resource_id, key)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX tags_by_environment ON tags (environment_id, resource_id, key);

        -- A client that asks for what it deleted is told that it is gone, and one that asks for what never was, that it made
        -- a mistake. So a deleted row leaves its identity behind.
        CREATE TABLE retired (
            id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
            kind TEXT NOT NULL CHECK (kind IN ('volume', 'snapshot', 'snapshot_group', 'template', 'instance')),
            environment_id BLOB NOT NULL CHECK (length(environment_id) = 16)
        ) STRICT, WITHOUT ROWID;

        """
        + retirement(of: "volumes", "volume")
        + retirement(of: "snapshots", "snapshot")
        + retirement(of: "templates", "template")
        + retirement(of: "instances", "instance")
            + """
            CREATE TRIGGER snapshot_groups_retire AFTER DELETE ON snapshots
            WHEN OLD.group_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM snapshots WHERE group_id = OLD.group_id) BEGIN
                INSERT OR IGNORE INTO retired VALUES (OLD.group_id, 'snapshot_group', OLD.environment_id);
                DELETE FROM tags WHERE resource_id = OLD.group_id;
            END;
            CREATE TRIGGER environments_forget AFTER DELETE ON environments BEGIN
                DELETE FROM retired WHERE environment_id = OLD.id;
            END;
            """

    private static func retirement(of table: String, _ kind: String) -> String {
        """
        CREATE TRIGGER \(table)_retire AFTER DELETE ON \(table) BEGIN
            INSERT OR IGNORE INTO retired VALUES (OLD.id, '\(kind)', OLD.environment_id);
            DELETE FROM tags WHERE resource_id = OLD.id;
        END;

        """
    }
}
