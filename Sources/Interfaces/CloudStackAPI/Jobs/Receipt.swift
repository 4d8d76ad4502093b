import Foundation
import SnapshotDomain

/// The id of a job that ended as it began: a command that the protocol has a job for, and that takes no time here.
///
/// It names the line of the activity log that says what was done, and is as lasting as that.
struct Receipt: Hashable, Sendable {
    private static let prefix: [UInt8] = [0x1A, 0x57, 0xA1, 0x7A, 0, 0, 0x80, 0, 0x90]

    let line: ActivityEntry.ID

    init(line: ActivityEntry.ID) {
        self.line = line
    }

    /// Nil for the id of a job that took its time.
    init?(_ job: JobID) {
        let bytes = withUnsafeBytes(of: job.uuid.uuid) { Array($0) }
        guard bytes.starts(with: Self.prefix) else { return nil }
        line = bytes.dropFirst(Self.prefix.count).reduce(0) { $0 << 8 | Int64($1) }
    }

    var job: JobID {
        let tail = (0..<7).map { UInt8(truncatingIfNeeded: line >> (8 * (6 - $0))) }
        var uuid: uuid_t = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        withUnsafeMutableBytes(of: &uuid) { $0.copyBytes(from: Self.prefix + tail) }
        return JobID(UUID(uuid: uuid))
    }
}

extension Shapes {
    /// A line of the log as the job that it stands for.
    static let receipt = Shape<ActivityEntry>(
        "asyncjobs",
        [
            .text("jobid", "The id.") { Receipt(line: $0.id).job.description },
            .text("cmd", "The command.") { $0.event },
            .text("accountid", "Whose it is.") { $0.actor.user?.description },
            .text("userid", "Who asked.") { $0.actor.user?.description },
            .instant("created", "When it was asked for.") { $0.createdAt },
            .instant("completed", "When it ended.") { $0.createdAt },
            .integer("jobstatus", "1: it succeeded.") { _ in 1 },
            .integer("jobprocstatus", "0.") { _ in 0 },
            .integer("jobresultcode", "0.") { _ in 0 },
            .always("jobresulttype", "The kind of result.", "object"),
            .map("jobresult", "The result.") { _ in ["success": .flag(true)] },
        ]
    )
}
