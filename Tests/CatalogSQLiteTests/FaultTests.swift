import Foundation
import GRDB
import SnapshotDomain
import SnapshotPorts
import Testing

@testable import CatalogSQLite

@Suite("Catalog: faults")
struct FaultTests {
    @Test("a full disk is told from other faults, undoes the transaction, and is over when there is room")
    func fullDisk() async throws {
        try await withCatalogPath { path in
            let pool = try SQLiteCatalog.openPool(at: path)
            let catalog = SQLiteCatalog(pool: pool)
            let pages = try await pool.write { try Int.fetchOne($0, sql: "PRAGMA page_count") ?? 0 }
            try await pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA max_page_count = \(pages + 20)") }
            let small = try Sample.environment("small")
            var large = try Sample.environment("large")
            large.description = String(repeating: "x", count: 1 << 20)
            let fault = await #expect(throws: CatalogFault.self) {
                try await catalog.write { [large] writer in
                    try writer.insert(small)
                    // Whoever goes on after a fault that ended the transaction must not write half of it.
                    try? writer.insert(large)
                    try writer.insert(try Sample.environment("after"))
                }
            }
            #expect(fault?.outcome == .notDone)
            let left = try await catalog.read { try $0.listEnvironments() }
            #expect(left.isEmpty)
            let plain = await #expect(throws: CatalogFault.self) {
                try await catalog.write { [large] in try $0.insert(large) }
            }
            #expect(plain?.code == .noSpace)
            #expect(plain?.outcome == .notDone)
            try await pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA max_page_count = 1073741823") }
            try await catalog.write { [large] in try $0.insert(large) }
            try await catalog.close()
        }
    }

    @Test("each of SQLite's errors has its code")
    func codes() {
        let codes: [(ResultCode, CatalogFault.Code)] = [
            (.SQLITE_CONSTRAINT_UNIQUE, .conflict), (.SQLITE_CONSTRAINT_PRIMARYKEY, .conflict),
            (.SQLITE_CONSTRAINT_FOREIGNKEY, .conflict), (.SQLITE_CONSTRAINT_TRIGGER, .conflict),
            (.SQLITE_CONSTRAINT_CHECK, .refused), (.SQLITE_CONSTRAINT_NOTNULL, .refused),
            (.SQLITE_FULL, .noSpace), (.SQLITE_CORRUPT, .damaged),
            (.SQLITE_NOTADB, .damaged), (.SQLITE_IOERR_FSYNC, .io), (.SQLITE_BUSY, .io), (.SQLITE_READONLY, .io),
        ]
        for (result, code) in codes {
            let fault = CatalogFault(DatabaseError(resultCode: result, message: "why"), outcome: .unknown)
            #expect(fault.code == code)
            #expect(fault.outcome == .unknown)
        }
    }

    @Test("a commit that fails half-way leaves an unknown outcome")
    func failedCommit() async throws {
        try await withCatalogPath { path in
            let pool = try SQLiteCatalog.openPool(at: path)
            let catalog = SQLiteCatalog(pool: pool)
            let observer = RefusingCommits()
            pool.add(transactionObserver: observer, extent: .databaseLifetime)
            let environment = try Sample.environment()
            let fault = await #expect(throws: CatalogFault.self) {
                try await catalog.write { try $0.insert(environment) }
            }
            #expect(fault?.code == .io)
            #expect(fault?.outcome == .unknown)
            try await catalog.close()
        }
    }
}

/// Stands in for a disk that fails while a commit is written.
private final class RefusingCommits: TransactionObserver {
    func observes(eventsOfKind eventKind: DatabaseEventKind) -> Bool { true }
    func databaseDidChange(with event: DatabaseEvent) {}
    func databaseWillCommit() throws { throw DatabaseError(resultCode: .SQLITE_IOERR_FSYNC, message: "the disk") }
    func databaseDidCommit(_ db: Database) {}
    func databaseDidRollback(_ db: Database) {}
}
