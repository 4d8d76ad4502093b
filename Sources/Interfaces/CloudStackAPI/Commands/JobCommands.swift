import SnapshotDomain
import SnapshotPorts
import SnapshotServices

enum JobCommands {
    static let all: [Command] = [query, list]

    private static let query = Command(
        name: "queryAsyncJobResult",
        summary: "Says how far a job is, and what came of it.",
        kind: .synchronous,
        access: .anybody,
        parameters: [Parameter("jobid", .id(.job), "The job.").required],
        result: ResultDescription(Shapes.job),
        deviations: ["While bytes are copied it tells the progress. Members of an environment see each other's jobs."],
        handler: { call in
            let id: JobID = try call.requiredID("jobid")
            if let receipt = Receipt(id) { return try await answer(receipt, call) }
            let task: TaskView
            do throws(ServiceError) {
                task = try await call.cloud.task(id, call.caller)
            } catch {
                guard error.code == .notFound else { throw error }
                throw PlaceFinder.unknown(id.description, "jobid", call.command)
            }
            guard case .object(let fields) = Shapes.job.json(try await entry(task, call)) else { return .fields([:]) }
            return .fields(fields)
        }
    )

    private static func answer(_ receipt: Receipt, _ call: Call) async throws -> Answer {
        // Operators also see what happened outside of every environment.
        let isOperator = call.caller.principal.user.isOperator
        let places = isOperator ? [nil] : try await call.cloud.listEnvironments(call.caller).map(\.id)
        for environment in places {
            let filter = ActivityFilter(environment: environment, id: receipt.line)
            let found = try await call.cloud.listActivity(filter, page: .all, call.caller)
            guard let line = found.rows.first, case .object(var fields) = Shapes.receipt.json(line) else { continue }
            if line.event == "policies.update", let policy = try? await call.policy(line.subjectID, "jobid") {
                fields["jobresult"] = .object([Shapes.policy.name: Shapes.policy.json(policy)])
            }
            if line.event == "volumes.destroy", let id = VolumeID(line.subjectID), let place = line.environment,
                let volume = try? await call.volume(id, in: place)
            {
                fields["jobresult"] = .object([Shapes.volume.name: Shapes.volume.json(try await call.owned(volume))])
            }
            return .fields(fields)
        }
        throw PlaceFinder.unknown(receipt.job.description, "jobid", call.command)
    }

    private static let list = Command.list(
        "listAsyncJobs",
        "Lists jobs, newest first.",
        [Parameter("startdate", .date, "Those since then."), .keyword],
        of: Shapes.job
    ) { call in
        let start = call.arguments.date("startdate")
        let word = call.arguments.text("keyword")?.lowercased()
        let page = try Page(call.arguments)
        var found: [TaskView] = []
        for environment in call.environments {
            var request = PageRequest.all
            while true {
                let tasks = try await call.cloud.listTasks(in: environment.id, page: request, call.caller)
                found += tasks.rows
                request.offset += tasks.rows.count
                guard request.offset < tasks.total, !tasks.rows.isEmpty else { break }
            }
        }
        found = found.filter { task in
            (start.map { task.job.createdAt >= $0 } ?? true)
                && (word.map { JobWords.command(task.job).lowercased().contains($0) } ?? true)
        }
        var rows: [JSON] = []
        for task in page.cut(found) { rows.append(Shapes.job.json(try await entry(task, call))) }
        return .rows(rows, total: found.count, named: Shapes.job.name)
    }

    private static func entry(_ task: TaskView, _ call: Call) async throws -> JobEntry {
        JobEntry(task: task, result: try await JobResult(call: call).json(of: task))
    }
}
