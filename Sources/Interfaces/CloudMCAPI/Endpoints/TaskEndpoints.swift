import HTTPCommon
import Hummingbird
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// `/tasks`, and **ext** the tasks of one environment.
enum TaskEndpoints {
    static let all: [Endpoint] = [
        .get("/tasks/:id", show),
        .post("/tasks/:id", operation: "cancel", cancel),
        .get(environmentRoot + "/tasks", list),
    ]

    @Sendable
    private static func show(_ call: Call) async throws -> Response {
        let id: JobID = try call.id("tasks")
        let wish = Prefer(call.request.headers[values: .prefer])
        let task =
            if let wait = wish.wait {
                try await call.cloud.awaitTask(id, atMost: min(wait, call.configuration.longestWait), call.caller)
            } else {
                try await call.cloud.task(id, call.caller)
            }
        return try .json(TaskPayload(task, result: try await call.results.result(of: task)))
    }

    @Sendable
    private static func cancel(_ call: Call) async throws -> Response {
        let task = try await call.cloud.cancelTask(try call.id("tasks"), call.caller)
        return try .json(TaskPayload(task, result: try await call.results.result(of: task)))
    }

    /// Newest first, without results: each would be another question to the service.
    @Sendable
    private static func list(_ call: Call) async throws -> Response {
        let environment = try await call.environment()
        let list = ListAnswer(order: .newestFirst) { _, page async throws(ServiceError) in
            try await call.cloud.listTasks(in: environment.id, page: page, call.caller)
        }
        return try await list.response(try ListQuery(call.query)) { TaskPayload($0, result: nil).data }
    }
}
