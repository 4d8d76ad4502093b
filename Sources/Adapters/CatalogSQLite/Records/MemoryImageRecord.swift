import GRDB
import SnapshotDomain

struct MemoryImageRecord: Record {
    static let table = "memory_images"

    let image: MemoryImage

    init(_ image: MemoryImage) {
        self.image = image
    }

    init(row: Row) throws {
        image = MemoryImage(
            id: try row.identifier("id"),
            environment: try row.identifier("environment_id"),
            instance: try row.identifier("instance_id"),
            size: try row.bytes("size"),
            digest: ContentDigest(try row.value("digest")),
            shape: try row.json("shape"),
            damage: try row.optional("damage"),
            createdAt: try row.instant("created_at")
        )
    }

    var columns: KeyValuePairs<String, (any DatabaseValueConvertible)?> {
        get throws {
            [
                "id": image.id.stored,
                "environment_id": image.environment.stored,
                "instance_id": image.instance.stored,
                "size": image.size.bytes,
                "digest": image.digest.description,
                "shape": try json(image.shape),
                "damage": image.damage,
                "created_at": image.createdAt.stored,
            ]
        }
    }
}
