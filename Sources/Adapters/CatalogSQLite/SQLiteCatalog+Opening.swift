import Dispatch
import Foundation
import GRDB
import Platform
package import SnapshotPorts

extension SQLiteCatalog {
    /// Opens the catalog at `path`, makes it when there is nothing, and brings an older one up to date.
    ///
    /// The file can be read and written by its owner only: it holds the secrets of query keys.
    ///
    /// - Throws: Code `damaged` when the file is no database, `unsupported` when it is another program's or a newer
    ///   one's. Neither is changed.
    package static func open(at path: String) async throws(CatalogFault) -> SQLiteCatalog {
        try await offPool { SQLiteCatalog(pool: try openPool(at: path)) }
    }

    static func openPool(at path: String) throws -> DatabasePool {
        do {
            // Made here and not by SQLite, for its mode and for a name that survives a power loss.
            try DurableFile.createExclusive(path, with: Data(), mode: 0o600)
        } catch  where error.code == .exists {
            // It is opened below.
        }
        // The pool closes its connections when it goes out of scope.
        let pool = try DatabasePool(path: path, configuration: configuration())
        try prepareWriter(of: pool)
        try CatalogSchema.migrator.migrate(pool)
        return pool
    }

    private static func configuration() -> Configuration {
        var configuration = Configuration()
        configuration.label = "catalog"
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(5)
        // Each reader has a page cache of its own.
        configuration.maximumReaderCount = 3
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA cache_size = -2048")
            // For lists of so few rows that a column for it would not pay.
            database.add(function: searchableName)
            // Before the pool turns on the write-ahead log, which would change a stranger's file.
            if !database.configuration.readonly { try CatalogSchema.check(database) }
        }
        return configuration
    }

    private static func prepareWriter(of pool: DatabasePool) throws {
        try pool.writeWithoutTransaction { database in
            // The pool chose NORMAL, with which a power loss can take the last transactions.
            try database.execute(sql: "PRAGMA synchronous = FULL")
            try database.execute(sql: "PRAGMA journal_size_limit = 16777216")
            try demand("journal_mode", "wal", in: database)
            try demand("synchronous", 2, in: database)
            try demand("foreign_keys", 1, in: database)
        }
    }

    /// Throws unless a setting took: a library built without a feature ignores the pragma that asks for it.
    private static func demand<Value: DatabaseValueConvertible & Equatable>(
        _ pragma: String,
        _ wanted: Value,
        in database: Database
    ) throws {
        guard try Value.fetchOne(database, sql: "PRAGMA \(pragma)") == wanted else {
            let message = "SQLite of this machine does not do \(pragma) = \(wanted), which the catalog needs."
            throw CatalogFault(.unsupported, .notDone, message)
        }
    }
}

/// Runs work that blocks for as long as a disk does, away from Swift's pool.
///
/// On a queue of its own and not a `BlockingPool`, which would refuse a cancelled task: those have catalogs to close, too.
func offPool<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws(CatalogFault) -> Value {
    let result = await withCheckedContinuation { continuation in
        DispatchQueue(label: "catalog.opening").async { continuation.resume(returning: Result(catching: body)) }
    }
    do {
        return try result.get()
    } catch {
        throw CatalogFault.reporting(error)
    }
}
