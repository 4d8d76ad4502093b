import GRDB
import SnapshotDomain

struct InstanceRecord: Record {
    static let table = "instances"

    let instance: Instance

    init(_ instance: Instance) {
        self.instance = instance
    }

    init(row: Row) throws {
        instance = Instance(
            id: try row.identifier("id"),
            environment: try row.identifier("environment_id"),
            name: try row.name("name"),
            computeOffering: try row.value("compute_offering"),
            cpuCount: try row.value("cpu_count"),
            memory: try row.bytes("memory"),
            network: try row.word("network"),
            power: try row.word("power"),
            template: try row.optionalIdentifier("template_id"),
            state: try row.resourceState(),
            createdAt: try row.instant("created_at")
        )
    }

    var columns: KeyValuePairs<String, (any DatabaseValueConvertible)?> {
        [
            "id": instance.id.stored,
            "environment_id": instance.environment.stored,
            "name": instance.name.description,
            "compute_offering": instance.computeOffering,
            "cpu_count": instance.cpuCount,
            "memory": instance.memory.bytes,
            "network": instance.network.rawValue,
            "power": instance.power.rawValue,
            "template_id": instance.template?.stored,
            "state": instance.state.word.rawValue,
            "job_id": instance.state.job?.stored,
            "failure": instance.state.failure,
            "created_at": instance.createdAt.stored,
            "destroyed_at": instance.state.destroyedAt?.stored,
        ]
    }
}
