import GRDB
import SnapshotDomain
import SnapshotPorts

extension Session {
    func findInstance(_ id: InstanceID) throws -> Instance? {
        try run { try InstanceRecord.find($0, where: "id = ?", [id.stored])?.instance }
    }

    func findInstance(named name: ResourceName, in environment: EnvironmentID) throws -> Instance? {
        try run {
            try InstanceRecord
                .find(
                    $0,
                    where: "environment_id = ? AND name = ? AND state <> 'destroyed'",
                    [environment.stored, name.description]
                )?.instance
        }
    }

    func listInstances(_ filter: InstanceFilter, order: ListOrder, page: PageRequest) throws -> CatalogPage<Instance> {
        var query = ListQuery<InstanceRecord>()
        query.filter(environment: filter.environment)
        query.filter(states: (filter.states ?? ResourceState.Word.ordinary).map(\.rawValue).sorted())
        query.filter("power = ?", filter.power?.rawValue)
        query.filter(text: filter.text, in: "searchable(name)")
        query.filter(ids: filter.ids?.sorted().map(\.stored))
        query.filter("name = ?", filter.name?.description)
        query.filter(tags: filter.tags)
        return try run { try query.page($0, orderedBy: order.sql(sizeColumn: "memory"), page).map(\.instance) }
    }
}

extension WriteSession {
    func insert(_ instance: Instance) throws {
        try run { try InstanceRecord(instance).insert(into: $0) }
    }

    func update(_ instance: Instance) throws {
        try run { try InstanceRecord(instance).update(in: $0) }
    }

    func deleteInstance(_ id: InstanceID) throws {
        try run { try InstanceRecord.delete($0, where: "id = ?", [id.stored]) }
    }
}
