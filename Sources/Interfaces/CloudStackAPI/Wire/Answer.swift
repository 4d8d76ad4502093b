import SnapshotDomain

/// What a command answers.
enum Answer: Sendable {
    /// A page of a list, with the number of rows on all pages.
    case rows([JSON], total: Int, named: String)
    case object(JSON, named: String)
    /// Fields right under the answer's one key.
    case fields([String: JSON])
    case success
    /// The work goes on behind a job; a creation says what it will have made.
    case job(JobID, creating: String? = nil)

    /// What stands under the answer's one key.
    var body: JSON {
        switch self {
        case .rows(_, total: 0, named: _):
            // Clients test the answer for truth and then index the array: it is empty when there is nothing.
            .object([:])
        case .rows(let rows, let total, let name):
            .object(["count": .integer(Int64(total))].merging(rows.isEmpty ? [:] : [name: .list(rows)]) { $1 })
        case .object(let object, let name):
            .object([name: object])
        case .fields(let fields):
            .object(fields)
        case .success:
            .object(["success": .flag(true)])
        case .job(let job, let created):
            .object(["jobid": .text(job.description)].merging(created.map { ["id": .text($0)] } ?? [:]) { $1 })
        }
    }
}
