/// How changes are started, awaited and reported, for every command alike.
extension Call {
    /// What became of a change.
    enum Outcome: Sendable {
        case finished(JSONValue)
        /// Nobody waits for it.
        case started(Submission)
    }

    /// Waits for a change unless told otherwise.
    ///
    /// The label says what happens meanwhile, such as `Taking a snapshot of ROOT-web01`.
    func settle(_ submission: Submission, _ label: String, waits: Bool) async throws -> Outcome {
        if !waits, !submission.hasFailed { return .started(submission) }
        if submission.isDone || submission.hasFailed {
            let answer: JSONValue = [
                "taskStatus": submission.answer["taskStatus"], "data": ["result": submission.resource],
            ]
            return .finished(try TaskStatus(submission.hasFailed ? submission.answer : answer).result() ?? .null)
        }
        guard let task = submission.task else {
            throw CommandFailure(.failed, "The service started something and did not say which task does it.")
        }
        return .finished(
            try await TaskWaiter(client: client, surroundings: surroundings).result(of: task, label: label)
        )
    }

    /// Renames or describes a resource of an environment.
    func rename(_ reference: String, _ kind: ResourceKind, _ renaming: RenamingOptions) async throws {
        let target = try await target(reference, kind)
        let endpoint = try await operation("update", on: kind, target.id)
        let submission = try await client.change(.post, endpoint, renaming.body)
        try await change(submission, "Changing \(reference)", waits: true) { result in
            try present(changed: [result], as: kind, isList: false)
        }
    }

    /// Performs one change and hands its result over; without waiting, writes the task's id instead.
    func change(
        _ submission: Submission,
        _ label: String,
        waits: Bool,
        _ finish: (JSONValue) async throws -> Void
    ) async throws {
        switch try await settle(submission, label, waits: waits) {
        case .finished(let result): try await finish(result)
        case .started(let submission): try present([submission], isList: false)
        }
    }

    /// Changes several targets: starts all, waits for each, goes on when one fails, and reports each that did.
    ///
    /// - Throws: The failure itself when there is one target; else ``CommandFailure`` with status `someFailed`.
    func changeEach(
        _ references: [String],
        _ kind: ResourceKind,
        label: (String) -> String,
        waits: Bool,
        submit: (Target) async throws -> Submission,
        finish: ([(target: Target, result: JSONValue)]) async throws -> Void
    ) async throws {
        var failures = FailureCollector(surroundings, isSingle: references.count == 1)
        var submitted = [(target: Target, submission: Submission)]()
        for reference in references {
            try await failures.collect(reference) {
                let target = try await target(reference, kind)
                submitted.append((target, try await submit(target)))
            }
        }
        var finished = [(target: Target, result: JSONValue)]()
        var started = [Submission]()
        for (target, submission) in submitted {
            try await failures.collect(target.label) {
                switch try await settle(submission, label(target.label), waits: waits) {
                case .finished(let result): finished.append((target, result))
                case .started(let submission): started.append(submission)
                }
            }
        }
        if !started.isEmpty { try present(started, isList: references.count > 1) }
        if !finished.isEmpty { try await finish(finished) }
        try failures.conclude()
    }

    /// Writes the tasks that go on: ids for people and scripts alike, since that is what one does something with.
    private func present(_ submissions: [Submission], isList: Bool) throws {
        let answers = submissions.map(\.answer)
        let ids = submissions.compactMap(\.task).map { "\(PlainText.oneLine($0))\n" }.joined()
        guard !isQuiet else { return try surroundings.print(ids) }
        try write(isList ? .list(answers) : answers.first ?? .null) { ids }
    }
}

/// Goes on after a failure of one of several, and remembers it.
struct FailureCollector {
    private let surroundings: Surroundings
    private let isSingle: Bool
    private var tried = Set<String>()
    private var failed = Set<String>()

    init(_ surroundings: Surroundings, isSingle: Bool) {
        self.surroundings = surroundings
        self.isSingle = isSingle
    }

    /// Runs the work for one target, and reports its failure.
    ///
    /// Interruption ends everything.
    mutating func collect(_ label: String, _ work: () async throws -> Void) async throws {
        tried.insert(label)
        do {
            try await work()
        } catch let failure as CommandFailure where !isSingle && failure.status != .interrupted {
            failed.insert(label)
            var labelled = failure
            labelled.message = "\(label): \(failure.message)"
            surroundings.note(labelled.report)
        }
    }

    func conclude() throws {
        guard !failed.isEmpty else { return }
        throw CommandFailure(.someFailed, "\(failed.count) of \(tried.count) failed; each is reported above.")
    }
}
