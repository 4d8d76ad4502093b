import GRDB
import SnapshotPorts

/// One transaction, as the port's closures see it.
protocol Session {
    var database: Database { get }
}

extension Session {
    /// Runs statements, and throws their errors as ``CatalogFault``.
    func run<Value>(_ body: (Database) throws -> Value) throws -> Value {
        try translatingFaults { try body(database) }
    }
}

struct ReadSession: Session, CatalogReader {
    let database: Database
}

struct WriteSession: Session, CatalogWriter {
    let database: Database
}
