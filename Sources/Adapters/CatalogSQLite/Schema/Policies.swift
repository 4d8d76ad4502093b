extension CatalogSchema {
    /// When snapshots shall be taken by themselves: a volume's policies go with it.
    static let policies =
        """
        CREATE TABLE policies (
            id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
            environment_id BLOB NOT NULL CHECK (length(environment_id) = 16),
            volume_id BLOB NOT NULL REFERENCES volumes (id) ON DELETE CASCADE,
            interval TEXT NOT NULL CHECK (interval IN ('hourly', 'daily', 'weekly', 'monthly')),
            minute INTEGER NOT NULL CHECK (minute BETWEEN 0 AND 59),
            hour INTEGER CHECK (hour BETWEEN 0 AND 23),
            day INTEGER CHECK (day BETWEEN 1 AND 28),
            time_zone TEXT NOT NULL CHECK (time_zone <> ''),
            kept INTEGER NOT NULL CHECK (kept > 0),
            is_active INTEGER NOT NULL CHECK (is_active IN (0, 1)),
            created_at INTEGER NOT NULL,
            CHECK ((interval = 'hourly') = (hour IS NULL)),
            CHECK ((interval IN ('hourly', 'daily')) = (day IS NULL)),
            UNIQUE (volume_id, interval)
        ) STRICT;
        """
}
