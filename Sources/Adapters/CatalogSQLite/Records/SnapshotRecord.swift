import Foundation
import GRDB
import SnapshotDomain

struct SnapshotRecord: Record {
    static let table = "snapshots"

    let snapshot: Snapshot

    init(_ snapshot: Snapshot) {
        self.snapshot = snapshot
    }

    init(row: Row) throws {
        snapshot = Snapshot(
            id: try row.identifier("id"),
            environment: try row.identifier("environment_id"),
            name: try row.name("name"),
            description: try row.value("description"),
            source: Snapshot.Source(
                volume: try row.identifier("source_volume_id"),
                volumeName: try row.name("source_volume_name"),
                role: try row.word("source_role"),
                instance: try row.optionalIdentifier("source_instance_id"),
                instanceName: try row.optionalName("source_instance_name")
            ),
            pool: try row.pool(),
            layer: try row.identifier("layer_id"),
            size: try row.bytes("size"),
            origin: try row.origin(),
            group: try row.optionalIdentifier("group_id"),
            groupName: try row.optionalName("group_name"),
            consistency: try row.json("consistency"),
            verification: try row.verification(),
            damage: try row.damage(),
            state: try row.resourceState(),
            createdAt: try row.instant("created_at")
        )
    }

    var columns: KeyValuePairs<String, (any DatabaseValueConvertible)?> {
        get throws {
            let source = snapshot.source
            return [
                "id": snapshot.id.stored,
                "environment_id": snapshot.environment.stored,
                "name": snapshot.name.description,
                "description": snapshot.description,
                "source_volume_id": source.volume.stored,
                "source_volume_name": source.volumeName.description,
                "source_role": source.role.rawValue,
                "source_instance_id": source.instance?.stored,
                "source_instance_name": source.instanceName?.description,
                "pool": snapshot.pool.description,
                "layer_id": snapshot.layer.stored,
                "size": snapshot.size.bytes,
                "origin": snapshot.origin.stored.word.rawValue,
                "undo_volume_id": snapshot.origin.stored.volume?.stored,
                "undo_expires_at": snapshot.origin.stored.expiresAt?.stored,
                "group_id": snapshot.group?.stored,
                "group_name": snapshot.groupName?.description,
                "consistency": try json(snapshot.consistency),
                "digest": snapshot.verification?.digest.description,
                "verified_at": snapshot.verification?.verifiedAt.stored,
                "damage": snapshot.damage?.reason,
                "damage_found_at": snapshot.damage?.foundAt.stored,
                "state": snapshot.state.word.rawValue,
                "job_id": snapshot.state.job?.stored,
                "failure": snapshot.state.failure,
                "created_at": snapshot.createdAt.stored,
                "search_text": searchable(
                    snapshot.name.description,
                    source.volumeName.description,
                    source.instanceName?.description
                ),
            ]
        }
    }
}

/// The word for a snapshot's origin: stored, append-only.
private enum OriginWord: String {
    case manual
    case undo
}

extension Snapshot.Origin {
    fileprivate var stored: (word: OriginWord, volume: VolumeID?, expiresAt: Date?) {
        switch self {
        case .manual: (.manual, nil, nil)
        case .undo(let volume, let expiresAt): (.undo, volume, expiresAt)
        }
    }
}

extension Row {
    fileprivate func origin() throws -> Snapshot.Origin {
        switch try word("origin", as: OriginWord.self) {
        case .manual: .manual
        case .undo: .undo(of: try identifier("undo_volume_id"), expiresAt: try instant("undo_expires_at"))
        }
    }

    fileprivate func verification() throws -> Verification? {
        guard let digest = try optional("digest", as: String.self) else { return nil }
        return Verification(digest: ContentDigest(digest), verifiedAt: try instant("verified_at"))
    }

    fileprivate func damage() throws -> Damage? {
        guard let reason = try optional("damage", as: String.self) else { return nil }
        return Damage(reason: reason, foundAt: try instant("damage_found_at"))
    }
}
