import ArgumentParser

struct TaskCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "task",
        abstract: "What the service is doing: list, wait for it, cancel it.",
        discussion: """
            Every change is a task that goes on whatever happens to the one who asked for it, also over a restart of the \
            service.
            """,
        subcommands: [TaskListCommand.self, TaskShowCommand.self, TaskWaitCommand.self, TaskCancelCommand.self]
    )
}

/// How tasks are shown.
enum TaskLayout {
    static let list: [Field] = [
        .text(.event, "kind", fit: .stays), .text(.name, "title"), status, progress, started, user, id,
    ]
    static let sheet: [Field] = [
        .text(.event, "kind"), .text(.name, "title"), status, progress, started, ended, user, subjects, failure, id,
    ]

    private static let status = Field(title: .state) { task, reader in
        (task["state"].string ?? task["status"].string).map(reader.taskStatus)
    }

    private static let progress = Field(title: .progress) { task, reader in
        if let before = task["queuePosition"].int64, before > 0 {
            return Table.Cell("\(reader.word(.before)): \(before)", .working)
        }
        return Field.progress.cell(task, reader)
    }

    private static let started = Field.instant(.created, "created")
    private static let ended = Field.instant(.ended, "ended")
    private static let user = Field.text(.user, "startedBy")
    /// The id is what one does something with, and there is no name instead.
    private static let id = Field(title: .id) { task, _ in Table.Cell(task["id"].string) }

    private static let subjects = Field(title: .subject) { task, _ in
        let subjects = task["subjects"].elements.compactMap(DeletionSummary.dependent)
        return subjects.isEmpty ? nil : Table.Cell(subjects.joined(separator: ", "))
    }

    private static let failure = Field(title: .failure) { task, _ in
        task["result"]["errors"].elements.first?["message"].string.map { Table.Cell($0, .bad) }
    }
}

struct TaskListCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the tasks of the environment, newest first.",
        discussion: "Example: instanta task list --limit 5",
        aliases: ["ls"]
    )

    @Option(help: "At most this many.")
    var limit = 50

    @OptionGroup var shared: SharedOptions

    func validate() throws {
        guard limit >= 1 else { throw ValidationError("--limit must be at least 1.") }
    }

    func perform(_ call: Call) async throws {
        let endpoint = APIClient.Endpoint(path: try await call.environmentPath() + ["tasks"])
        try call.present(await call.client.list(endpoint, atMost: limit), fields: TaskLayout.list)
    }
}

struct TaskShowCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show how far a task is, or what came of it.",
        discussion: "Example: instanta task show 5f0c2a9e-…"
    )

    @Argument(help: "The task's id.")
    var task: String

    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        let answer = try await call.client.get(.init(path: ["tasks", task]))
        try call.present(answer, fields: TaskLayout.sheet)
    }
}

struct TaskWaitCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "wait",
        abstract: "Wait for tasks to end.",
        discussion: """
            Ends with the status of the task: 0 when it succeeded.

            Example: instanta task wait $(instanta snapshot verify before-upgrade --no-wait)
            """
    )

    @Argument(help: "Ids of tasks.")
    var tasks: [String]

    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        var failures = FailureCollector(call.surroundings, isSingle: tasks.count == 1)
        var ended = [JSONValue]()
        let waiter = TaskWaiter(client: call.client, surroundings: call.surroundings)
        for task in tasks {
            try await failures.collect(task) {
                _ = try await waiter.result(of: task, label: "Waiting for task \(task)")
                ended.append(try await call.client.get(.init(path: ["tasks", task])))
            }
        }
        if !ended.isEmpty { try call.present(ended, fields: TaskLayout.list) }
        try failures.conclude()
    }
}

struct TaskCancelCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "Cancel tasks.",
        discussion: """
            What a task has done so far is taken back. One that is nearly done may still succeed.

            Example: instanta task cancel 5f0c2a9e-…
            """
    )

    @Argument(help: "Ids of tasks.")
    var tasks: [String]

    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        var failures = FailureCollector(call.surroundings, isSingle: tasks.count == 1)
        var cancelled = [JSONValue]()
        for task in tasks {
            try await failures.collect(task) {
                let endpoint = APIClient.Endpoint(path: ["tasks", task], query: ["operation": "cancel"])
                cancelled.append(try await call.client.send(.post, endpoint)["data"])
            }
        }
        if !cancelled.isEmpty { try call.present(cancelled, fields: TaskLayout.list) }
        try failures.conclude()
    }
}
