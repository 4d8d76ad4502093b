import Foundation
import GRDB
import SnapshotDomain
import SnapshotPorts

struct TagRecord: Record {
    static let table = "tags"

    let tag: ResourceTag

    init(_ tag: ResourceTag) {
        self.tag = tag
    }

    init(row: Row) throws {
        let kind = try row.word("kind", as: ResourceReference.Kind.self)
        do {
            tag = try ResourceTag(
                on: ResourceReference(kind, try row.identifier("resource_id")),
                in: try row.identifier("environment_id"),
                key: try row.value("key"),
                value: try row.value("value")
            )
        } catch let error as ServiceError {
            throw CatalogFault(.damaged, .notDone, "The catalog holds a tag that cannot be: \(error.message)")
        }
    }

    var columns: KeyValuePairs<String, (any DatabaseValueConvertible)?> {
        [
            "resource_id": tag.resource.id.stored,
            "key": tag.key,
            "value": tag.value,
            "kind": tag.resource.kind.rawValue,
            "environment_id": tag.environment.stored,
        ]
    }
}
