import GRDB
import SnapshotDomain
import SnapshotPorts

extension Session {
    func findPolicy(_ id: PolicyID) throws -> SnapshotPolicy? {
        try run { try PolicyRecord.find($0, where: "id = ?", [id.stored])?.policy }
    }

    func policies(of volume: VolumeID) throws -> [SnapshotPolicy] {
        try run { try PolicyRecord.list($0, where: "volume_id = ?", [volume.stored], orderedBy: "created_at, id") }
            .map(\.policy)
    }
}

extension WriteSession {
    func insert(_ policy: SnapshotPolicy) throws {
        try run { try PolicyRecord(policy).insert(into: $0) }
    }

    func update(_ policy: SnapshotPolicy) throws {
        try run { try PolicyRecord(policy).update(in: $0) }
    }

    func deletePolicy(_ id: PolicyID) throws {
        try run { try PolicyRecord.delete($0, where: "id = ?", [id.stored]) }
    }
}
