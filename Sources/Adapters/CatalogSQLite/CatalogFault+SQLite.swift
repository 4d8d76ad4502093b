import Foundation
import GRDB
import Platform
import SnapshotPorts

extension CatalogFault {
    /// What SQLite's error means for the caller.
    ///
    /// Names the constraint or the file, never a stored value.
    init(_ error: DatabaseError, outcome: FaultOutcome = .notDone) {
        let reason = error.message ?? "error \(error.extendedResultCode.rawValue)"
        switch error.resultCode {
        case .SQLITE_CONSTRAINT:
            self.init(refusal: error.extendedResultCode, reason, outcome)
        case .SQLITE_FULL:
            self.init(.noSpace, outcome, "The disk of the catalog is full; make room on it.")
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            self.init(.damaged, outcome, "The catalog is damaged or not a catalog: \(reason).")
        default:
            self.init(.io, outcome, "The catalog cannot be read or written: \(reason).")
        }
    }

    /// What a constraint that refuses a change means: rows that another change came first with, or a mistake of ours.
    private init(refusal code: ResultCode, _ reason: String, _ outcome: FaultOutcome) {
        switch code {
        case .SQLITE_CONSTRAINT_UNIQUE where reason.hasSuffix(".name"):
            self.init(.nameTaken, outcome, "The name is taken; choose another one.", cause: reason)
        // A reference that restricts is a trigger to SQLite; no other trigger of ours refuses anything.
        case .SQLITE_CONSTRAINT_FOREIGNKEY, .SQLITE_CONSTRAINT_TRIGGER, .SQLITE_CONSTRAINT_UNIQUE,
            .SQLITE_CONSTRAINT_PRIMARYKEY:
            self.init(.conflict, outcome, Self.conflictMessage, cause: reason)
        default:
            self.init(
                .refused,
                outcome,
                "The catalog refuses the change; the service's log has the details.",
                cause: reason
            )
        }
    }

    /// What to do when another change came first.
    static let conflictMessage = "What this refers to changed in the meantime; look at it again, and try once more."

    /// The same error, unless it is one of SQLite's or of a row that cannot be read.
    static func translating(_ error: any Error) -> any Error {
        switch error {
        case let error as DatabaseError: CatalogFault(error)
        case let error as RowDecodingError:
            CatalogFault(.damaged, .notDone, "A row of the catalog cannot be read: \(error).")
        default: error
        }
    }

    /// The error as a fault, whatever it was.
    static func reporting(_ error: any Error) -> CatalogFault {
        switch translating(error) {
        case let fault as CatalogFault: fault
        case let fault as PlatformFault:
            CatalogFault(fault.code == .noSpace ? .noSpace : .io, .notDone, "The catalog: \(fault.message).")
        case let error: CatalogFault(.io, .notDone, "The catalog: \(error).")
        }
    }
}

/// Runs a piece of work and throws its errors in the words of the port.
func translatingFaults<Value>(_ body: () throws -> Value) throws -> Value {
    do {
        return try body()
    } catch {
        throw CatalogFault.translating(error)
    }
}
