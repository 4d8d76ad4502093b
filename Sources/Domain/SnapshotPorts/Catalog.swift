package import Foundation
package import SnapshotDomain

/// The record of what should exist, and of everything that was asked for.
///
/// A transaction is a closure over plain rows. Writing transactions run one at a time and all or nothing: what one reads is
/// still true when it writes, so a state read there can serve as a lock. When `write` returns, the result survives power
/// loss. A closure that throws changes nothing.
///
/// - Important: Closures run on the catalog's own thread. They call nothing but their argument, and are quick.
package protocol Catalog: Sendable {
    /// Reads one consistent state, beside writers.
    func read<Value: Sendable>(
        _ body: @escaping @Sendable (any CatalogReader) throws -> Value
    ) async throws -> Value

    /// Changes the state durably.
    ///
    /// - Throws: What the closure threw, or ``CatalogFault`` (with outcome `unknown` only if the final commit failed).
    func write<Value: Sendable>(
        _ body: @escaping @Sendable (any CatalogWriter) throws -> Value
    ) async throws -> Value
}

/// Which part of a list is wanted.
package struct PageRequest: Hashable, Sendable {
    package static let largest = 1_000

    /// Rows to skip.
    package var offset: Int
    /// Rows to return, 1 to ``largest``.
    package var limit: Int

    package init(offset: Int = 0, limit: Int = 50) {
        self.offset = max(0, offset)
        self.limit = min(max(1, limit), Self.largest)
    }

    /// Everything that one request may return.
    package static let all = PageRequest(offset: 0, limit: largest)
}

/// A part of a list.
package struct CatalogPage<Row: Sendable>: Sendable {
    package var rows: [Row]
    /// Rows in the whole list.
    package var total: Int

    package init(rows: [Row], total: Int) {
        self.rows = rows
        self.total = total
    }
}

/// An order for lists.
///
/// Ties are broken by identity, so that pages never overlap.
package struct ListOrder: Hashable, Sendable {
    /// What a list can be ordered by.
    package enum Field: String, Sendable, CaseIterable {
        case name
        case createdAt
        case state
        case size
    }

    package var field: Field
    package var isDescending: Bool

    package init(_ field: Field, descending: Bool = false) {
        self.field = field
        isDescending = descending
    }

    package static let newestFirst = ListOrder(.createdAt, descending: true)
    package static let byName = ListOrder(.name)
}

/// Which snapshots; what is nil does not restrict.
package struct SnapshotFilter: Hashable, Sendable {
    package var environment: EnvironmentID?
    package var volume: VolumeID?
    package var instance: InstanceID?
    package var group: SnapshotGroupID?
    /// Those that belong to any group, or those that belong to none.
    package var isGrouped: Bool?
    package var states: Set<ResourceState.Word>?
    /// A part of the name, of the volume's name or of the instance's name, in any letter case.
    ///
    package var text: String?
    package var ids: Set<SnapshotID>?
    package var name: ResourceName?
    /// At least one of these.
    package var tags: [TagCondition]?

    package init(
        environment: EnvironmentID? = nil,
        volume: VolumeID? = nil,
        instance: InstanceID? = nil,
        group: SnapshotGroupID? = nil,
        isGrouped: Bool? = nil,
        states: Set<ResourceState.Word>? = nil,
        text: String? = nil,
        ids: Set<SnapshotID>? = nil,
        name: ResourceName? = nil,
        tags: [TagCondition]? = nil
    ) {
        self.environment = environment
        self.volume = volume
        self.instance = instance
        self.group = group
        self.isGrouped = isGrouped
        self.states = states
        self.text = text
        self.ids = ids
        self.name = name
        self.tags = tags
    }
}

