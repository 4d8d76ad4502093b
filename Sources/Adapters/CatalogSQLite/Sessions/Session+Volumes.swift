import GRDB
import SnapshotDomain
import SnapshotPorts

extension Session {
    func findVolume(_ id: VolumeID) throws -> Volume? {
        try run { try VolumeRecord.find($0, where: "id = ?", [id.stored])?.volume }
    }

    func findVolume(named name: ResourceName, in environment: EnvironmentID) throws -> Volume? {
        try run {
            try VolumeRecord
                .find(
                    $0,
                    where: "environment_id = ? AND name = ? AND state <> 'destroyed'",
                    [environment.stored, name.description]
                )?.volume
        }
    }

    func listVolumes(_ filter: VolumeFilter, order: ListOrder, page: PageRequest) throws -> CatalogPage<Volume> {
        var query = ListQuery<VolumeRecord>()
        query.filter(environment: filter.environment, isSelective: filter.instance == nil)
        query.filter(states: (filter.states ?? ResourceState.Word.ordinary).map(\.rawValue).sorted())
        query.filter("instance_id = ?", filter.instance?.stored)
        query.filter("role = ?", filter.role?.rawValue)
        query.filter(text: filter.text)
        query.filter(ids: filter.ids?.sorted().map(\.stored))
        query.filter("name = ?", filter.name?.description)
        query.filter(tags: filter.tags)
        return try run { try query.page($0, orderedBy: order.sql(), page).map(\.volume) }
    }

    func volumes(of instance: InstanceID) throws -> [Volume] {
        try run { try VolumeRecord.list($0, where: "instance_id = ?", [instance.stored], orderedBy: "slot") }
            .map(\.volume)
    }
}

extension WriteSession {
    func insert(_ volume: Volume) throws {
        try run { try VolumeRecord(volume).insert(into: $0) }
    }

    func update(_ volume: Volume) throws {
        try run { try VolumeRecord(volume).update(in: $0) }
    }

    func deleteVolume(_ id: VolumeID) throws {
        try run { try VolumeRecord.delete($0, where: "id = ?", [id.stored]) }
    }
}
