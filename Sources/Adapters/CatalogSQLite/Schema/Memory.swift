extension CatalogSchema {
    /// The memory of a machine, saved with a group of snapshots.
    ///
    /// It has no reference to a table of groups, as there is none: a group is what its snapshots say. Nor to its environment,
    /// which may be gone before the file is.
    static let memory =
        """
        CREATE TABLE memory_images (
            id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
            environment_id BLOB NOT NULL CHECK (length(environment_id) = 16),
            instance_id BLOB NOT NULL CHECK (length(instance_id) = 16),
            size INTEGER NOT NULL CHECK (size >= 0),
            digest TEXT NOT NULL CHECK (digest <> ''),
            shape TEXT NOT NULL CHECK (json_valid(shape)),
            damage TEXT,
            created_at INTEGER NOT NULL
        ) STRICT;
        """
}
