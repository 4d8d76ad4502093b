import GRDB
import SnapshotDomain

struct EnvironmentRecord: Record {
    static let table = "environments"

    let environment: Environment

    init(_ environment: Environment) {
        self.environment = environment
    }

    init(row: Row) throws {
        environment = Environment(
            id: try row.identifier("id"),
            name: try row.environmentName("name"),
            description: try row.value("description"),
            createdAt: try row.instant("created_at")
        )
    }

    var columns: KeyValuePairs<String, (any DatabaseValueConvertible)?> {
        [
            "id": environment.id.stored,
            "name": environment.name.description,
            "description": environment.description,
            "created_at": environment.createdAt.stored,
        ]
    }
}
