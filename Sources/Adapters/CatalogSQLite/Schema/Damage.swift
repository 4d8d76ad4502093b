extension CatalogSchema {
    /// A snapshot says that its content was found to be damaged, until it is found whole again.
    static let damage =
        """
        ALTER TABLE snapshots ADD COLUMN damage TEXT;
        ALTER TABLE snapshots ADD COLUMN damage_found_at INTEGER
            CHECK ((damage_found_at IS NULL) = (damage IS NULL));
        CREATE INDEX snapshots_damaged ON snapshots (damage_found_at) WHERE damage_found_at IS NOT NULL;
        """
}
