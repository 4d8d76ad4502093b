import GRDB
import SnapshotDomain
import SnapshotPorts

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

    func census(of environment: EnvironmentID) throws -> Census {
        try run { database in
            let tally = "SELECT state, count FROM tallies WHERE environment_id = ? AND count > 0 AND list ="
            let running =
                "SELECT count(*) FROM instances WHERE environment_id = ? AND state = 'available' AND power = 'running'"
            return Census(
                instances: try counts(database, "\(tally) 'instances'", environment),
                runningInstances: try Int.fetchOne(
                    database.cachedStatement(sql: running),
                    arguments: [environment.stored]
                ) ?? 0,
                volumes: try counts(database, "\(tally) 'volumes'", environment),
                snapshots: try counts(database, "\(tally) 'snapshots'", environment),
                // They have no tally: there are few.
                templates: try counts(
                    database,
                    "SELECT state, count(*) AS count FROM templates WHERE environment_id = ? GROUP BY state",
                    environment
                )
            )
        }
    }

    private func counts(
        _ database: Database,
        _ sql: String,
        _ environment: EnvironmentID
    ) throws -> [ResourceState.Word: Int] {
        let rows = try Row.fetchAll(database.cachedStatement(sql: sql), arguments: [environment.stored])
        return try Dictionary(rows.map { (try $0.word("state"), try $0.value("count")) }, uniquingKeysWith: +)
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
