import Foundation
import Logging
import Platform
import QEMU
import SnapshotDomain
import SnapshotPorts

// A machine's memory is saved as a migration to a file: while the machine runs, all of it and then again what it wrote
// meanwhile; then the machine stands still for the little that is left. QEMU waits before the end of the migration, with the
// machine standing and the disks still open: that is the instant. Why so: docs/decisions/0010.
extension QEMUMachine {
    /// How often the migration is looked at; it also ends by itself, and then the machine stands until we look.
    private static let glance = Duration.milliseconds(5)
    /// How often all that the guest wrote may be copied again before it counts as too busy.
    private static let mostRounds: Int64 = 40

    func saveMemory(
        as id: SnapshotGroupID,
        _ request: MemorySaveRequest,
        progress: @escaping ProgressHandler,
        atInstant: @Sendable () async throws -> Void
    ) async throws(HypervisorFault) -> StoredMemory {
        let pass = try await turn()
        defer { pass.leave() }
        try await requireLiving(to: "save its memory")
        try await requireShape(request.shape)
        guard let pausePass = await pauseTurn.pass(within: host.limits.turn) else {
            throw HypervisorFault(
                Task.isCancelled ? .cancelled : .unavailable,
                .notDone,
                "The machine is being held by another call; try again."
            )
        }
        let memory = host.memory
        try await host.files("make room for the machine's memory") { try memory.makeDraft(id) }
        let guardian: ArmedGuard
        do throws(HypervisorFault) {
            guardian = try await ArmedGuard.begin(
                .processors(monitor: folder.guardMonitor, mark: folder.pauseMark) { await self.resumeUnguarded() },
                command: host.configuration.guestGuard,
                limit: request.longestPause,
                pass: pausePass,
                logger: logger
            )
        } catch {
            pausePass.leave()
            await discardDraft(id)
            throw error
        }
        do throws(HypervisorFault) {
            return try await save(id, request, guardian, progress, atInstant)
        } catch {
            await guardian.disarm()
            await discardDraft(id)
            throw error
        }
    }

    private func save(
        _ id: SnapshotGroupID,
        _ request: MemorySaveRequest,
        _ guardian: ArmedGuard,
        _ progress: @escaping ProgressHandler,
        _ atInstant: @Sendable () async throws -> Void
    ) async throws(HypervisorFault) -> StoredMemory {
        let stream = MemoryStream(socket: folder.memory, file: host.memory.draftStream(id))
        try await host.files("listen for the machine's memory") { try stream.listen() }
        // Pages that were written again come again; beyond this, something is wrong.
        let ceiling = request.shape.memory.bytes * (Self.mostRounds + 2) + (1 << 30)
        let pool = host.memoryPool
        let receiving = Task { try await pool.run(evenCancelled: true) { try stream.receive(atMost: ceiling) } }
        do throws(HypervisorFault) {
            try await startMigration()
            let lease = try await copyWhileRunning(request, guardian, stream, progress)
            do {
                try await atInstant()
            } catch {
                throw HypervisorFault(
                    error is CancellationError ? .cancelled : .io,
                    .unknown,
                    "What belongs to the instant failed: \(error).",
                    cause: "\(error)"
                )
            }
            do throws(HypervisorFault) {
                try await ask(
                    "migrate-continue",
                    ["state": .string(MigrationState.beforeTheEnd)],
                    to: "finish its memory"
                )
                try await waitForTheEnd(of: request)
            } catch {
                let report = await lease.resume()
                guard report.heldThroughout else { throw Self.missed(report) }
                throw HypervisorFault(error.code, .unknown, error.message, cause: error.cause)
            }
            let report = await lease.resume()
            let received: (bytes: Int64, digest: String)
            do {
                received = try await receiving.value
            } catch {
                throw HypervisorFault(error, trying: "write the machine's memory")
            }
            guard report.heldThroughout else { throw Self.missed(report) }
            return try await publish(id, request, received, report)
        } catch {
            stream.cancel()
            _ = await receiving.result
            throw error
        }
    }

    private static func missed(_ report: HoldReport) -> HypervisorFault {
        HypervisorFault(
            .guestUnresponsive,
            .unknown,
            "The machine did not stand still until its memory was saved: \(report.answer). Allow a longer pause."
        )
    }

    private func startMigration() async throws(HypervisorFault) {
        // Nothing to spare for anybody else, and no end before we say so.
        try await ask(
            "migrate-set-parameters",
            ["max-bandwidth": .integer(1 << 40), "downtime-limit": 0],
            to: "prepare to save its memory"
        )
        try await ask(
            "migrate-set-capabilities",
            ["capabilities": [["capability": "pause-before-switchover", "state": true]]],
            to: "prepare to save its memory"
        )
        try await ask("migrate", ["uri": .string("unix:\(folder.memory)")], to: "save its memory")
    }

