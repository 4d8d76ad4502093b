import GRDB
import SnapshotDomain

struct VolumeRecord: Record {
    static let table = "volumes"

    let volume: Volume

    init(_ volume: Volume) {
        self.volume = volume
    }

    init(row: Row) throws {
        volume = Volume(
            id: try row.identifier("id"),
            environment: try row.identifier("environment_id"),
            name: try row.name("name"),
            role: try row.word("role"),
            pool: try row.pool(),
            size: try row.bytes("size"),
            activeLayer: try row.identifier("active_layer_id"),
            attachment: try row.attachment(),
            state: try row.resourceState(),
            diskOffering: try row.optional("disk_offering"),
            template: try row.optionalIdentifier("template_id"),
            createdAt: try row.instant("created_at")
        )
    }

    var columns: KeyValuePairs<String, (any DatabaseValueConvertible)?> {
        [
            "id": volume.id.stored,
            "environment_id": volume.environment.stored,
            "name": volume.name.description,
            "role": volume.role.rawValue,
            "pool": volume.pool.description,
            "size": volume.size.bytes,
            "active_layer_id": volume.activeLayer.stored,
            "instance_id": volume.attachment?.instance.stored,
            "slot": volume.attachment?.slot,
            "disk_offering": volume.diskOffering,
            "template_id": volume.template?.stored,
            "state": volume.state.word.rawValue,
            "job_id": volume.state.job?.stored,
            "failure": volume.state.failure,
            "created_at": volume.createdAt.stored,
            "destroyed_at": volume.state.destroyedAt?.stored,
            "search_text": searchable(volume.name.description),
        ]
    }
}

extension Row {
    fileprivate func attachment() throws -> Volume.Attachment? {
        guard let instance: InstanceID = try optionalIdentifier("instance_id") else { return nil }
        return Volume.Attachment(instance: instance, slot: try value("slot"))
    }
}
