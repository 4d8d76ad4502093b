import Foundation
import Platform
import Synchronization

/// A command of QEMU that moves blocks in the background.
///
/// Backing file names are written into files by these jobs. They are always given explicitly, relative to the pool, as
/// QEMU's own guess is an absolute path or worse (`json:` texts).
package struct BlockJobCommand: Sendable, Equatable {
    package let name: String
    package let arguments: [String: JSONValue]
    /// Whether the job waits, when all is copied, to be told to finish.
    package let finishesWhenReady: Bool
    /// Whether the command takes `auto-finalize` and `auto-dismiss`; the others always wait to be dismissed.
    let takesJobOptions: Bool

    package init(
        _ name: String,
        _ arguments: [String: JSONValue],
        finishesWhenReady: Bool = false,
        takesJobOptions: Bool = true
    ) {
        self.name = name
        self.arguments = arguments
        self.finishesWhenReady = finishesWhenReady
        self.takesJobOptions = takesJobOptions
    }

    /// Merges the layers above `base` up to `top` into `base`, while what stands on `top` is in use.
    ///
    /// - Parameters:
    ///   - root: The node that the guest or export uses.
    ///   - top: The highest layer to merge; not `root`.
    ///   - base: The layer that receives them.
    ///   - backingFile: The name of `base` to write into the header of the layer above `top`.
    /// - Returns: The command.
    package static func commit(root: String, top: String, base: String, backingFile: String) -> BlockJobCommand {
        BlockJobCommand(
            "block-commit",
            [
                "device": .string(root), "top-node": .string(top), "base-node": .string(base),
                "backing-file": .string(backingFile),
            ]
        )
    }

    /// Merges the active layer and all above `base` into `base`, which then is the active layer.
    package static func commitActive(root: String, base: String) -> BlockJobCommand {
        BlockJobCommand(
            "block-commit",
            ["device": .string(root), "base-node": .string(base)],
            finishesWhenReady: true
        )
    }

    /// Copies into `node` what it reads from the layers between it and `base`.
    ///
    /// Not for images with extended L2 entries before QEMU 8.2, where it is refused.
    ///
    /// - Parameters:
    ///   - node: The layer that receives; it need not be the active one.
    ///   - base: The layer that stays below, and its name to write into the header of `node`; nil makes `node`
    ///     independent.
    /// - Returns: The command.
    package static func stream(
        node: String,
        base: (node: String, backingFile: String)?
    ) -> BlockJobCommand {
        var arguments: [String: JSONValue] = ["device": .string(node)]
        if let base {
            arguments["base-node"] = .string(base.node)
            arguments["backing-file"] = .string(base.backingFile)
        }
        return BlockJobCommand("block-stream", arguments)
    }

    /// Copies the content that `source` has when the job starts, whatever is written to it meanwhile.
    package static func backup(source: String, target: String) -> BlockJobCommand {
        BlockJobCommand(
            "blockdev-backup",
            ["device": .string(source), "target": .string(target), "sync": "full"]
        )
    }

    /// Copies `source` with everything written to it until the job ends, and then puts `target` in its place.
    package static func mirror(source: String, target: String) -> BlockJobCommand {
        BlockJobCommand(
            "blockdev-mirror",
            ["device": .string(source), "target": .string(target), "sync": "full"],
            finishesWhenReady: true
        )
    }

    /// Creates or formats an image (`blockdev-create`).
    package static func create(_ options: [String: JSONValue]) -> BlockJobCommand {
        BlockJobCommand("blockdev-create", ["options": .object(options)], takesJobOptions: false)
    }
}

/// How far a job has come.
///
/// The total is an estimate that may grow while a guest writes.
package struct BlockJobProgress: Sendable, Equatable {
    package let doneBytes: Int64
    package let totalBytes: Int64
}

