import GRDB
import SnapshotDomain

extension Session {
    func findMemoryImage(_ id: SnapshotGroupID) throws -> MemoryImage? {
        try run { try MemoryImageRecord.find($0, where: "id = ?", [id.stored])?.image }
    }

    func listMemoryImages() throws -> [MemoryImage] {
        try run { try MemoryImageRecord.list($0, orderedBy: "id") }.map(\.image)
    }

    func orphanedMemoryImages() throws -> [MemoryImage] {
        try run { database in
            try MemoryImageRecord.list(
                database,
                where: "NOT EXISTS (SELECT 1 FROM snapshots WHERE group_id = memory_images.id)",
                orderedBy: "id"
            )
        }.map(\.image)
    }
}

extension WriteSession {
    func insert(_ image: MemoryImage) throws {
        try run { try MemoryImageRecord(image).insert(into: $0) }
    }

    func update(_ image: MemoryImage) throws {
        try run { try MemoryImageRecord(image).update(in: $0) }
    }

    func deleteMemoryImage(_ id: SnapshotGroupID) throws {
        try run { try MemoryImageRecord.delete($0, where: "id = ?", [id.stored]) }
    }
}
