package import Foundation
package import SnapshotDomain
package import SnapshotPorts

/// A volume as faces show it.
package struct VolumeView: Sendable {
    package var volume: Volume
    package var instance: Instance?
    package var isInstanceRunning: Bool
    package var activity: ResourceActivity
    package var space: SpaceAccount.Entry
    /// What "undo revert" would bring back, while it can.
    package var undo: Snapshot?
    package var failure: ServiceError?
    package var chain = ChainDepth()
    /// The name of what it was made of; nil for none.
    package var offeringName: String?
}

/// How far the reads of a volume may have to go.
package struct ChainDepth: Hashable, Sendable {
    /// The layers that a read may pass through.
    package var layers: Int
    /// For a chain beyond the soft bound, which is made independent of its ancestors by itself as soon as there is room for
    /// that: how much is missing.
    package var missingRoom: ByteCount?

    package init(layers: Int = 1, missingRoom: ByteCount? = nil) {
        self.layers = layers
        self.missingRoom = missingRoom
    }
}

/// A snapshot as faces show it.
package struct SnapshotView: Sendable {
    package var snapshot: Snapshot
    package var activity: ResourceActivity
    package var space: SpaceAccount.Entry
    /// The nearest older snapshot below it that it reads through.
    package var parent: SnapshotID?
    /// What reads through its layer: volumes, snapshots and templates that would be damaged without it.
    package var dependents: [Pin]
    /// Why it could not be taken, or what is damaged in it.
    package var failure: ServiceError?
    /// The memory that was saved with its group.
    package var memory: MemoryImage?
}

package struct TemplateView: Sendable {
    package var template: Template
    package var activity: ResourceActivity
    package var space: SpaceAccount.Entry
    package var failure: ServiceError?
    /// How many volumes, snapshots and other templates read through its layer.
    package var dependentCount = 0
    /// Those of them that the caller can see: looked up only where one template is shown, not in lists.
    package var dependents: [TreeNode.NamedPin] = []
    /// Where it is, its own pool first: deployments in others copy it there first.
    package var pools: [PoolID] = []
}

package struct InstanceView: Sendable {
    package var instance: Instance
    package var status: MachineStatus
    package var activity: ResourceActivity
    package var volumes: [Volume]
    package var templateName: ResourceName?
    /// Asked of the guest only where one instance is shown, not in lists.
    package var guest: GuestFacts?
    package var failure: ServiceError?
    /// The name of its size; nil for one that is not known any more.
    package var offeringName: String?
}

/// What happens to a resource now: from the job that holds it, or else from one that reads it.
package struct ResourceActivity: Hashable, Sendable {
    package var job: JobID?
    package var kind: Job.Kind?
    /// The job leaves the resource as it is.
    package var onlyReads: Bool
    package var progress: JobProgress?
    /// Jobs that run or wait before it; nil when it runs or there is none.
    package var queuePosition: Int?

    package init(
        job: JobID? = nil,
        kind: Job.Kind? = nil,
        onlyReads: Bool = false,
        progress: JobProgress? = nil,
        queuePosition: Int? = nil
    ) {
        self.job = job
        self.kind = kind
        self.onlyReads = onlyReads
        self.progress = progress
        self.queuePosition = queuePosition
    }

    /// The kind of the job that changes the resource.
    package var changingKind: Job.Kind? { onlyReads ? nil : kind }

    package static let idle = ResourceActivity()
}

/// A job as faces show it.
package struct TaskView: Sendable {
    package enum Status: String, Sendable {
        case queued
        case running
        case succeeded
        case failed
        case cancelled
    }

    package var job: Job
    package var status: Status
    package var progress: JobProgress?
    package var queuePosition: Int?
    package var failure: ServiceError?
    /// A pool that is down, until which is back nothing happens.
    package var awaitedPool: PoolID?
}

/// One node of a volume's history as a person sees it.
package struct TreeNode: Sendable {
    package var layer: LayerID
    package var parent: LayerID?
    package var pins: [NamedPin]
    package var allocated: ByteCount
    /// The volume that was asked about writes here.
    package var isHere: Bool

    package struct NamedPin: Sendable {
        package var pin: Pin
        package var name: ResourceName
        package var environment: EnvironmentID
        package var createdAt: Date
    }
}

/// What deleting a set of snapshots will do.
package struct DeletionPlanView: Sendable {
    package var plan: DeletionPlan
    package var snapshots: [Snapshot]
    package var dependents: [TreeNode.NamedPin]
}

/// An environment at a glance.
package struct EnvironmentOverview: Sendable {
    package var census: Census
    /// Jobs that have not ended, in the order they came.
    package var openTasks: [TaskView]
    /// The pools, which all environments share.
    package var pools: [PoolStatus]

    package init(census: Census, openTasks: [TaskView], pools: [PoolStatus]) {
        self.census = census
        self.openTasks = openTasks
        self.pools = pools
    }
}

package struct ServiceStatus: Sendable {
    package var version: String
    package var accelerator: Accelerator
    package var pools: [PoolStatus]
    package var runningJobs: Int
    package var queuedJobs: Int
    /// How many snapshots are known to be damaged, in all environments.
    package var damagedSnapshots = 0
    /// What saved memory takes in the data directory, for all environments.
    package var savedMemory = ByteCount.zero
}

/// A pool as faces show it.
package struct PoolStatus: Sendable {
    /// Whether it can be worked with.
    package enum State: String, Sendable, CaseIterable {
        case ready
        /// It answers, and is being compared with the catalog.
        case starting
        case down
        /// The configuration does not name it any more, and it still has layers.
        case notConfigured = "not_configured"
    }

    package var pool: PoolID
    package var state = State.ready
    /// Since when it is as it is.
    package var since: Date?
    /// Nil as long as it never answered.
    ///
    /// What it said last, when it is down.
    package var capacity: PoolCapacity?
    package var account: SpaceAccount
    /// Why it is down, or what it lacks, and what to do.
    package var trouble: String?
    package var kind = ""
    /// For operators.
    package var place = ""
    package var isDefault = false
    package var reserve = ByteCount.zero
    package var limit: ByteCount?
    package var layerCount = 0
}

/// Something changed: what faces that show rows live need to know.
package struct ChangeEvent: Hashable, Sendable {
    /// Increases by one with every event.
    package var sequence: Int64
    package var environment: EnvironmentID
    package var subject: JobSubject
}