/// Which volumes; what is nil does not restrict, except that ``states`` left out means those that are not put aside.
package struct VolumeFilter: Hashable, Sendable {
    package var environment: EnvironmentID?
    package var instance: InstanceID?
    package var role: Volume.Role?
    package var states: Set<ResourceState.Word>?
    package var text: String?
    package var ids: Set<VolumeID>?
    package var name: ResourceName?
    /// At least one of these.
    package var tags: [TagCondition]?

    package init(
        environment: EnvironmentID? = nil,
        instance: InstanceID? = nil,
        role: Volume.Role? = nil,
        states: Set<ResourceState.Word>? = nil,
        text: String? = nil,
        ids: Set<VolumeID>? = nil,
        name: ResourceName? = nil,
        tags: [TagCondition]? = nil
    ) {
        self.environment = environment
        self.instance = instance
        self.role = role
        self.states = states
        self.text = text
        self.ids = ids
        self.name = name
        self.tags = tags
    }
}

/// Which instances; what is nil does not restrict, except that ``states`` left out means those that are not put aside.
package struct InstanceFilter: Hashable, Sendable {
    package var environment: EnvironmentID?
    package var states: Set<ResourceState.Word>?
    /// What is meant of those that are there: a machine that ended by itself is recorded as stopped in a moment.
    package var power: Instance.Power?
    /// A part of the name, in any letter case.
    package var text: String?
    package var ids: Set<InstanceID>?
    package var name: ResourceName?
    /// At least one of these.
    package var tags: [TagCondition]?

    package init(
        environment: EnvironmentID? = nil,
        states: Set<ResourceState.Word>? = nil,
        power: Instance.Power? = nil,
        text: String? = nil,
        ids: Set<InstanceID>? = nil,
        name: ResourceName? = nil,
        tags: [TagCondition]? = nil
    ) {
        self.environment = environment
        self.states = states
        self.power = power
        self.text = text
        self.ids = ids
        self.name = name
        self.tags = tags
    }
}

/// Which templates; what is nil does not restrict.
package struct TemplateFilter: Hashable, Sendable {
    /// Its own templates, and the public ones of every other environment.
    package var visibleIn: EnvironmentID
    /// Without the public ones of others.
    package var isOwn: Bool
    package var states: Set<ResourceState.Word>?
    /// A part of the name, in any letter case.
    package var text: String?

    package init(
        visibleIn environment: EnvironmentID,
        isOwn: Bool = false,
        states: Set<ResourceState.Word>? = nil,
        text: String? = nil
    ) {
        visibleIn = environment
        self.isOwn = isOwn
        self.states = states
        self.text = text
    }
}

/// Which tags; what is nil does not restrict.
package struct TagFilter: Hashable, Sendable {
    package var environment: EnvironmentID
    package var kind: ResourceReference.Kind?
    package var id: Identifier<ResourceReference>?
    package var key: String?
    package var value: String?

    package init(
        environment: EnvironmentID,
        kind: ResourceReference.Kind? = nil,
        id: Identifier<ResourceReference>? = nil,
        key: String? = nil,
        value: String? = nil
    ) {
        self.environment = environment
        self.kind = kind
        self.id = id
        self.key = key
        self.value = value
    }
}

/// How many resources an environment has, by their states.
package struct Census: Hashable, Sendable {
    package var instances: [ResourceState.Word: Int]
    /// Of the available instances, those that are meant to run.
    package var runningInstances: Int
    package var volumes: [ResourceState.Word: Int]
    package var snapshots: [ResourceState.Word: Int]
    package var templates: [ResourceState.Word: Int]

    package init(
        instances: [ResourceState.Word: Int] = [:],
        runningInstances: Int = 0,
        volumes: [ResourceState.Word: Int] = [:],
        snapshots: [ResourceState.Word: Int] = [:],
        templates: [ResourceState.Word: Int] = [:]
    ) {
        self.instances = instances
        self.runningInstances = runningInstances
        self.volumes = volumes
        self.snapshots = snapshots
        self.templates = templates
    }
}

