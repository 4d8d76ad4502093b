import SnapshotDomain
import Testing

@testable import SnapshotServices

/// The queue against its own rules, over every small case: three jobs on two subjects, in every way that they can use
/// them, ended in every order.
@Suite("job queue")
struct JobQueueTests {
    private static let subjects = [JobSubject.volume(.random()), JobSubject.volume(.random())]
    private static let environments = [EnvironmentID.random(), EnvironmentID.random()]

    /// What a job does with a subject.
    private enum Use: CaseIterable { case nothing, reads, changes }

    private static func entries(heavy: [Bool]) -> [JobQueue.Entry] {
        var entries: [JobQueue.Entry] = []
        for first in Use.allCases {
            for second in Use.allCases {
                for isHeavy in heavy {
                    for environment in isHeavy ? environments : [environments[0]] {
                        let uses = zip(subjects, [first, second])
                        entries.append(
                            JobQueue.Entry(
                                id: .random(),
                                environment: environment,
                                changes: Set(uses.filter { $0.1 == .changes }.map(\.0)),
                                reads: Set(uses.filter { $0.1 == .reads }.map(\.0)),
                                isHeavy: isHeavy
                            )
                        )
                    }
                }
            }
        }
        return entries
    }

    @Test("light jobs run exactly when nothing before them matters, whatever ends first")
    func lightJobs() throws {
        let shapes = Self.entries(heavy: [false])
        for first in shapes {
            for second in shapes {
                for third in shapes {
                    let jobs = [first, second, third].map(Self.renamed)
                    for order in Self.orders {
                        var run = QueueRun(heavySlots: 1)
                        for job in jobs { try run.add(job) }
                        for index in order { try run.remove(jobs[index].id) }
                        try #require(run.queue.runningCount == 0 && run.queue.waitingCount == 0)
                    }
                }
            }
        }
    }