/// Runs one background job of a QEMU program from start to end.
package struct BlockJob: Sendable {
    private let id: String
    private let client: QMPClient

    /// - Parameters:
    ///   - id: Chosen by the caller and the same when the call is repeated: at most 31 letters, digits and `-._`,
    ///     beginning with a letter.
    ///   - client: The program that shall run it.
    package init(id: String, on client: QMPClient) {
        self.id = id
        self.client = client
    }

    /// Runs the job and returns when it is finished and forgotten by the program.
    ///
    /// Repeatable: when a job with this id is there already, from a run of ours whose answer was lost, this waits for
    /// that one instead of starting another. Cancelling the task cancels the job and waits until it is gone.
    ///
    /// - Parameters:
    ///   - command: What to do.
    ///   - progress: Called some times a second while the job runs; must not block.
    ///   - beforeFinalizing: Called when everything is copied and the job has yet to change the disk's chain and the
    ///     headers of its files: the moment to make the copies durable. When it throws, the job is cancelled.
    /// - Throws: `refused` when it cannot start, and `unsupported` when this QEMU would crash; `jobFailed`, with outcome
    ///   `unknown` because some blocks may have been copied; `cancelled` with outcome `unknown` likewise; or a fault of the
    ///   connection.
    package func run(
        _ command: BlockJobCommand,
        progress: @escaping @Sendable (BlockJobProgress) -> Void = { _ in },
        beforeFinalizing: (@Sendable () async throws(QMPFault) -> Void)? = nil
    ) async throws(QMPFault) {
        let pulse = Pulse()
        let id = self.id
        let observation = client.observe { event in
            if event.data["id"]?.string == id || event.data["device"]?.string == id { pulse.beat() }
        } onEnd: {
            pulse.beat()
        }
        let result: Result<Void, QMPFault> = await withTaskCancellationHandler {
            do throws(QMPFault) {
                if try await status() == nil { try await start(command, finalizesItself: beforeFinalizing == nil) }
            } catch {
                return .failure(error)
            }
            do throws(QMPFault) {
                return .success(try await follow(command, pulse, progress, beforeFinalizing))
            } catch {
                // Whatever the last question failed with: the job had started.
                return .failure(QMPFault(error.code, outcome: .unknown, error.message))
            }
        } onCancel: {
            pulse.beat()
        }
        withExtendedLifetime(observation) {}
        return try result.get()
    }

    private func start(_ command: BlockJobCommand, finalizesItself: Bool) async throws(QMPFault) {
        if command.name == "block-stream" { try await refuseFatalStream(command) }
        var arguments = command.arguments
        arguments["job-id"] = .string(id)
        if command.takesJobOptions {
            arguments["auto-finalize"] = .bool(finalizesItself)
            // Kept until we have read how it ended.
            arguments["auto-dismiss"] = false
        }
        try await client.execute(command.name, arguments)
    }

    /// Refuses a stream that would abort the program, and a guest with it.
    ///
    /// Until 8.2, QEMU's copy-on-read aligned to clusters where the image allocates subclusters, and fails an assertion
    /// (`skip_bytes < pnum`) as soon as it meets a cluster that is allocated in part. Commits and mirrors are not affected.
    private func refuseFatalStream(_ command: BlockJobCommand) async throws(QMPFault) {
        guard client.version.compare("8.2", options: .numeric) == .orderedAscending else { return }
        let nodes = try await client.execute("query-named-block-nodes", ["flat": true])
        let node = nodes.array?.first { $0["node-name"] == command.arguments["device"] }
        guard node?["image"]?["format-specific"]?["data"]?["extended-l2"]?.bool == true else { return }
        throw QMPFault(
            .unsupported,
            outcome: .notDone,
            "QEMU \(client.version) cannot stream into an image with extended L2 entries: use 8.2 or newer"
        )
    }

    private func follow(
        _ command: BlockJobCommand,
        _ pulse: Pulse,
        _ progress: @Sendable (BlockJobProgress) -> Void,
        _ beforeFinalizing: (@Sendable () async throws(QMPFault) -> Void)?
    ) async throws(QMPFault) {
        var cancelWasSent = false
        var finalizeWasSent = false
        var refusal: QMPFault?
        var completeWasSent = false
        while true {
            // Taken before looking, so that a change after the look is not missed.
            let change = pulse.next
            if Task.isCancelled, !cancelWasSent {
                cancelWasSent = true
                try await tell("job-cancel")
            }
            guard let job = try await status() else {
                throw QMPFault(.protocolViolation, outcome: .unknown, "the job \(id) (\(command.name)) disappeared")
            }
            if let done = job["current-progress"]?.integer, let total = job["total-progress"]?.integer {
                progress(BlockJobProgress(doneBytes: done, totalBytes: total))
            }
            switch job["status"]?.string {
            case "concluded":
                try await client.execute("job-dismiss", ["id": .string(id)], evenCancelled: true)
                if let refusal { throw refusal }
                if let reason = job["error"]?.string {
                    throw cancelWasSent
                        ? QMPFault(.cancelled, outcome: .unknown, "the job \(id) (\(command.name)) was cancelled")
                        : QMPFault(.jobFailed, outcome: .unknown, "the job \(id) (\(command.name)) failed: \(reason)")
                }
                return
            case "ready" where command.finishesWhenReady && !completeWasSent && !cancelWasSent:
                completeWasSent = true
                try await tell("job-complete")
            case "pending" where !finalizeWasSent && !cancelWasSent:
                do throws(QMPFault) {
                    try await beforeFinalizing?()
                    finalizeWasSent = true
                    try await tell("job-finalize")
                } catch {
                    refusal = error
                    cancelWasSent = true
                    try await tell("job-cancel")
                }
            default:
                _ = await change.value(within: .milliseconds(200), evenCancelled: true)
            }
        }
    }

    /// Sends a verb to the job, which may just have left the state in which it takes it.
    private func tell(_ verb: String) async throws(QMPFault) {
        do {
            try await client.execute(verb, ["id": .string(id)], evenCancelled: true)
        } catch {
            guard case .refused = error.code else { throw error }
        }
    }

    private func status() async throws(QMPFault) -> JSONValue? {
        let jobs = try await client.execute("query-jobs", evenCancelled: true)
        return jobs.array?.first { $0["id"]?.string == id }
    }
}

/// Tells one waiter that something changed since it last looked.
private final class Pulse: Sendable {
    private let current = Mutex(Eventual<Void>())

    /// Settled at the first beat after this was read.
    var next: Eventual<Void> { current.withLock { $0 } }

    func beat() {
        let beaten = current.withLock { current in
            defer { current = Eventual() }
            return current
        }
        beaten.settle(())
    }
}
