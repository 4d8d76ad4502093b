extension CatalogSchema {
    /// People can be shut out, and keys told apart.
    static let people =
        """
        ALTER TABLE users ADD COLUMN is_disabled INTEGER NOT NULL DEFAULT 0 CHECK (is_disabled IN (0, 1));
        ALTER TABLE api_keys ADD COLUMN label TEXT NOT NULL DEFAULT '';
        ALTER TABLE api_keys ADD COLUMN hint TEXT NOT NULL DEFAULT '';
        ALTER TABLE api_keys ADD COLUMN last_used_at INTEGER;
        """
}
