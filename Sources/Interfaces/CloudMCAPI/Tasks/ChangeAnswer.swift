import HTTPCommon
import HTTPTypes
import Hummingbird
import SnapshotDomain
import SnapshotServices

/// Answers to changes: a task, and its result where it is there already.
extension Call {
    var results: TaskResults {
        TaskResults(cloud: cloud, configuration: configuration, caller: caller)
    }

    /// Answers with a job, after waiting for it as long as the caller asked to (`Prefer: wait=<seconds>`), and else
    /// only as long as quick work takes: so a snapshot's answer says SUCCESS, and no client has to poll for it.
    ///
    /// A `result` is given where a success has another one than the job itself tells.
    func answer(
        _ job: JobID,
        result: (() async throws(ServiceError) -> AnyPayload)? = nil
    ) async throws -> Response {
        let wish = Prefer(request.headers[values: .prefer])
        let limit = wish.wait.map { min($0, configuration.longestWait) } ?? configuration.patience
        let task = try await cloud.awaitTask(job, atMost: limit, caller)
        let data: AnyPayload? =
            if task.status == .succeeded, let result { try await result() } else { try await results.result(of: task) }
        let payload = ChangePayload(taskId: job.description, taskStatus: TaskWord(task.status), data: data)
        var headers: HTTPFields = [:]
        if wish.wait != nil { headers[.preferenceApplied] = "wait=\(limit.components.seconds)" }
        return try .json(payload, headers: headers)
    }

    /// Answers a change that was made at once and has no job.
    ///
    /// Its task is done, and known to nobody afterwards.
    func answer(done result: some Encodable & Sendable) throws -> Response {
        try .json(
            ChangePayload(taskId: JobID.random().description, taskStatus: .success, data: AnyPayload(result))
        )
    }
}

/// What we read of RFC 7240's header.
struct Prefer: Equatable {
    /// How long the caller is willing to wait for the answer.
    let wait: Duration?

    init(_ values: [String]) {
        let preferences = values.flatMap { $0.split(separator: ",") }
        wait =
            preferences.lazy.compactMap { preference -> Duration? in
                let parts = preference.split(separator: "=", maxSplits: 1).map { part in
                    String(part.drop { $0 == " " }.prefix { $0 != " " && $0 != ";" })
                }
                guard parts.count == 2, parts[0].lowercased() == "wait", let seconds = UInt16(parts[1]) else {
                    return nil
                }
                return .seconds(Int64(seconds))
            }.first
    }
}
