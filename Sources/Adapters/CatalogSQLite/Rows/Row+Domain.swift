import Foundation
import GRDB
import SnapshotDomain
import SnapshotPorts

/// Reading columns as values of the domain. What is not such a value is damage, which throws and never traps.
extension Row {
    func value<Value: DatabaseValueConvertible & StatementColumnConvertible>(
        _ column: String,
        as type: Value.Type = Value.self
    ) throws -> Value {
        try decode(Value.self, forColumn: column)
    }

    func optional<Value: DatabaseValueConvertible & StatementColumnConvertible>(
        _ column: String,
        as type: Value.Type = Value.self
    ) throws -> Value? {
        try decode(Value?.self, forColumn: column)
    }

    func identifier<Subject>(_ column: String) throws -> Identifier<Subject> {
        Identifier(try value(column, as: UUID.self))
    }

    func optionalIdentifier<Subject>(_ column: String) throws -> Identifier<Subject>? {
        try optional(column, as: UUID.self).map(Identifier.init)
    }

    func instant(_ column: String) throws -> Date {
        Date(stored: try value(column))
    }

    func optionalInstant(_ column: String) throws -> Date? {
        try optional(column, as: Int64.self).map(Date.init(stored:))
    }

    func bytes(_ column: String) throws -> ByteCount {
        ByteCount(try value(column))
    }

    func name(_ column: String) throws -> ResourceName {
        try parse(column) { try ResourceName($0) }
    }

    func optionalName(_ column: String) throws -> ResourceName? {
        try optional(column, as: String.self) == nil ? nil : name(column)
    }

    func environmentName(_ column: String) throws -> EnvironmentName {
        try parse(column) { try EnvironmentName($0) }
    }

    func pool() throws -> PoolID {
        try parse("pool") { PoolID($0) }
    }

    func word<Word: RawRepresentable<String>>(_ column: String, as type: Word.Type = Word.self) throws -> Word {
        try parse(column, Word.init(rawValue:))
    }

    func json<Value: Decodable>(_ column: String, as type: Value.Type = Value.self) throws -> Value {
        try parse(column) { try JSONDecoder().decode(Value.self, from: Data($0.utf8)) }
    }

    func resourceState() throws -> ResourceState {
        switch try word("state", as: ResourceState.Word.self) {
        case .creating: .creating(try identifier("job_id"))
        case .available: .available
        case .deleting: .deleting(try identifier("job_id"))
        case .failed: .failed(reason: try value("failure"))
        case .destroyed: .destroyed(at: try instant("destroyed_at"))
        }
    }

    func actor() throws -> Actor {
        Actor(
            user: try optionalIdentifier("actor_user_id"),
            name: try value("actor_name"),
            address: try optional("actor_address")
        )
    }

    private func parse<Value>(_ column: String, _ parser: (String) throws -> Value?) throws -> Value {
        let text = try value(column, as: String.self)
        do {
            if let value = try parser(text) { return value }
        } catch {
            throw CatalogFault(.damaged, .notDone, "The catalog holds a \(column) that cannot be read: \(error).")
        }
        throw CatalogFault(.damaged, .notDone, "The catalog holds a \(column) that this program does not know.")
    }
}
