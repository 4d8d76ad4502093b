import GRDB
import SnapshotDomain
import SnapshotPorts

extension Session {
    func computeOfferings() throws -> [ComputeOffering] {
        try run { try ComputeOfferingRecord.list($0, orderedBy: "rowid") }.map(\.offering)
    }

    func diskOfferings() throws -> [DiskOffering] {
        try run { try DiskOfferingRecord.list($0, orderedBy: "rowid") }.map(\.offering)
    }
}

extension WriteSession {
    func insert(_ offering: ComputeOffering) throws {
        try run { try ComputeOfferingRecord(offering).insert(into: $0) }
    }

    func update(_ offering: ComputeOffering) throws {
        try run { try ComputeOfferingRecord(offering).update(in: $0) }
    }

    func insert(_ offering: DiskOffering) throws {
        try run { try DiskOfferingRecord(offering).insert(into: $0) }
    }

    func update(_ offering: DiskOffering) throws {
        try run { try DiskOfferingRecord(offering).update(in: $0) }
    }
}
