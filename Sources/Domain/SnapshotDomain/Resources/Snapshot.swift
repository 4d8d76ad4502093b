package import Foundation

/// The content of a volume at one instant.
///
/// It pins a layer, and so does not depend on its volume or instance: both may be gone. What it says about them is how
/// they were when it was taken.
package struct Snapshot: Hashable, Sendable, Codable, Identifiable {
    /// Why it exists.
    package enum Origin: Hashable, Sendable, Codable {
        case manual
        /// What a revert replaced; deleted by itself after a while.
        case undo(of: VolumeID, expiresAt: Date)
    }

    /// The volume as it was.
    package struct Source: Hashable, Sendable, Codable {
        package var volume: VolumeID
        package var volumeName: ResourceName
        package var role: Volume.Role
        package var instance: InstanceID?
        package var instanceName: ResourceName?

        package init(
            volume: VolumeID,
            volumeName: ResourceName,
            role: Volume.Role,
            instance: InstanceID?,
            instanceName: ResourceName?
        ) {
            self.volume = volume
            self.volumeName = volumeName
            self.role = role
            self.instance = instance
            self.instanceName = instanceName
        }
    }

    package let id: SnapshotID
    package let environment: EnvironmentID
    package var name: ResourceName
    package var description: String
    package var source: Source
    package var pool: PoolID
    package var layer: LayerID
    /// The size of the volume that it restores to.
    package var size: ByteCount
    package var origin: Origin
    package var group: SnapshotGroupID?
    /// What the whole group was called, when it was given a name.
    package var groupName: ResourceName?
    package var consistency: ConsistencyRecord
    package var verification: Verification?
    /// What was wrong when its content was last read as a whole; nil when nothing was.
    package var damage: Damage?
    package var state: ResourceState
    package var createdAt: Date

    package init(
        id: SnapshotID,
        environment: EnvironmentID,
        name: ResourceName,
        description: String,
        source: Source,
        pool: PoolID,
        layer: LayerID,
        size: ByteCount,
        origin: Origin,
        group: SnapshotGroupID? = nil,
        groupName: ResourceName? = nil,
        consistency: ConsistencyRecord,
        verification: Verification? = nil,
        damage: Damage? = nil,
        state: ResourceState,
        createdAt: Date
    ) {
        self.id = id
        self.environment = environment
        self.name = name
        self.description = description
        self.source = source
        self.pool = pool
        self.layer = layer
        self.size = size
        self.origin = origin
        self.group = group
        self.groupName = groupName
        self.consistency = consistency
        self.verification = verification
        self.damage = damage
        self.state = state
        self.createdAt = createdAt
    }
}

/// The digest of a frozen content, and when it was last found to be true.
package struct Verification: Hashable, Sendable, Codable {
    package var digest: ContentDigest
    package var verifiedAt: Date

    package init(digest: ContentDigest, verifiedAt: Date) {
        self.digest = digest
        self.verifiedAt = verifiedAt
    }
}

/// That a frozen content is not what it was, or cannot be read.
package struct Damage: Hashable, Sendable, Codable {
    /// What was found and what to do, in English.
    package var reason: String
    package var foundAt: Date

    package init(reason: String, foundAt: Date) {
        self.reason = reason
        self.foundAt = foundAt
    }
}

/// A digest over the content of a disk, written `<scheme>:<hex>`.
///
/// It depends on the bytes that a guest would read and on nothing else: not on the format, the layers below, or which
/// zeros are stored. The scheme `tree-sha256` is defined in `docs/storage-design.md`.
package struct ContentDigest: Hashable, Sendable, Codable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }

    package init(from decoder: any Decoder) throws {
        description = try decoder.singleValueContainer().decode(String.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
