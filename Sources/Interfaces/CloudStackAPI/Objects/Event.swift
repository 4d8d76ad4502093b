import Foundation
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// Where the work that an event tells of is.
enum EventStage: String, Sendable, CaseIterable {
    case scheduled = "Scheduled"
    case started = "Started"
    case completed = "Completed"
}

/// One event of this protocol.
///
/// Nothing is stored for it: a job has three, `Scheduled`, `Started` and `Completed`, made from its line of the activity log or,
/// before it has ended, from the job; what needs no job has one. Several things that one job makes share the first two.
struct Event: Hashable, Sendable {
    let id: JobID
    let code: String
    let stage: EventStage
    let status: ActivityEntry.Status
    let message: String?
    let createdAt: Date
    let parent: JobID?
    let actor: Actor
    let subjectKind: String
    let subjectID: String
    let subjectName: String
    let job: JobID?

    var type: String { EventWords.type(of: code, subjectKind) }
    var level: String { status == .failed ? "ERROR" : "INFO" }

    var text: String {
        let what = "\(code) \(subjectName): \(stage == .completed ? status.rawValue : stage.rawValue.lowercased())"
        return message.map { "\(what). \($0)" } ?? what
    }

    /// The events that some lines of the log tell of, which come newest first.
    static func all(of lines: [ActivityEntry]) -> [Event] {
        var told: Set<JobID> = []
        return lines.flatMap { line -> [Event] in
            guard let job = line.job, let scheduledAt = line.scheduledAt else {
                return [Event(line, .completed, Receipt(line: line.id).job, at: line.createdAt, parent: nil)]
            }
            var events = [Event(line, .completed, Receipt(line: line.id).job, at: line.createdAt, parent: job)]
            guard told.insert(job).inserted else { return events }
            if let startedAt = line.startedAt {
                events.append(Event(line, .started, job.companion, at: startedAt, parent: job))
            }
            events.append(Event(line, .scheduled, job, at: scheduledAt, parent: nil))
            return events
        }
    }

    /// Those of a job that has not ended.
    static func all(of job: Job) -> [Event] {
        guard let subject = job.mainSubject else { return [] }
        func event(_ stage: EventStage, _ id: JobID, at instant: Date, parent: JobID?) -> Event {
            Event(
                id: id,
                code: job.kind.event,
                stage: stage,
                status: .started,
                message: nil,
                createdAt: instant,
                parent: parent,
                actor: job.actor,
                subjectKind: subject.kind,
                subjectID: subject.id,
                subjectName: job.title,
                job: job.id
            )
        }
        let scheduled = event(.scheduled, job.id, at: job.createdAt, parent: nil)
        guard case .running(let since) = job.phase else { return [scheduled] }
        return [event(.started, job.id.companion, at: since, parent: job.id), scheduled]
    }

    /// The order of lists: of one instant, what ended before what began.
    static func isNewer(_ one: Event, _ other: Event) -> Bool {
        (one.createdAt, one.stage.order, one.id) > (other.createdAt, other.stage.order, other.id)
    }

    private init(
        id: JobID,
        code: String,
        stage: EventStage,
        status: ActivityEntry.Status,
        message: String?,
        createdAt: Date,
        parent: JobID?,
        actor: Actor,
        subjectKind: String,
        subjectID: String,
        subjectName: String,
        job: JobID?
    ) {
        self.id = id
        self.code = code
        self.stage = stage
        self.status = status
        self.message = message
        self.createdAt = createdAt
        self.parent = parent
        self.actor = actor
        self.subjectKind = subjectKind
        self.subjectID = subjectID
        self.subjectName = subjectName
        self.job = job
    }

    /// How it ended is told by its end alone.
    private init(_ line: ActivityEntry, _ stage: EventStage, _ id: JobID, at instant: Date, parent: JobID?) {
        self.init(
            id: id,
            code: line.event,
            stage: stage,
            status: stage == .completed ? line.status : .started,
            message: stage == .completed ? line.message : nil,
            createdAt: instant,
            parent: parent,
            actor: line.actor,
            subjectKind: line.subjectKind,
            subjectID: line.subjectID,
            subjectName: line.subjectName,
            job: line.job
        )
    }
}

extension EventStage {
    fileprivate var order: Int {
        switch self {
        case .scheduled: 0
        case .started: 1
        case .completed: 2
        }
    }
}

extension JobID {
    /// A second identity that goes with a job's own: of the event that says that it began.
    fileprivate var companion: JobID {
        var bytes = uuid.uuid
        bytes.15 ^= 0xFF
        return JobID(UUID(uuid: bytes))
    }
}

/// Which events a caller wants.
struct EventFilter: Sendable {
    /// Which lines of the log can tell of them.
    let lines: ActivityFilter
    private let id: String?
    private let start: String?
    private let codes: [String]?
    private let type: String?
    private let level: String?
    private let state: String?
    private let from: Date?
    private let until: Date?
    private let resource: String?
    private let kind: String?
    private let keyword: String?

    init(_ arguments: Arguments) {
        id = arguments.text("id")?.lowercased()
        start = arguments.text("startid")?.lowercased()
        type = arguments.text("type")?.lowercased()
        codes = arguments.text("type").map { EventWords.codes(of: $0) }
        level = arguments.word("level")
        state = arguments.word("state")
        from = arguments.date("startdate")
        until = arguments.date("enddate")
        resource = arguments.text("resourceid")?.lowercased()
        kind = arguments.text("resourcetype")?.lowercased()
        keyword = arguments.text("keyword")?.lowercased()
        lines = ActivityFilter(
            event: codes?.count == 1 ? codes?.first : nil,
            status: level == "ERROR" ? .failed : nil,
            // What ended later may have been asked for earlier, so there is no upper bound.
            from: from,
            subject: resource
        )
    }

    func fits(_ event: Event) -> Bool {
        (id == nil || id == event.id.description)
            && (start == nil || start == event.id.description || start == event.parent?.description)
            && (type == nil || type == event.type.lowercased())
            && (codes?.contains(event.code) ?? true)
            && (level == nil || level == event.level)
            && (state == nil || state == event.stage.rawValue)
            && (from.map { event.createdAt >= $0 } ?? true)
            && (until.map { event.createdAt < $0 } ?? true)
            && (resource == nil || resource == event.subjectID)
            && (kind == nil || kind == EventWords.kind(event.subjectKind).lowercased())
            && (keyword.map { event.text.lowercased().contains($0) } ?? true)
    }
}
