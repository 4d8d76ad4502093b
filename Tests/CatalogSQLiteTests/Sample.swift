import Foundation
import SnapshotDomain
import SnapshotPorts

/// Values to store, with nothing left to its default by accident.
enum Sample {
    static let instant = Date(timeIntervalSince1970: 1_763_821_801.25)

    static func name(_ text: String) throws -> ResourceName { try ResourceName(text) }

    static func environment(_ name: String = "production") throws -> Environment {
        Environment(id: .random(), name: try EnvironmentName(name), description: "Producción", createdAt: instant)
    }

    static func layer(on parent: LayerID? = nil, pool: PoolID = .local, id: LayerID = .random()) -> Layer {
        Layer(
            id: id,
            pool: pool,
            parent: parent,
            size: .gibibytes(10),
            allocated: .mebibytes(3),
            phase: .ready
        )
    }

    static func instance(_ name: String = "web01", in environment: EnvironmentID) throws -> Instance {
        Instance(
            id: .random(),
            environment: environment,
            name: try self.name(name),
            computeOffering: "tiny",
            cpuCount: 1,
            memory: .mebibytes(256),
            network: .user,
            power: .running,
            template: .random(),
            state: .available,
            createdAt: instant
        )
    }

    static func volume(
        _ name: String = "ROOT-web01",
        in environment: EnvironmentID,
        on layer: LayerID,
        attachment: Volume.Attachment? = nil,
        state: ResourceState = .available
    ) throws -> Volume {
        Volume(
            id: .random(),
            environment: environment,
            name: try self.name(name),
            role: .root,
            pool: .local,
            size: .gibibytes(10),
            activeLayer: layer,
            attachment: attachment,
            state: state,
            diskOffering: "disk-10",
            template: .random(),
            createdAt: instant
        )
    }

    static func snapshot(
        _ name: String = "before upgrade",
        in environment: EnvironmentID,
        on layer: LayerID,
        createdAt: Date = instant,
        state: ResourceState = .available
    ) throws -> Snapshot {
        Snapshot(
            id: .random(),
            environment: environment,
            name: try self.name(name),
            description: "the last good one",
            source: Snapshot.Source(
                volume: .random(),
                volumeName: try self.name("ROOT-web01"),
                role: .root,
                instance: .random(),
                instanceName: try self.name("web01")
            ),
            pool: .local,
            layer: layer,
            size: .gibibytes(10),
            origin: .manual,
            group: .random(),
            consistency: ConsistencyRecord(
                requested: .filesystem,
                achieved: .crash,
                freezeMilliseconds: 12,
                agentAnswer: "the agent said \"no\""
            ),
            verification: Verification(digest: ContentDigest("tree-sha256:00ff"), verifiedAt: instant),
            damage: Damage(reason: "Its content is not what it was.", foundAt: instant + 60),
            state: state,
            createdAt: createdAt
        )
    }

    static func template(_ name: String = "golden", in environment: EnvironmentID, on layer: LayerID) throws -> Template
    {
        Template(
            id: .random(),
            environment: environment,
            name: try self.name(name),
            description: "Debian with the agent",
            pool: .local,
            layer: layer,
            size: .gibibytes(2),
            options: TemplateOptions(
                osType: "debian-12",
                isSSHKeyEnabled: true,
                isPasswordEnabled: false,
                isDynamicallyScalable: true,
                isPublic: false
            ),
            state: .available,
            createdAt: instant
        )
    }

    static func job(
        in environment: EnvironmentID,
        user: UserID? = nil,
        phase: Job.Phase = .queued,
        idempotencyKey: String? = nil
    ) -> Job {
        Job(
            id: .random(),
            kind: .createSnapshots,
            title: "ROOT-web01",
            environment: environment,
            actor: Actor(user: user, name: "ada", address: "192.0.2.7"),
            subjects: [.volume(.random()), .instance(.random())],
            reads: [.snapshot(.random()), .template(.random()), .environment(.random())],
            program: Data(#"{"step":"switch"}"#.utf8),
            phase: phase,
            isCancelRequested: false,
            createdAt: instant,
            idempotencyKey: idempotencyKey
        )
    }

    static func user(_ name: String = "ada") -> User {
        User(id: .random(), name: name, isOperator: false, createdAt: instant)
    }

    static func key(_ byte: UInt8, of user: UserID, in environment: EnvironmentID? = nil) -> StoredKey {
        StoredKey(
            digest: Data(repeating: byte, count: 32),
            kind: environment == nil ? .rest : .query,
            user: user,
            environment: environment,
            secret: environment == nil ? nil : "signing secret",
            label: "nightly",
            hint: "x9_Q",
            createdAt: instant,
            lastUsedAt: environment == nil ? nil : instant + 60
        )
    }

    static func activity(
        in environment: EnvironmentID?,
        user: UserID? = nil,
        event: String = "snapshots.create",
        status: ActivityEntry.Status = .succeeded,
        at instant: Date = instant
    ) -> ActivityEntry {
        ActivityEntry(
            environment: environment,
            actor: Actor(user: user, name: "ada", address: "2001:db8::7"),
            event: event,
            subjectKind: "snapshots",
            subjectID: SnapshotID.random().description,
            subjectName: "before upgrade",
            job: .random(),
            status: status,
            message: "done in 12 ms",
            createdAt: instant
        )
    }
}

/// A random generator whose results can be had again.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    // SplitMix64.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
