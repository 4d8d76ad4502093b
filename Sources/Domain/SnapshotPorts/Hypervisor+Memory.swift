import Foundation
package import SnapshotDomain

/// How a machine's memory is to be saved.
package struct MemorySaveRequest: Sendable {
    /// What the machine is: its memory makes sense for nothing else.
    package var shape: MachineShape
    /// The longest time that the machine may stand still.
    package var longestPause: Duration

    package init(shape: MachineShape, longestPause: Duration) {
        self.shape = shape
        self.longestPause = longestPause
    }
}

/// A machine's memory as it lies on the medium.
package struct StoredMemory: Hashable, Sendable {
    package var id: SnapshotGroupID
    package var instance: InstanceID
    /// What it takes there.
    package var size: ByteCount
    package var digest: ContentDigest
    package var shape: MachineShape
    /// How long the machine stood still for it.
    package var pauseMilliseconds: Int

    package init(
        id: SnapshotGroupID,
        instance: InstanceID,
        size: ByteCount,
        digest: ContentDigest,
        shape: MachineShape,
        pauseMilliseconds: Int
    ) {
        self.id = id
        self.instance = instance
        self.size = size
        self.digest = digest
        self.shape = shape
        self.pauseMilliseconds = pauseMilliseconds
    }
}

/// All that lies where memory is kept.
package struct MemoryInventory: Hashable, Sendable {
    package var images: [StoredMemory]
    /// Names of what could not be read as one.
    package var unknown: [String]

    package init(images: [StoredMemory], unknown: [String]) {
        self.images = images
        self.unknown = unknown
    }
}
