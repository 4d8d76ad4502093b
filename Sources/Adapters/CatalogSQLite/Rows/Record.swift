import GRDB
import SnapshotPorts

/// A domain value as one row of one table.
protocol Record: FetchableRecord, Sendable {
    static var table: String { get }

    /// Every column that the program writes, the identity first.
    var columns: KeyValuePairs<String, (any DatabaseValueConvertible)?> { get throws }
}

extension Record {
    static func find(_ database: Database, where condition: String, _ arguments: StatementArguments) throws -> Self? {
        let statement = try database.cachedStatement(sql: "SELECT * FROM \(table) WHERE \(condition)")
        return try fetchOne(statement, arguments: arguments)
    }

    static func list(
        _ database: Database,
        where condition: String = "true",
        _ arguments: StatementArguments = StatementArguments(),
        orderedBy order: String
    ) throws -> [Self] {
        let sql = "SELECT * FROM \(table) WHERE \(condition) ORDER BY \(order)"
        return try fetchAll(database.cachedStatement(sql: sql), arguments: arguments)
    }

    static func delete(_ database: Database, where condition: String, _ arguments: StatementArguments) throws {
        try database.cachedStatement(sql: "DELETE FROM \(table) WHERE \(condition)").execute(arguments: arguments)
    }

    func insert(into database: Database) throws {
        let columns = try columns
        let names = columns.map(\.key).joined(separator: ", ")
        let places = columns.map { _ in "?" }.joined(separator: ", ")
        try database.cachedStatement(sql: "INSERT INTO \(Self.table) (\(names)) VALUES (\(places))")
            .execute(arguments: StatementArguments(columns.map(\.value)))
    }

    /// Replaces the row of the same identity.
    ///
    /// Only what differs is written: SQLite writes the indexes of each column that a statement names, whether its value is another
    /// one or not, and every page that is written must reach the disk before a commit returns.
    ///
    /// - Throws: Code `conflict` when it is gone: what was to be recorded would be lost without a word.
    func update(in database: Database) throws {
        let columns = try columns
        guard let identity = columns.first else { return }
        let find = try database.cachedStatement(sql: "SELECT * FROM \(Self.table) WHERE \(identity.key) = ?")
        guard let known = try Row.fetchOne(find, arguments: [identity.value]) else { throw Self.gone }
        let different = columns.dropFirst().filter { name, value in
            (known[name] ?? DatabaseValue.null) != (value?.databaseValue ?? .null)
        }
        guard !different.isEmpty else { return }
        let assignments = different.map { "\($0.key) = ?" }.joined(separator: ", ")
        try database.cachedStatement(sql: "UPDATE \(Self.table) SET \(assignments) WHERE \(identity.key) = ?")
            .execute(arguments: StatementArguments(different.map(\.value) + [identity.value]))
        try Self.demandChange(in: database)
    }

    /// Throws when the last statement changed no row.
    static func demandChange(in database: Database) throws {
        guard database.changesCount > 0 else { throw gone }
    }

    private static var gone: CatalogFault {
        CatalogFault(
            .conflict,
            .notDone,
            CatalogFault.conflictMessage,
            cause: "the row to change is no longer in \(table)"
        )
    }
}
