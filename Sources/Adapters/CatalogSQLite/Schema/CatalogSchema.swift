import GRDB
import SnapshotPorts

/// The versions of the schema, and how a file is known to be a catalog.
enum CatalogSchema {
    /// `PRAGMA application_id` of every catalog: "inst" in ASCII.
    static let applicationID: Int32 = 0x696E_7374

    /// The steps from an empty file to the present schema.
    ///
    /// What has been released is never edited: a change of the schema is a new entry.
    static let migrations: [(name: String, sql: String)] = [
        ("0001_first_light", firstLight),
        ("0002_sessions", sessions),
        ("0003_people", people),
        ("0004_tags", tags),
        ("0005_group_names", "ALTER TABLE snapshots ADD COLUMN group_name TEXT"),
        ("0006_policies", policies),
        ("0007_damage", damage),
        ("0008_memory", memory),
        ("0009_destroyed", destroyed),
        ("0010_offerings", offerings),
        ("0011_template_copies", templateCopies),
    ]

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        for migration in migrations {
            migrator.registerMigration(migration.name) { database in
                try database.execute(sql: migration.sql)
            }
        }
        return migrator
    }

    /// Refuses what is not a catalog, or is one of a newer program.
    ///
    /// Marks an empty file as a catalog.
    static func check(_ database: Database) throws {
        let id = try Int32.fetchOne(database, sql: "PRAGMA application_id")
        if id == applicationID {
            guard try !migrator.hasBeenSuperseded(database) else {
                throw CatalogFault(
                    .unsupported,
                    .notDone,
                    "The catalog was written by a newer version of the program; start that version."
                )
            }
            return
        }
        let objects = try Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_schema") ?? 0
        guard id == 0, objects == 0 else {
            throw CatalogFault(.unsupported, .notDone, "The file is a database of another program, not a catalog.")
        }
        try database.execute(sql: "PRAGMA application_id = \(applicationID)")
    }
}
