package import Foundation

/// The memory and the devices of a machine at the instant of a group of snapshots.
///
/// Together with the volumes of the group it is the whole machine, which goes on from there. It has the group's identity,
/// and exists as long as a snapshot of the group does.
package struct MemoryImage: Hashable, Sendable, Codable, Identifiable {
    package let id: SnapshotGroupID
    package let environment: EnvironmentID
    package let instance: InstanceID
    /// What it takes on the medium.
    package var size: ByteCount
    package var digest: ContentDigest
    package var shape: MachineShape
    /// Why it cannot be used any more; nil when it can.
    package var damage: String?
    package var createdAt: Date

    package init(
        id: SnapshotGroupID,
        environment: EnvironmentID,
        instance: InstanceID,
        size: ByteCount,
        digest: ContentDigest,
        shape: MachineShape,
        damage: String? = nil,
        createdAt: Date
    ) {
        self.id = id
        self.environment = environment
        self.instance = instance
        self.size = size
        self.digest = digest
        self.shape = shape
        self.damage = damage
        self.createdAt = createdAt
    }
}

/// What of a machine must be as it was for its memory to make sense: a guest does not bear that its hardware changes under it.
///
/// Stored.
package struct MachineShape: Hashable, Sendable, Codable {
    package var cpuCount: Int
    package var memory: ByteCount
    package var macAddress: String
    package var network: NetworkMode
    /// By slot.
    package var disks: [Int: VolumeID]

    package init(cpuCount: Int, memory: ByteCount, macAddress: String, network: NetworkMode, disks: [Int: VolumeID]) {
        self.cpuCount = cpuCount
        self.memory = memory
        self.macAddress = macAddress
        self.network = network
        self.disks = disks
    }

    package init(of instance: Instance, _ volumes: [Volume]) {
        self.init(
            cpuCount: instance.cpuCount,
            memory: instance.memory,
            macAddress: instance.macAddress,
            network: instance.network,
            disks: Dictionary(
                volumes.compactMap { volume in volume.attachment.map { ($0.slot, volume.id) } },
                uniquingKeysWith: { first, _ in first }
            )
        )
    }

    /// How a machine of another shape differs, as the end of a sentence that begins with it; nil when it does not.
    package func difference(from present: MachineShape) -> String? {
        if cpuCount != present.cpuCount { return "had \(cpuCount) processors and has \(present.cpuCount)" }
        if memory != present.memory {
            return "had \(memory.bytes >> 20) MiB of memory and has \(present.memory.bytes >> 20) MiB"
        }
        let (before, now) = (Set(disks.values), Set(present.disks.values))
        if !before.isSubset(of: now) { return "had a volume that is not attached to it any more" }
        if !now.isSubset(of: before) { return "has a volume that was attached to it later" }
        if disks != present.disks { return "has its volumes in other places" }
        if network != present.network || macAddress != present.macAddress { return "had another network" }
        return nil
    }
}
