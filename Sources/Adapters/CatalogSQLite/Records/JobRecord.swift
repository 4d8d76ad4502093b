import Foundation
import GRDB
import SnapshotDomain

struct JobRecord: Record {
    static let table = "jobs"

    let job: Job

    init(_ job: Job) {
        self.job = job
    }

    init(row: Row) throws {
        job = Job(
            id: try row.identifier("id"),
            kind: try row.word("kind"),
            title: try row.value("title"),
            environment: try row.identifier("environment_id"),
            actor: try row.actor(),
            subjects: try row.json("subjects", as: [StoredSubject].self).map(\.subject),
            reads: try row.json("reads", as: [StoredSubject].self).map(\.subject),
            program: try row.value("program"),
            phase: try row.jobPhase(),
            isCancelRequested: try row.value("is_cancel_requested"),
            createdAt: try row.instant("created_at"),
            idempotencyKey: try row.optional("idempotency_key")
        )
    }

    var columns: KeyValuePairs<String, (any DatabaseValueConvertible)?> {
        get throws {
            let phase = job.phase.stored
            return [
                "id": job.id.stored,
                "kind": job.kind.rawValue,
                "title": job.title,
                "environment_id": job.environment.stored,
                "actor_user_id": job.actor.user?.stored,
                "actor_name": job.actor.name,
                "actor_address": job.actor.address,
                "subjects": try json(job.subjects.map(StoredSubject.init)),
                "reads": try json(job.reads.map(StoredSubject.init)),
                "program": job.program,
                "phase": phase.word.rawValue,
                "started_at": phase.startedAt?.stored,
                "ended_at": phase.endedAt?.stored,
                "outcome": phase.outcome?.rawValue,
                "error": try phase.error.map(json),
                "is_cancel_requested": job.isCancelRequested,
                "created_at": job.createdAt.stored,
                "idempotency_key": job.idempotencyKey,
            ]
        }
    }
}

/// The word for where a job is in its life: stored, append-only.
private enum PhaseWord: String {
    case queued
    case running
    case ended
}

/// The word for how a job ended: stored, append-only.
private enum OutcomeWord: String {
    case succeeded
    case failed
    case cancelled
}

private struct StoredPhase {
    var word: PhaseWord
    var startedAt: Date?
    var endedAt: Date?
    var outcome: OutcomeWord?
    var error: ServiceError?
}

extension Job.Phase {
    fileprivate var stored: StoredPhase {
        switch self {
        case .queued: StoredPhase(word: .queued)
        case .running(let since): StoredPhase(word: .running, startedAt: since)
        case .ended(.succeeded, let at): StoredPhase(word: .ended, endedAt: at, outcome: .succeeded)
        case .ended(.failed(let error), let at):
            StoredPhase(word: .ended, endedAt: at, outcome: .failed, error: error)
        case .ended(.cancelled, let at): StoredPhase(word: .ended, endedAt: at, outcome: .cancelled)
        }
    }
}

extension Row {
    fileprivate func jobPhase() throws -> Job.Phase {
        switch try word("phase", as: PhaseWord.self) {
        case .queued: .queued
        case .running: .running(since: try instant("started_at"))
        case .ended: .ended(try jobOutcome(), at: try instant("ended_at"))
        }
    }

    private func jobOutcome() throws -> Job.Outcome {
        switch try word("outcome", as: OutcomeWord.self) {
        case .succeeded: .succeeded
        case .failed: .failed(try json("error"))
        case .cancelled: .cancelled
        }
    }
}
