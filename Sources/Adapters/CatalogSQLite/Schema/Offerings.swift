extension CatalogSchema {
    /// What can be chosen, as operators have it; job times in the log; and the names of query keys.
    static let offerings =
        """
        -- In the order of their `rowid`. None is ever deleted: what was made of one keeps its name.
        CREATE TABLE compute_offerings (
            id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
            name TEXT NOT NULL CHECK (name <> ''),
            description TEXT NOT NULL,
            cpu_count INTEGER CHECK (cpu_count > 0),
            memory INTEGER CHECK (memory > 0),
            is_retired INTEGER NOT NULL CHECK (is_retired IN (0, 1)),
            CHECK ((cpu_count IS NULL) = (memory IS NULL))
        ) STRICT;
        INSERT INTO compute_offerings VALUES
            ('tiny', '1 vCPU, 256 MiB', '', 1, 268435456, 0),
            ('small', '1 vCPU, 1 GiB', '', 1, 1073741824, 0),
            ('medium', '2 vCPU, 4 GiB', '', 2, 4294967296, 0),
            ('large', '4 vCPU, 8 GiB', '', 4, 8589934592, 0),
            ('custom', 'Custom', '', NULL, NULL, 0);

        CREATE TABLE disk_offerings (
            id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
            name TEXT NOT NULL CHECK (name <> ''),
            description TEXT NOT NULL,
            size INTEGER CHECK (size > 0),
            is_retired INTEGER NOT NULL CHECK (is_retired IN (0, 1))
        ) STRICT;
        INSERT INTO disk_offerings VALUES
            ('disk-1', '1 GiB', '', 1073741824, 0),
            ('disk-10', '10 GiB', '', 10737418240, 0),
            ('disk-100', '100 GiB', '', 107374182400, 0),
            ('custom', 'Custom size', '', NULL, 0);

        ALTER TABLE activity ADD COLUMN scheduled_at INTEGER;
        ALTER TABLE activity ADD COLUMN started_at INTEGER;
        ALTER TABLE api_keys ADD COLUMN text TEXT CHECK (text IS NULL OR kind = 'query');
        """
}
