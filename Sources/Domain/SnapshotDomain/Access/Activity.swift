package import Foundation

/// One line of the activity log: who did what, on what, from where, and how it ended.
package struct ActivityEntry: Hashable, Sendable, Codable, Identifiable {
    /// Stored.
    package enum Status: String, Sendable, Codable, CaseIterable {
        case started
        case succeeded
        case failed
        case cancelled
    }

    package let id: Int64
    package let environment: EnvironmentID?
    package let actor: Actor
    /// Stable, dotted: `snapshots.create`.
    package let event: String
    package let subjectKind: String
    package let subjectID: String
    package let subjectName: String
    package let job: JobID?
    package let status: Status
    package let message: String?
    package let createdAt: Date
    /// When the job that it tells of was asked for; nil for a change that needed none.
    package let scheduledAt: Date?
    /// When that job began to run; nil too for one that never did.
    package let startedAt: Date?

    package init(
        id: Int64 = 0,
        environment: EnvironmentID?,
        actor: Actor,
        event: String,
        subjectKind: String,
        subjectID: String,
        subjectName: String,
        job: JobID?,
        status: Status,
        message: String? = nil,
        createdAt: Date,
        scheduledAt: Date? = nil,
        startedAt: Date? = nil
    ) {
        self.id = id
        self.environment = environment
        self.actor = actor
        self.event = event
        self.subjectKind = subjectKind
        self.subjectID = subjectID
        self.subjectName = subjectName
        self.job = job
        self.status = status
        self.message = message
        self.createdAt = createdAt
        self.scheduledAt = scheduledAt
        self.startedAt = startedAt
    }
}
