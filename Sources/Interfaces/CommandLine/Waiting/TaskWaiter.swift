import Foundation

/// Waits for tasks, and shows how far they are.
struct TaskWaiter: Sendable {
    /// How long the service may be silent, as while it restarts: its tasks go on afterwards.
    static let patience = Duration.seconds(30)

    let client: APIClient
    let surroundings: Surroundings

    /// Returns the result of a task when it has succeeded; null when it has none.
    ///
    /// - Throws: ``CommandFailure`` with what went wrong in the task, or with status `interrupted` after Ctrl-C, which ends
    ///   only the waiting.
    func result(of task: String, label: String) async throws -> JSONValue {
        try await surroundings.interruptible {
            CommandFailure(
                .interrupted,
                "Stopped waiting; the task goes on.",
                remedy: "Look at it with 'instanta task show \(task)', or end it with 'instanta task cancel \(task)'."
            )
        } _: {
            try await poll(task, label: label)
        }
    }

    /// Where nobody watches, the service is asked to answer only when the task has ended: fewer questions, and no delay.
    private var longPoll: Int? {
        surroundings.terminal.isError ? nil : 10
    }

    private func poll(_ task: String, label: String) async throws -> JSONValue {
        let clock = ContinuousClock()
        let start = clock.now
        var lastAnswer = clock.now
        var display = ProgressDisplay(surroundings)
        defer { display.clear() }
        for pause in PollSchedule() {
            try await Task.sleep(for: pause)
            var line = ProgressLine(label: label, elapsedSeconds: (clock.now - start) / .seconds(1))
            if let status = try await status(of: task, within: Self.patience - (clock.now - lastAnswer)) {
                lastAnswer = clock.now
                // Outside of what is tried again: a task that failed because a part of the service is missing has ended.
                if let result = try status.result() { return result }
                status.describe(in: &line)
            } else {
                line.label = "\(label) (the service does not answer; trying again)"
            }
            display.show(line)
        }
        preconditionFailure("the schedule has no end")
    }

    /// What the service says; nil when it does not answer, and may be silent for a while yet.
    private func status(of task: String, within patience: Duration) async throws -> TaskStatus? {
        do {
            return TaskStatus(try await client.send(.get, .init(path: ["tasks", task]), waits: longPoll))
        } catch let failure as CommandFailure where failure.status == .unreachable && patience > .zero {
            return nil
        }
    }
}

/// What the service says about a task: in either of the two shapes that the contract has.
struct TaskStatus: Sendable {
    let answer: JSONValue

    init(_ answer: JSONValue) {
        self.answer = answer
    }

    private var data: JSONValue { answer["data"] }

    /// The result once it has succeeded; nil while it runs.
    ///
    /// - Throws: ``CommandFailure`` when the task failed or was cancelled.
    func result() throws -> JSONValue? {
        let status = data["status"].string ?? answer["taskStatus"].string
        switch status {
        case "SUCCESS":
            return data["result"].isNull ? answer["result"] : data["result"]
        case "FAILED":
            let bodies = [data["result"], data, answer["result"], answer]
            let body = bodies.first { !$0["errors"].elements.isEmpty } ?? .null
            throw body.isNull
                ? CommandFailure(.failed, "The task failed and the service gave no reason.")
                : CommandFailure(httpStatus: 500, body: body)
        default:
            return nil
        }
    }

    func describe(in line: inout ProgressLine) {
        let progress = data["progress"]
        line.doneBytes = progress["doneBytes"].int64
        line.totalBytes = progress["totalBytes"].int64
        line.bytesPerSecond = progress["bytesPerSecond"].int64
        line.remainingSeconds = progress["remainingSeconds"].int64.map(Int.init)
        line.queuePosition = data["queuePosition"].int64.map(Int.init)
    }
}
