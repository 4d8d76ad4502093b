import Foundation
import SnapshotDomain
import SnapshotServices

/// Any payload, where the kind of resource is only known when the answer is made.
struct AnyPayload: Encodable, Sendable {
    let value: any Encodable & Sendable

    init(_ value: any Encodable & Sendable) {
        self.value = value
    }

    func encode(to encoder: any Encoder) throws {
        try value.encode(to: encoder)
    }
}

/// The state of a task in CloudMC's three words.
enum TaskWord: String, Encodable, Sendable {
    case pending = "PENDING"
    case success = "SUCCESS"
    case failed = "FAILED"

    init(_ status: TaskView.Status) {
        switch status {
        case .queued, .running: self = .pending
        case .succeeded: self = .success
        case .failed, .cancelled: self = .failed
        }
    }
}

/// The answer to a change: the task, and what it made or did as soon as that is known.
struct ChangePayload: Encodable, Sendable {
    let taskId: String
    let taskStatus: TaskWord
    let data: AnyPayload?
}

/// A task in both shapes: at the top as documented, under `data` as clients read it.
struct TaskPayload: Encodable, Sendable {
    let taskId: String
    let taskStatus: TaskWord
    let result: AnyPayload?
    let data: DetailPayload

    struct DetailPayload: Encodable, Sendable {
        let id: String
        let status: TaskWord
        let created: String
        let result: AnyPayload?

        /// The rest is **ext**: `queued`, `running`, `succeeded`, `failed` or `cancelled`.
        let state: String
        let kind: String
        /// The name of what it is about.
        let title: String
        let environmentId: String
        let startedBy: String
        let ended: String?
        let isCancelRequested: Bool
        let queuePosition: Int?
        /// A pool that is down, until which is back nothing happens.
        let awaitedPool: String?
        let progress: ProgressPayload?
        let subjects: [SubjectPayload]
    }

    struct SubjectPayload: Encodable, Sendable {
        let type: String
        let id: String
    }

    init(_ task: TaskView, result: AnyPayload?) {
        let job = task.job
        taskId = job.id.description
        taskStatus = TaskWord(task.status)
        self.result = result
        var ended: String?
        if case .ended(_, let instant) = job.phase { ended = UTCStamp.iso8601(instant) }
        data = DetailPayload(
            id: taskId,
            status: taskStatus,
            created: UTCStamp.iso8601(job.createdAt),
            result: result,
            state: task.status.rawValue,
            kind: job.kind.rawValue,
            title: job.title,
            environmentId: job.environment.description,
            startedBy: job.actor.name,
            ended: ended,
            isCancelRequested: job.isCancelRequested,
            queuePosition: task.queuePosition,
            awaitedPool: task.awaitedPool?.description,
            progress: task.progress.map(ProgressPayload.init),
            subjects: job.subjects.map { SubjectPayload(type: $0.kind, id: $0.id) }
        )
    }
}
