package import Foundation

/// One piece of work that changes something: durable from before its first step until long after its last.
///
/// What it does, with every identifier chosen beforehand, is in ``program``, which only the engine reads.
package struct Job: Hashable, Sendable, Codable, Identifiable {
    /// What is done.
    ///
    /// Stored, append-only. The faces derive their states from it: a volume held by a `createSnapshots` job is
    /// *Snapshotting*.
    package enum Kind: String, Sendable, Codable, CaseIterable {
        case createSnapshots = "create_snapshots"
        case deleteSnapshot = "delete_snapshot"
        case verifySnapshot = "verify_snapshot"
        case revertVolumes = "revert_volumes"
        case createVolume = "create_volume"
        case deleteVolume = "delete_volume"
        case attachVolume = "attach_volume"
        case detachVolume = "detach_volume"
        case resizeVolume = "resize_volume"
        case moveVolume = "move_volume"
        case createTemplate = "create_template"
        case importTemplate = "import_template"
        case deleteTemplate = "delete_template"
        case deployInstances = "deploy_instances"
        case startInstance = "start_instance"
        case stopInstance = "stop_instance"
        case rebootInstance = "reboot_instance"
        case deleteInstance = "delete_instance"
        case deleteEnvironment = "delete_environment"
        case destroyInstance = "destroy_instance"
        case restoreInstance = "restore_instance"
    }

    /// How it ended.
    package enum Outcome: Hashable, Sendable, Codable {
        case succeeded
        case failed(ServiceError)
        case cancelled
    }

    /// Where it is between being recorded and being forgotten.
    package enum Phase: Hashable, Sendable, Codable {
        case queued
        case running(since: Date)
        case ended(Outcome, at: Date)

        package var isEnded: Bool {
            if case .ended = self { true } else { false }
        }
    }

    package let id: JobID
    package let kind: Kind
    /// The name, when the job was asked for, of what it is about: for people, and for the log when the thing is gone.
    package let title: String
    package let environment: EnvironmentID
    /// Who asked, for the activity log.
    package let actor: Actor
    /// What it changes, first the one that the job is about.
    ///
    /// Jobs that share a subject run in the order they came.
    package let subjects: [JobSubject]
    /// What it only reads: jobs that read the same thing run side by side, and wait for those that change it.
    package let reads: [JobSubject]
    /// The work as its author wrote it (JSON).
    ///
    /// Its steps find out by themselves what is done already, so that a job needs no record of its position: after a
    /// restart it runs again from the start.
    package var program: Data
    package var phase: Phase
    package var isCancelRequested: Bool
    package var createdAt: Date
    /// Joins a retry of the same request to this job.
    package var idempotencyKey: String?

    package init(
        id: JobID,
        kind: Kind,
        title: String,
        environment: EnvironmentID,
        actor: Actor,
        subjects: [JobSubject],
        reads: [JobSubject] = [],
        program: Data,
        phase: Phase = .queued,
        isCancelRequested: Bool = false,
        createdAt: Date,
        idempotencyKey: String? = nil
    ) {
        self.id = id
        self.kind = kind
        self.title = title
        self.environment = environment
        self.actor = actor
        self.subjects = subjects
        self.reads = reads
        self.program = program
        self.phase = phase
        self.isCancelRequested = isCancelRequested
        self.createdAt = createdAt
        self.idempotencyKey = idempotencyKey
    }
}

extension Job {
    /// The thing that the job is about.
    package var mainSubject: JobSubject? {
        subjects.first ?? reads.first
    }
}

/// A resource that a job works on: the key by which jobs queue.
package enum JobSubject: Hashable, Sendable, Codable {
    case volume(VolumeID)
    case snapshot(SnapshotID)
    case template(TemplateID)
    case instance(InstanceID)
    case environment(EnvironmentID)
}

/// How far a job is.
///
/// Kept in memory: after a restart it begins anew.
package struct JobProgress: Hashable, Sendable, Codable {
    package var doneBytes: ByteCount
    /// Zero while it is not known.
    package var totalBytes: ByteCount
    package var bytesPerSecond: Int64?
    package var remainingSeconds: Int?

    package init(
        doneBytes: ByteCount,
        totalBytes: ByteCount,
        bytesPerSecond: Int64? = nil,
        remainingSeconds: Int? = nil
    ) {
        self.doneBytes = doneBytes
        self.totalBytes = totalBytes
        self.bytesPerSecond = bytesPerSecond
        self.remainingSeconds = remainingSeconds
    }

    package var fraction: Double {
        totalBytes.bytes > 0 ? min(1, Double(doneBytes.bytes) / Double(totalBytes.bytes)) : 0
    }
}
