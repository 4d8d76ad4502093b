import GRDB
import SnapshotDomain

struct LayerRecord: Record {
    static let table = "layers"

    let layer: Layer

    init(_ layer: Layer) {
        self.layer = layer
    }

    init(row: Row) throws {
        layer = Layer(
            id: try row.identifier("id"),
            pool: try row.pool(),
            parent: try row.optionalIdentifier("parent_id"),
            size: try row.bytes("size"),
            allocated: try row.bytes("allocated"),
            phase: try row.word("phase")
        )
    }

    var columns: KeyValuePairs<String, (any DatabaseValueConvertible)?> {
        [
            "id": layer.id.stored,
            "pool": layer.pool.description,
            "parent_id": layer.parent?.stored,
            "size": layer.size.bytes,
            "allocated": layer.allocated.bytes,
            "phase": layer.phase.rawValue,
        ]
    }
}
