import GRDB
package import SnapshotPorts

/// The catalog in one SQLite file.
///
/// One connection writes, a few read beside it (write-ahead log). Each has a serial queue of its own, so that a slow disk
/// holds up no thread of Swift's pool. Cancelling a task does not interrupt what it asked for: the record of how work
/// ended is most needed when the work was cancelled.
package final class SQLiteCatalog: Catalog {
    private let pool: DatabasePool

    init(pool: DatabasePool) {
        self.pool = pool
    }

    package func read<Value: Sendable>(
        _ body: @escaping @Sendable (any CatalogReader) throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            // GRDB's own async methods would turn the cancellation of the task into an error.
            pool.asyncRead { access in
                continuation.resume(
                    with: Result {
                        try translatingFaults { try body(ReadSession(database: access.get())) }
                    }
                )
            }
        }
    }

    package func write<Value: Sendable>(
        _ body: @escaping @Sendable (any CatalogWriter) throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            pool.asyncWriteWithoutTransaction { database in
                continuation.resume(with: Result { try Self.transaction(in: database, body) })
            }
        }
    }

    /// Waits for the transactions that run, then closes the file.
    ///
    /// Later calls fail with code `io`.
    package func close() async throws(CatalogFault) {
        let pool = pool
        try await offPool { try pool.close() }
    }

    private static func transaction<Value>(
        in database: Database,
        _ body: (any CatalogWriter) throws -> Value
    ) throws -> Value {
        var result: Value?
        do {
            // Immediate: a transaction that first reads and then writes could otherwise fail half-way, with another
            // process in between.
            try database.inTransaction(.immediate) {
                result = try body(WriteSession(database: database))
                return .commit
            }
        } catch let error as DatabaseError where result != nil {
            // The closure was through: this is the commit. A constraint is checked before anything is written.
            let isRefused = error.resultCode == .SQLITE_CONSTRAINT || error.resultCode == .SQLITE_ABORT
            throw CatalogFault(error, outcome: isRefused ? .notDone : .unknown)
        } catch {
            throw CatalogFault.translating(error)
        }
        guard let result else { throw CatalogFault(.io, .unknown, "The catalog ended a transaction without a result.") }
        return result
    }
}
