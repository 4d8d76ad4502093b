package import Foundation
package import SnapshotDomain

/// What to take a snapshot of, and how.
package struct TakeSnapshotRequest: Sendable {
    package enum Target: Hashable, Sendable {
        case volume(VolumeID)
        /// All volumes of an instance, at one instant.
        case instance(InstanceID)
    }

    package var target: Target
    /// Nil for a generated name.
    ///
    /// For an instance each volume's name is appended.
    package var name: ResourceName?
    package var description: String
    package var consistency: ConsistencyRequest

    package init(
        target: Target,
        name: ResourceName? = nil,
        description: String = "",
        consistency: ConsistencyRequest = ConsistencyRequest()
    ) {
        self.target = target
        self.name = name
        self.description = description
        self.consistency = consistency
    }
}

/// What to deploy instances from.
package enum DeploymentSource: Hashable, Sendable {
    case template(TemplateID)
    /// The root volume's snapshot; with a group, every volume of the instance as it was.
    case snapshot(SnapshotID)
}

package struct DeployRequest: Sendable {
    package var source: DeploymentSource
    package var name: ResourceName
    package var count: Int
    package var computeOffering: String
    /// For the custom offering.
    package var cpuCount: Int?
    package var memory: ByteCount?
    package var network: NetworkMode
    /// Nil for the source's size; never smaller.
    package var rootVolumeSize: ByteCount?
    /// A blank data volume for each instance.
    package var dataVolumeSize: ByteCount?
    /// An existing data volume to attach; only with a count of one.
    package var attaching: VolumeID?
    package var startsInstances: Bool
    /// Where the volumes are made; nil for the pool of the template or snapshot.
    package var pool: PoolID?

    package init(
        source: DeploymentSource,
        name: ResourceName,
        count: Int = 1,
        computeOffering: String = ComputeOffering.standard,
        cpuCount: Int? = nil,
        memory: ByteCount? = nil,
        network: NetworkMode = .user,
        rootVolumeSize: ByteCount? = nil,
        dataVolumeSize: ByteCount? = nil,
        attaching: VolumeID? = nil,
        startsInstances: Bool = true,
        pool: PoolID? = nil
    ) {
        self.source = source
        self.name = name
        self.count = count
        self.computeOffering = computeOffering
        self.cpuCount = cpuCount
        self.memory = memory
        self.network = network
        self.rootVolumeSize = rootVolumeSize
        self.dataVolumeSize = dataVolumeSize
        self.attaching = attaching
        self.startsInstances = startsInstances
        self.pool = pool
    }
}

package struct DeleteInstanceRequest: Sendable {
    /// The snapshots of all its volumes go too.
    package var deletesSnapshots: Bool
    /// Attached data volumes that go too; the others are detached and stay.
    package var volumesToDelete: Set<VolumeID>
    /// Refused with `wrongState` for one that is not destroyed, or not any more: somebody may have recovered it.
    package var onlyDestroyed: Bool

    package init(deletesSnapshots: Bool = false, volumesToDelete: Set<VolumeID> = [], onlyDestroyed: Bool = false) {
        self.deletesSnapshots = deletesSnapshots
        self.volumesToDelete = volumesToDelete
        self.onlyDestroyed = onlyDestroyed
    }
}

package struct CreateVolumeRequest: Sendable {
    package enum Source: Hashable, Sendable {
        case blank(ByteCount)
        /// `isFull` makes it independent of the snapshot at once; else it is thin.
        case snapshot(SnapshotID, isFull: Bool)
    }

    package var source: Source
    package var name: ResourceName
    /// Where the volume is made, when not beside its source.
    package var environment: EnvironmentID?
    package var diskOffering: String?
    /// Attached at once to this instance.
    package var instance: InstanceID?
    /// Nil for the pool of the snapshot, and for a blank volume the one that the disk offering names, else the default one.
    package var pool: PoolID?

    package init(
        source: Source,
        name: ResourceName,
        environment: EnvironmentID? = nil,
        diskOffering: String? = nil,
        instance: InstanceID? = nil,
        pool: PoolID? = nil
    ) {
        self.source = source
        self.name = name
        self.environment = environment
        self.diskOffering = diskOffering
        self.instance = instance
        self.pool = pool
    }
}

package struct CreateTemplateRequest: Sendable {
    package enum Source: Hashable, Sendable {
        case snapshot(SnapshotID, isFull: Bool)
        /// A stranger's image in a file that the service may read, and deletes when the job ended if `isUpload`.
        case file(path: String, format: String, isUpload: Bool)
        /// A stranger's image on the network, which the job fetches.
        case address(URL, format: String)
    }

    package var source: Source
    package var name: ResourceName
    package var description: String
    package var options: TemplateOptions
    /// Where an image is imported to; nil for the default pool.
    ///
    /// One from a snapshot is made in the snapshot's pool.
    package var pool: PoolID?

    package init(
        source: Source,
        name: ResourceName,
        description: String = "",
        options: TemplateOptions = TemplateOptions(),
        pool: PoolID? = nil
    ) {
        self.source = source
        self.name = name
        self.description = description
        self.options = options
        self.pool = pool
    }
}

/// What becomes of the memory that was saved with a group of snapshots.
package enum MemoryUse: String, Sendable, CaseIterable {
    /// The instance goes on from it, if there is one; it runs afterwards.
    case resume
    /// Only the volumes go back.
    case ignore
}

package struct NewComputeOffering: Hashable, Sendable {
    package var name: String
    package var description: String
    /// Both, or none for one where the caller names them.
    package var cpuCount: Int?
    package var memory: ByteCount?

    package init(name: String, description: String = "", cpuCount: Int?, memory: ByteCount?) {
        self.name = name
        self.description = description
        self.cpuCount = cpuCount
        self.memory = memory
    }
}

package struct NewDiskOffering: Hashable, Sendable {
    package var name: String
    package var description: String
    /// Nil for one where the caller names it.
    package var size: ByteCount?

    package init(name: String, description: String = "", size: ByteCount?) {
        self.name = name
        self.description = description
        self.size = size
    }
}

package enum RevertTarget: Hashable, Sendable {
    case snapshot(SnapshotID)
    /// Every volume of the instance that the group has a snapshot of.
    case group(SnapshotGroupID, of: InstanceID)
    /// To what the last revert of the volume replaced.
    case undo(VolumeID)
}
