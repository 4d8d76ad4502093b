import GRDB
import SnapshotDomain

struct TemplateCopyRecord: Record {
    static let table = "template_copies"

    let copy: TemplateCopy

    init(_ copy: TemplateCopy) {
        self.copy = copy
    }

    init(row: Row) throws {
        copy = TemplateCopy(
            template: try row.identifier("template_id"),
            pool: try row.pool(),
            layer: try row.identifier("layer_id")
        )
    }

    var columns: KeyValuePairs<String, (any DatabaseValueConvertible)?> {
        [
            "template_id": copy.template.stored,
            "pool": copy.pool.description,
            "layer_id": copy.layer.stored,
        ]
    }
}
