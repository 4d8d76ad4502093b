import Foundation
import GRDB
import SnapshotDomain
import SnapshotPorts

extension Session {
    func environment(holding resource: ResourceReference) throws -> EnvironmentID? {
        let (table, column) =
            switch resource {
            case .volume: ("volumes", "id")
            case .snapshot: ("snapshots", "id")
            case .snapshotGroup: ("snapshots", "group_id")
            case .template: ("templates", "id")
            case .instance: ("instances", "id")
            }
        return try run { database in
            let sql = """
                SELECT environment_id FROM \(table) WHERE \(column) = :id
                UNION ALL SELECT environment_id FROM retired WHERE id = :id AND kind = :kind
                LIMIT 1
                """
            let statement = try database.cachedStatement(sql: sql)
            let arguments: StatementArguments = ["id": resource.id.stored, "kind": resource.kind.rawValue]
            return try Row.fetchOne(statement, arguments: arguments)?.identifier("environment_id")
        }
    }

    func listTags(_ filter: TagFilter, page: PageRequest) throws -> CatalogPage<ResourceTag> {
        var query = ListQuery<TagRecord>()
        query.filter("environment_id = ?", filter.environment.stored)
        query.filter("kind = ?", filter.kind?.rawValue)
        query.filter("resource_id = ?", filter.id?.stored)
        query.filter("key = ?", filter.key)
        query.filter("value = ?", filter.value)
        return try run { try query.page($0, orderedBy: "resource_id, key", page).map(\.tag) }
    }

    func tags(of resources: [ResourceReference]) throws -> [ResourceReference: [ResourceTag]] {
        guard !resources.isEmpty else { return [:] }
        let places = Array(repeating: "?", count: resources.count).joined(separator: ", ")
        let records = try run { database in
            try TagRecord.list(
                database,
                where: "resource_id IN (\(places))",
                StatementArguments(resources.map(\.id.stored)),
                orderedBy: "resource_id, key"
            )
        }
        return Dictionary(grouping: records.map(\.tag), by: \.resource)
    }
}

extension WriteSession {
    func insert(_ tag: ResourceTag) throws {
        try run { try TagRecord(tag).insert(into: $0) }
    }

    func deleteTag(of resource: ResourceReference, _ tag: TagCondition) throws {
        try run { database in
            try TagRecord.delete(
                database,
                where: "resource_id = ? AND kind = ? AND key = ? AND value = coalesce(?, value)",
                [resource.id.stored, resource.kind.rawValue, tag.key, tag.value]
            )
        }
    }
}