/// Which lines of the log; what is nil does not restrict.
package struct ActivityFilter: Hashable, Sendable {
    package var environment: EnvironmentID?
    package var user: UserID?
    package var event: String?
    package var status: ActivityEntry.Status?
    package var from: Date?
    package var until: Date?
    package var id: ActivityEntry.ID?
    /// The identity of what it is about.
    package var subject: String?

    package init(
        environment: EnvironmentID? = nil,
        user: UserID? = nil,
        event: String? = nil,
        status: ActivityEntry.Status? = nil,
        from: Date? = nil,
        until: Date? = nil,
        id: ActivityEntry.ID? = nil,
        subject: String? = nil
    ) {
        self.environment = environment
        self.user = user
        self.event = event
        self.status = status
        self.from = from
        self.until = until
        self.id = id
        self.subject = subject
    }
}

/// What a key opens.
///
/// The key of the REST face is not stored, only its digest.
package struct StoredKey: Hashable, Sendable {
    /// Stored.
    ///
    package enum Kind: String, Sendable, Codable, CaseIterable {
        /// `MC-Api-Key` of CloudMC's REST API.
        case rest
        /// The `apiKey` of a CloudStack key pair.
        case query
    }

    /// SHA-256 of the key.
    package var digest: Data
    package var kind: Kind
    package var user: UserID
    /// The environment that a query key acts in.
    package var environment: EnvironmentID?
    /// The signing secret of a query key: needed in clear to check signatures.
    package var secret: String?
    /// The key itself, for a query key: it only names its secret, and is sent with every request.
    ///
    /// Nil for keys of the first versions.
    package var text: String?
    /// What its owner calls it; may be empty.
    package var label: String
    /// The end of the key, by which its owner knows it again; empty for keys of the first version.
    package var hint: String
    package var createdAt: Date
    /// Nearly: see ``CatalogWriter/noteUse(ofKey:at:)``.
    package var lastUsedAt: Date?

    package init(
        digest: Data,
        kind: Kind,
        user: UserID,
        environment: EnvironmentID?,
        secret: String?,
        text: String? = nil,
        label: String = "",
        hint: String = "",
        createdAt: Date,
        lastUsedAt: Date? = nil
    ) {
        self.digest = digest
        self.kind = kind
        self.user = user
        self.environment = environment
        self.secret = secret
        self.text = text
        self.label = label
        self.hint = hint
        self.createdAt = createdAt
        self.lastUsedAt = lastUsedAt
    }
}

/// Somebody who is signed in to the console.
///
/// The token that the browser holds is not stored, only its digest.
package struct StoredSession: Hashable, Sendable {
    /// SHA-256 of the token.
    package var digest: Data
    package var user: UserID
    package var createdAt: Date
    package var expiresAt: Date

    package init(digest: Data, user: UserID, createdAt: Date, expiresAt: Date) {
        self.digest = digest
        self.user = user
        self.createdAt = createdAt
        self.expiresAt = expiresAt
    }
}

