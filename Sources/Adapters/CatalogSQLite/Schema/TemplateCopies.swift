extension CatalogSchema {
    /// A template can be in several pools; each copy pins its layer.
    static let templateCopies =
        """
        CREATE TABLE template_copies (
            template_id BLOB NOT NULL REFERENCES templates (id) ON DELETE CASCADE,
            pool TEXT NOT NULL,
            layer_id BLOB NOT NULL,
            PRIMARY KEY (template_id, pool),
            FOREIGN KEY (layer_id, pool) REFERENCES layers (id, pool) ON DELETE RESTRICT
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX template_copies_by_layer ON template_copies (layer_id);
        """
}