    /// Copies until the machine stands still with all of its memory written.
    private func copyWhileRunning(
        _ request: MemorySaveRequest,
        _ guardian: ArmedGuard,
        _ stream: MemoryStream,
        _ progress: @escaping ProgressHandler
    ) async throws(HypervisorFault) -> any PauseLease {
        var lease: (any PauseLease)?
        while true {
            let state = try await migration()
            progress(
                ByteCount(min(stream.moved, request.shape.memory.bytes)),
                request.shape.memory
            )
            if state.word == MigrationState.beforeTheEnd {
                if let lease { return lease }
                return try await guardian.hold()
            }
            try state.requireUnderWay()
            if lease == nil {
                switch state.remainder(within: request.longestPause, mostRounds: Self.mostRounds) {
                case .tooLong: break
                case .short: lease = try await guardian.hold()
                case .never:
                    throw HypervisorFault(
                        .guestUnresponsive,
                        .notDone,
                        """
                        The guest writes its memory faster than it can be saved within a pause of \
                        \(request.longestPause). Allow a longer one, or try again when it has less to do.
                        """
                    )
                }
            }
            if (try? await Task.sleep(for: Self.glance)) == nil {
                if let lease { _ = await lease.resume() }
                throw HypervisorFault(.cancelled, .notDone, "Saving the machine's memory was cancelled; it runs on.")
            }
        }
    }

    /// Waits until QEMU has written the rest; the guard sees to it that this has an end.
    private func waitForTheEnd(of request: MemorySaveRequest) async throws(HypervisorFault) {
        let deadline = ContinuousClock.now + request.longestPause + host.limits.answer
        while ContinuousClock.now < deadline {
            let state = try await migration()
            if state.word == MigrationState.completed { return }
            try state.requireUnderWay()
            // Cancelled or not: the machine stands still, and what is left takes milliseconds.
            await shielded { try? await Task.sleep(for: .milliseconds(1)) }
        }
        throw HypervisorFault(.unavailable, .unknown, "The machine does not finish its memory.")
    }

    private func publish(
        _ id: SnapshotGroupID,
        _ request: MemorySaveRequest,
        _ received: (bytes: Int64, digest: String),
        _ report: HoldReport
    ) async throws(HypervisorFault) -> StoredMemory {
        let (instance, memory) = (self.id, host.memory)
        let kind = try await host.emulator.find().accelerator.kind
        let version = try await client().version
        return try await host.files("keep the machine's memory") {
            let description = MemoryDescription(
                instance: instance,
                shape: request.shape,
                accelerator: kind.rawValue,
                emulator: version,
                hostProcessor: MemoryDescription.hostProcessor(under: kind),
                machineType: MachineCommandLine.machineType,
                bytes: received.bytes,
                digest: received.digest,
                pauseMilliseconds: report.milliseconds
            )
            try memory.publish(id, description)
            guard let found = try memory.find(id) else {
                throw PlatformFault(.notFound, outcome: .unknown, "it is not where it was written")
            }
            return found.stored
        }
    }

    private func migration() async throws(HypervisorFault) -> MigrationGlance {
        MigrationGlance(try await ask("query-migrate", to: "see how far its memory is"))
    }

    private func discardDraft(_ id: SnapshotGroupID) async {
        await shielded { [host, logger] in
            do {
                try await host.pool.run(evenCancelled: true) { try host.memory.discardDraft(id) }
            } catch {
                logger.warning("Cannot remove what was saved in part", metadata: ["cause": "\(error)"])
            }
        }
    }

    /// Refuses a machine that is not what the caller takes it for.
    private func requireShape(_ shape: MachineShape) async throws(HypervisorFault) {
        let slots = Set(try await writtenDisks().keys)
        let memory = try await ask("query-memory-size-summary", to: "see its memory")["base-memory"]?.integer
        let processors = try await ask("query-cpus-fast", to: "see its processors").array?.count
        guard slots == Set(shape.disks.keys), memory == shape.memory.rounded(upTo: 1 << 20).bytes,
            processors == shape.cpuCount
        else {
            throw HypervisorFault(
                .wrongState,
                .notDone,
                """
                The running machine has other processors, memory or disks than its description. Stop and start the \
                instance, then save its memory.
                """
            )
        }
    }
}

/// How far a migration is.
private struct MigrationGlance {
    enum Remainder {
        case tooLong
        /// It fits into a pause well.
        case short
        /// It will not get shorter.
        case never
    }

    let word: String
    private let remaining: Int64
    private let rounds: Int64
    private let bytesPerSecond: Double
    private let reason: String?

    init(_ answer: JSONValue) {
        word = answer["status"]?.string ?? ""
        remaining = answer["ram"]?["remaining"]?.integer ?? .max
        rounds = answer["ram"]?["dirty-sync-count"]?.integer ?? 0
        bytesPerSecond = (answer["ram"]?["mbps"]?.number ?? 0) * 1e6 / 8
        reason = answer["error-desc"]?.string
    }

    func requireUnderWay() throws(HypervisorFault) {
        guard !MigrationState.underWay.contains(word), word != MigrationState.completed else { return }
        throw HypervisorFault(
            .io,
            .unknown,
            "The machine's memory could not be written: \(reason ?? "the transfer is \(word.isEmpty ? "gone" : word)")."
        )
    }

    /// Whether what is left can be written while the machine stands still.
    func remainder(within pause: Duration, mostRounds: Int64) -> Remainder {
        // The first round is all of it.
        guard rounds >= 2 else { return .tooLong }
        let seconds = bytesPerSecond > 0 ? Double(remaining) / bytesPerSecond : .infinity
        if seconds < pause.timeInterval / 4 { return .short }
        guard rounds >= mostRounds else { return .tooLong }
        return seconds < pause.timeInterval / 2 ? .short : .never
    }
}

extension JSONValue {
    /// A number, whole or not.
    fileprivate var number: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .double(let value): value
        default: nil
        }
    }
}
