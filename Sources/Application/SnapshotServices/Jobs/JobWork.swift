package import Logging
package import SnapshotDomain
package import SnapshotPorts

/// What a running program has at hand.
package struct JobWork: Sendable {
    package let job: Job
    package let world: World
    package let logger: Logger
    let collector: Collector
    package let progress: ProgressHandler
    let checkpoint: @Sendable (StepName) throws -> Void

    /// Collects around some layers, with the job's own progress, as far as that can be done now.
    func collect(around layers: Set<LayerID>) async {
        await collector.settle(around: layers, progress: progress)
        await world.forgetMemory(logger)
    }

    /// Runs one named step.
    ///
    /// The name is where the crash sweep stops the world, before and after, and what the log shows. Cancellation is
    /// noticed between steps.
    ///
    /// - Parameters:
    ///   - name: Its name, stable.
    ///   - evenCancelled: The step comes after the point of return: a job that was cancelled takes it all the same, and
    ///     ends as if nobody had asked.
    ///   - body: What it does. It may see that the task was cancelled; see ``unhurried(_:)``.
    /// - Returns: What the body returned.
    /// - Throws: What the body threw, or `CancellationError` before it.
    package func step<Value>(
        _ name: String,
        evenCancelled: Bool = false,
        _ body: () async throws -> Value
    ) async throws -> Value {
        if !evenCancelled { try Task.checkCancellation() }
        try checkpoint(StepName(kind: job.kind, step: name, moment: .before))
        logger.debug("job step", metadata: ["step": .string(name)])
        let value = try await body()
        try checkpoint(StepName(kind: job.kind, step: name, moment: .after))
        return value
    }
}

extension JobWork {
    /// Runs a body that does not see whether the job was cancelled.
    func unhurried<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        try await Task { try await body() }.value
    }
}

/// A place in a job where a process can die.
package struct StepName: Hashable, Sendable, CustomStringConvertible {
    package enum Moment: String, Sendable, CaseIterable {
        case before
        case after
    }

    package let kind: Job.Kind
    package let step: String
    package let moment: Moment

    package init(kind: Job.Kind, step: String, moment: Moment) {
        self.kind = kind
        self.step = step
        self.moment = moment
    }

    package var description: String { "\(kind.rawValue).\(step).\(moment.rawValue)" }
}

/// Told of every step that a job reaches; may stop the world there.
package protocol StepObserver: Sendable {
    /// - Throws: ``SimulatedCrash`` to end the engine as if the process had died at this very place.
    func reached(_ step: StepName) throws
}

/// Ends the engine without another write, as a crash would.
package struct SimulatedCrash: Error {
    package init() {}
}
