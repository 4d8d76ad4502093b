import GRDB
import SnapshotDomain

struct ComputeOfferingRecord: Record {
    static let table = "compute_offerings"

    let offering: ComputeOffering

    init(_ offering: ComputeOffering) {
        self.offering = offering
    }

    init(row: Row) throws {
        offering = ComputeOffering(
            id: try row.value("id"),
            name: try row.value("name"),
            description: try row.value("description"),
            cpuCount: try row.optional("cpu_count"),
            memory: try row.optional("memory", as: Int64.self).map { ByteCount($0) },
            isRetired: try row.value("is_retired")
        )
    }

    var columns: KeyValuePairs<String, (any DatabaseValueConvertible)?> {
        [
            "id": offering.id,
            "name": offering.name,
            "description": offering.description,
            "cpu_count": offering.cpuCount,
            "memory": offering.memory?.bytes,
            "is_retired": offering.isRetired,
        ]
    }
}

struct DiskOfferingRecord: Record {
    static let table = "disk_offerings"

    let offering: DiskOffering

    init(_ offering: DiskOffering) {
        self.offering = offering
    }

    init(row: Row) throws {
        offering = DiskOffering(
            id: try row.value("id"),
            name: try row.value("name"),
            description: try row.value("description"),
            size: try row.optional("size", as: Int64.self).map { ByteCount($0) },
            isRetired: try row.value("is_retired")
        )
    }

    var columns: KeyValuePairs<String, (any DatabaseValueConvertible)?> {
        [
            "id": offering.id,
            "name": offering.name,
            "description": offering.description,
            "size": offering.size?.bytes,
            "is_retired": offering.isRetired,
        ]
    }
}
