import GRDB
import SnapshotDomain

extension Session {
    func findEnvironment(_ id: EnvironmentID) throws -> Environment? {
        try run { try EnvironmentRecord.find($0, where: "id = ?", [id.stored])?.environment }
    }

    func findEnvironment(named name: EnvironmentName) throws -> Environment? {
        try run { try EnvironmentRecord.find($0, where: "name = ?", [name.description])?.environment }
    }

    func listEnvironments() throws -> [Environment] {
        try run { try EnvironmentRecord.list($0, orderedBy: "name").map(\.environment) }
    }
}

extension WriteSession {
    func insert(_ environment: Environment) throws {
        try run { try EnvironmentRecord(environment).insert(into: $0) }
    }

    func update(_ environment: Environment) throws {
        try run { try EnvironmentRecord(environment).update(in: $0) }
    }

    func deleteEnvironment(_ id: EnvironmentID) throws {
        try run { try EnvironmentRecord.delete($0, where: "id = ?", [id.stored]) }
    }
}