/// One consistent state of the catalog.
///
/// `find…` returns nil for what is not there.
package protocol CatalogReader {
    func findEnvironment(_ id: EnvironmentID) throws -> Environment?
    func findEnvironment(named name: EnvironmentName) throws -> Environment?
    func listEnvironments() throws -> [Environment]
    /// Grows with the environment's instances and templates, and not with its volumes and snapshots.
    func census(of environment: EnvironmentID) throws -> Census

    func findVolume(_ id: VolumeID) throws -> Volume?
    func findVolume(named name: ResourceName, in environment: EnvironmentID) throws -> Volume?
    func listVolumes(_ filter: VolumeFilter, order: ListOrder, page: PageRequest) throws -> CatalogPage<Volume>
    /// The volumes of one instance in the order of their slots.
    ///
    func volumes(of instance: InstanceID) throws -> [Volume]

    func findSnapshot(_ id: SnapshotID) throws -> Snapshot?
    func findSnapshot(named name: ResourceName, in environment: EnvironmentID) throws -> Snapshot?
    func listSnapshots(_ filter: SnapshotFilter, order: ListOrder, page: PageRequest) throws -> CatalogPage<Snapshot>
    /// Undo snapshots whose time has come, and that no job holds.
    func expiredUndoSnapshots(at instant: Date) throws -> [Snapshot]
    /// How many snapshots are known to be damaged, in all environments.
    func damagedSnapshotCount() throws -> Int
    /// The newest undo snapshot of a volume.
    func undoSnapshot(of volume: VolumeID) throws -> Snapshot?

    /// The memory that was saved with a group of snapshots.
    func findMemoryImage(_ id: SnapshotGroupID) throws -> MemoryImage?
    /// All of them, by identity.
    func listMemoryImages() throws -> [MemoryImage]
    /// Those of whose group no snapshot is left.
    func orphanedMemoryImages() throws -> [MemoryImage]

    func findTemplate(_ id: TemplateID) throws -> Template?
    func findTemplate(named name: ResourceName, in environment: EnvironmentID) throws -> Template?
    func listTemplates(_ filter: TemplateFilter, order: ListOrder, page: PageRequest) throws -> CatalogPage<Template>

    /// In the order of their pools. Each pins its layer as the template itself does.
    func copies(of template: TemplateID) throws -> [TemplateCopy]

    func findInstance(_ id: InstanceID) throws -> Instance?
    func findInstance(named name: ResourceName, in environment: EnvironmentID) throws -> Instance?
    func listInstances(_ filter: InstanceFilter, order: ListOrder, page: PageRequest) throws -> CatalogPage<Instance>

    /// The environment where a resource is, or was before it was deleted; nil for one that never existed.
    func environment(holding resource: ResourceReference) throws -> EnvironmentID?
    /// By resource and key.
    func listTags(_ filter: TagFilter, page: PageRequest) throws -> CatalogPage<ResourceTag>
    /// The tags of some resources, by their keys.
    func tags(of resources: [ResourceReference]) throws -> [ResourceReference: [ResourceTag]]

    /// In the order in which they are shown, also those that can no longer be chosen.
    func computeOfferings() throws -> [ComputeOffering]
    /// In the order in which they are shown, also those that can no longer be chosen.
    func diskOfferings() throws -> [DiskOffering]

    func findPolicy(_ id: PolicyID) throws -> SnapshotPolicy?
    func policies(of volume: VolumeID) throws -> [SnapshotPolicy]

    func findLayer(_ id: LayerID) throws -> Layer?
    /// A layer and its ancestors, nearest first; nothing for one that is not known.
    ///
    /// Costs what the chain is long, however many others stand on the same base.
    func layerChain(of layer: LayerID) throws -> [LayerID]
    /// Every pool that has a layer.
    func poolsWithLayers() throws -> Set<PoolID>
    /// All layers and pins of one pool. Grows with the pool: for the collector and the ledger.
    func layerTree(of pool: PoolID) throws -> LayerTree
    /// The part of a pool's tree that is connected with a layer: all that stands on the same base.
    ///
    /// What one request needs, whatever the size of the pool.
    func layerTree(around layer: LayerID) throws -> LayerTree

    func findJob(_ id: JobID) throws -> Job?
    func findJob(idempotencyKey key: String, user: UserID?) throws -> Job?
    /// Jobs that have not ended, oldest first.
    func openJobs() throws -> [Job]
    /// Newest first.
    func listJobs(in environment: EnvironmentID, page: PageRequest) throws -> CatalogPage<Job>

    /// Newest first.
    func listActivity(_ filter: ActivityFilter, page: PageRequest) throws -> CatalogPage<ActivityEntry>

    func findUser(_ id: UserID) throws -> User?
    func findUser(named name: String) throws -> User?
    func listUsers() throws -> [User]
    /// The stored form of a user's password, as the composition root made it.
    func passwordVerifier(of user: UserID) throws -> String?
    func findKey(digest: Data) throws -> StoredKey?
    func keys(of user: UserID) throws -> [StoredKey]
    /// Also one that has expired: the caller compares.
    func findSession(digest: Data) throws -> StoredSession?
    func roles(of user: UserID) throws -> [EnvironmentID: Role]
    func members(of environment: EnvironmentID) throws -> [(user: User, role: Role)]
}