    @Test("heavy jobs never exceed their slots, and never leave one empty")
    func heavyJobs() throws {
        let shapes = Self.entries(heavy: [true, false])
        for first in shapes where first.isHeavy {
            for second in shapes {
                for third in shapes where third.isHeavy {
                    let jobs = [first, second, third].map(Self.renamed)
                    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
                        var run = QueueRun(heavySlots: 1)
                        for job in jobs { try run.add(job) }
                        for index in order { try run.remove(jobs[index].id) }
                    }
                }
            }
        }
    }

    @Test("a free slot goes to the environment that has the fewest")
    func slotsAreFair() throws {
        let (busy, patient) = (Self.environments[0], Self.environments[1])
        var queue = JobQueue(heavySlots: 2)
        func heavy(_ environment: EnvironmentID) -> JobQueue.Entry {
            JobQueue.Entry(id: .random(), environment: environment, changes: [], isHeavy: true)
        }
        let flood = (0..<5).map { _ in heavy(busy) }
        let started = flood.flatMap { queue.add($0) }
        #expect(started == flood.prefix(2).map(\.id))
        let late = heavy(patient)
        #expect(queue.add(late).isEmpty)
        #expect(queue.remove(flood[0].id) == [late.id], "it came last, and its environment had nothing")
        #expect(queue.remove(flood[1].id) == [flood[2].id], "both have one or none: arrival decides")
    }

    @Test("jobs that wait for the network have slots of their own, as fair")
    func networkSlots() {
        let (busy, patient) = (Self.environments[0], Self.environments[1])
        var queue = JobQueue(heavySlots: 1, networkSlots: 2)
        func fetch(_ environment: EnvironmentID) -> JobQueue.Entry {
            JobQueue.Entry(id: .random(), environment: environment, changes: [], usesNetwork: true)
        }
        let flood = (0..<4).map { _ in fetch(busy) }
        #expect(flood.flatMap { queue.add($0) } == flood.prefix(2).map(\.id))
        let heavy = (0..<2).map { _ in JobQueue.Entry(id: .random(), environment: busy, changes: [], isHeavy: true) }
        #expect(heavy.flatMap { queue.add($0) } == [heavy[0].id], "a full network holds up no disk")
        let late = fetch(patient)
        #expect(queue.add(late).isEmpty)
        #expect(queue.position(of: heavy[1].id) == 0, "those that wait for other slots are not before it")
        #expect(queue.position(of: late.id) == 2)
        #expect(queue.remove(heavy[0].id) == [heavy[1].id])
        #expect(queue.remove(flood[0].id) == [late.id], "its environment had nothing")
        #expect(queue.remove(flood[2].id).isEmpty, "one that waits gives no slot back")
        #expect(queue.remove(flood[1].id) == [flood[3].id])
    }

    @Test("jobs on one subject run in the order they came")
    func firstInFirstOut() {
        let subject = Self.subjects[0]
        var queue = JobQueue(heavySlots: 1)
        let jobs = (0..<4).map { _ in Self.job(changes: [subject]) }
        #expect(jobs.flatMap { queue.add($0) } == [jobs[0].id])
        for (job, next) in zip(jobs, jobs.dropFirst()) { #expect(queue.remove(job.id) == [next.id]) }
    }

    @Test("readers share, a change waits for all of them, and later readers wait for the change")
    func readersShare() {
        let subject = Self.subjects[0]
        var queue = JobQueue(heavySlots: 1)
        let readers = (0..<2).map { _ in Self.job(reads: [subject]) }
        let change = Self.job(changes: [subject])
        let late = Self.job(reads: [subject])
        #expect(readers.flatMap { queue.add($0) } == readers.map(\.id))
        #expect(queue.add(change).isEmpty)
        #expect(queue.add(late).isEmpty)
        #expect(queue.remove(readers[0].id).isEmpty)
        #expect(queue.remove(readers[1].id) == [change.id])
        #expect(queue.remove(change.id) == [late.id])
    }

    @Test("a waiting job that is cancelled lets those behind it pass")
    func cancellingAWaitingJob() {
        let subject = Self.subjects[0]
        var queue = JobQueue(heavySlots: 1)
        let reader = Self.job(reads: [subject])
        let change = Self.job(changes: [subject])
        let late = Self.job(reads: [subject])
        for job in [reader, change, late] { _ = queue.add(job) }
        #expect(queue.remove(change.id) == [late.id])
        #expect(queue.runningCount == 2)
    }

    @Test("a position counts the jobs ahead, and a running job has none")
    func positions() {
        let subject = Self.subjects[0]
        var queue = JobQueue(heavySlots: 1)
        let jobs = (0..<3).map { _ in Self.job(changes: [subject]) }
        for job in jobs { _ = queue.add(job) }
        #expect(jobs.map { queue.position(of: $0.id) } == [nil, 1, 2])
        #expect(queue.position(of: .random()) == nil)
        #expect(queue.holder(of: subject) == jobs[0].id)
        _ = queue.remove(jobs[1].id)
        #expect(queue.position(of: jobs[2].id) == 1)
    }

    @Test("only a job that changes a subject holds it")
    func holders() {
        let subject = Self.subjects[0]
        var queue = JobQueue(heavySlots: 1)
        _ = queue.add(Self.job(reads: [subject]))
        #expect(queue.holder(of: subject) == nil)
        let change = Self.job(changes: [subject])
        _ = queue.add(change)
        #expect(queue.holder(of: subject) == change.id)
    }

    private static let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]

    private static func job(
        changes: Set<JobSubject> = [],
        reads: Set<JobSubject> = []
    ) -> JobQueue.Entry {
        JobQueue.Entry(id: .random(), environment: environments[0], changes: changes, reads: reads)
    }

    /// The same job under an identity of its own, as one shape can come twice.
    private static func renamed(_ entry: JobQueue.Entry) -> JobQueue.Entry {
        var copy = entry
        copy.id = .random()
        return copy
    }
}

/// A queue, and what its documentation says must be so after each change.
private struct QueueRun {
    private(set) var queue: JobQueue
    private let heavySlots: Int
    /// In the order of arrival.
    private var present: [JobQueue.Entry] = []
    private var running: Set<JobID> = []

    init(heavySlots: Int) {
        queue = JobQueue(heavySlots: heavySlots)
        self.heavySlots = heavySlots
    }

    mutating func add(_ entry: JobQueue.Entry) throws {
        present.append(entry)
        try note(queue.add(entry))
    }

    mutating func remove(_ id: JobID) throws {
        present.removeAll { $0.id == id }
        running.remove(id)
        try note(queue.remove(id))
    }

    private mutating func note(_ started: [JobID]) throws {
        // Nothing starts twice.
        try #require(Set(started).count == started.count && running.isDisjoint(with: started))
        running.formUnion(started)
        let heavyRunning = present.filter { $0.isHeavy && running.contains($0.id) }.count
        try #require(heavyRunning <= heavySlots)
        for (index, entry) in present.enumerated() {
            let isFree = !present[..<index].contains { Self.conflict($0, entry) }
            let mayRun = isFree && (!entry.isHeavy || running.contains(entry.id) || heavyRunning < heavySlots)
            try #require(running.contains(entry.id) == mayRun)
            try #require(queue.isRunning(entry.id) == mayRun)
            try #require((queue.position(of: entry.id) == nil) == mayRun)
        }
    }

    /// Both name a subject, and one of them changes it.
    private static func conflict(_ left: JobQueue.Entry, _ right: JobQueue.Entry) -> Bool {
        !left.changes.isDisjoint(with: right.changes.union(right.reads))
            || !right.changes.isDisjoint(with: left.reads)
    }
}