/// A reader that can change what it reads.
///
/// Nothing it does is visible or durable before the transaction ends.
///
/// `insert` of a taken name throws ``CatalogFault`` with code `nameTaken`, one of a taken identity or with a reference to what
/// is not there with code `conflict`. `update` replaces the whole row, and throws `conflict` when it is gone; `delete` of what is
/// gone does nothing.
package protocol CatalogWriter: CatalogReader {
    func insert(_ environment: Environment) throws
    func update(_ environment: Environment) throws
    func deleteEnvironment(_ id: EnvironmentID) throws

    func insert(_ volume: Volume) throws
    func update(_ volume: Volume) throws
    func deleteVolume(_ id: VolumeID) throws

    func insert(_ snapshot: Snapshot) throws
    func update(_ snapshot: Snapshot) throws
    func deleteSnapshot(_ id: SnapshotID) throws

    func insert(_ image: MemoryImage) throws
    func update(_ image: MemoryImage) throws
    func deleteMemoryImage(_ id: SnapshotGroupID) throws

    func insert(_ template: Template) throws
    func update(_ template: Template) throws
    func deleteTemplate(_ id: TemplateID) throws

    /// Copies go with their template.
    func insert(_ copy: TemplateCopy) throws
    func deleteCopy(of template: TemplateID, in pool: PoolID) throws

    func insert(_ instance: Instance) throws
    func update(_ instance: Instance) throws
    func deleteInstance(_ id: InstanceID) throws

    /// Refused when the resource has a tag of that key. A tag goes with its resource.
    func insert(_ tag: ResourceTag) throws
    /// Deletes the tag of a key, whatever its value unless one is given.
    func deleteTag(of resource: ResourceReference, _ tag: TagCondition) throws

    /// After all others in their order.
    func insert(_ offering: ComputeOffering) throws
    func update(_ offering: ComputeOffering) throws
    /// After all others in their order.
    func insert(_ offering: DiskOffering) throws
    func update(_ offering: DiskOffering) throws

    /// Refused when the volume has one of the interval. Policies go with their volume.
    func insert(_ policy: SnapshotPolicy) throws
    func update(_ policy: SnapshotPolicy) throws
    func deletePolicy(_ id: PolicyID) throws

    func insert(_ layer: Layer) throws
    func update(_ layer: Layer) throws
    /// Refused by the schema while a pin or a child refers to it.
    ///
    func deleteLayer(_ id: LayerID) throws

    func insert(_ job: Job) throws
    func update(_ job: Job) throws
    /// Forgets jobs that ended before an instant.
    func deleteJobs(endedBefore instant: Date) throws

    /// Returns the identity that the line gets.
    @discardableResult
    func append(_ entry: ActivityEntry) throws -> ActivityEntry.ID

    func insert(_ user: User, passwordVerifier: String) throws
    func update(_ user: User) throws
    func setPasswordVerifier(_ verifier: String, of user: UserID) throws
    func deleteUser(_ id: UserID) throws
    func insert(_ key: StoredKey) throws
    func deleteKey(digest: Data) throws
    /// Does nothing for a key that is gone.
    ///
    /// A write waits for the disk, so the caller notes a use once in a while, not each.
    func noteUse(ofKey digest: Data, at instant: Date) throws
    func insert(_ session: StoredSession) throws
    func deleteSession(digest: Data) throws
    /// Signs a user out everywhere.
    func deleteSessions(of user: UserID) throws
    func deleteSessions(expiredAt instant: Date) throws
    func setRole(_ role: Role?, of user: UserID, in environment: EnvironmentID) throws
}
