import Foundation
import Logging
import Platform
import QEMU
import SnapshotDomain
import SnapshotPorts

extension QEMUMachine {
    /// Starts a machine where it was when its memory was saved.
    ///
    /// A machine goes on once from a memory for one caller, who gave it disks as they were then: what it wrote there since,
    /// its memory knows nothing of. So it is durable, before the processors run, for whom it went on.
    func start(
        _ machine: MachineDescription,
        resuming id: SnapshotGroupID,
        onceFor job: JobID,
        progress: @escaping ProgressHandler
    ) async throws(HypervisorFault) {
        let pass = try await turn()
        defer { pass.leave() }
        if await living() != nil {
            guard await hasNotRunYet() else { return }
            try await endUnstarted()
        }
        let openables = try Self.openables(of: machine.disks)
        let resumption = Resumption(memory: id, job: job)
        guard record?.resumed != resumption else {
            throw HypervisorFault(
                .wrongState,
                .notDone,
                "The machine has gone on from this memory already, and its disks have changed since; start it without."
            )
        }
        let found = try await host.requireResumable(id)
        guard found.stored.shape.disks.keys.sorted() == machine.disks.map(\.slot).sorted() else {
            throw HypervisorFault(.wrongState, .notDone, "The machine's disks are not those that its memory knows.")
        }
        isStarting = true
        defer { isStarting = false }
        let loading = Loading(memory: id, description: found.description, resumption: resumption)
        try await launch(machine, openables, loading: loading, progress)
        logger.notice("A machine goes on from a saved memory", metadata: ["pid": "\(process?.pid ?? 0)"])
    }

    /// Whether the machine's processors have waited since its program was started.
    func hasNotRunYet() async -> Bool {
        guard let status = await queryStatus() else { return false }
        if status == "prelaunch" || status == "inmigrate" { return true }
        return record?.isLoading == true && status != "running"
    }

    /// Ends a machine that has run nothing; a memory that it was to go on from is as good as before.
    func endUnstarted() async throws(HypervisorFault) {
        try await stop(.forced)
        guard var record, record.isLoading == true else { return }
        record.isLoading = nil
        record.resumed = nil
        try await save(record)
    }

    /// Loads a memory into the machine, whose processors wait, and lets them run.
    func load(_ loading: Loading, _ progress: @escaping ProgressHandler) async throws(HypervisorFault) {
        let description = loading.description
        let version = try await client().version
        guard version == description.emulator else {
            throw HypervisorFault(
                .wrongState,
                .notDone,
                """
                The saved memory cannot be used on this host: it was saved by QEMU \(description.emulator), and this is \
                QEMU \(version). Revert without the memory.
                """
            )
        }
        try await ask("migrate-incoming", ["uri": .string("unix:\(folder.memory)")], to: "load the machine's memory")
        let stream = MemoryStream(socket: folder.memory, file: host.memory.stream(loading.memory))
        let pool = host.memoryPool
        let sending = Task { try await pool.run(evenCancelled: true) { try stream.send() } }
        do throws(HypervisorFault) {
            try await waitUntilLoaded(stream, description, progress)
            let digest: String
            do {
                digest = try await sending.value
            } catch {
                throw HypervisorFault(error, trying: "load the machine's memory")
            }
            guard digest == description.digest else {
                throw HypervisorFault(
                    .damaged,
                    .notDone,
                    "The saved memory is not what was written (\(digest) instead of \(description.digest)). Revert without it."
                )
            }
        } catch {
            stream.cancel()
            _ = await sending.result
            throw error
        }
        if var record {
            record.resumed = loading.resumption
            try await save(record)
        }
    }

    private func waitUntilLoaded(
        _ stream: MemoryStream,
        _ description: MemoryDescription,
        _ progress: @escaping ProgressHandler
    ) async throws(HypervisorFault) {
        while true {
            guard await living() != nil else {
                throw HypervisorFault(.cannotStart, .notDone, "QEMU ended while it loaded the machine's memory.")
            }
            let state =
                try await ask("query-migrate", to: "see how much of its memory is loaded")["status"]?.string ?? ""
            progress(ByteCount(stream.moved), ByteCount(description.bytes))
            if state == MigrationState.completed { return }
            if state == MigrationState.failed {
                throw HypervisorFault(.cannotStart, .notDone, "QEMU cannot load the saved memory.")
            }
            if (try? await Task.sleep(for: .milliseconds(10))) == nil {
                throw HypervisorFault(.cancelled, .notDone, "Loading the machine's memory was cancelled.")
            }
        }
    }
}

/// Which memory a machine went on from, and for whom.
///
/// Stored.
struct Resumption: Codable, Sendable, Equatable {
    var memory: SnapshotGroupID
    var job: JobID
}

extension MachineHost {
    /// The memory, if it can be loaded here.
    func requireResumable(
        _ id: SnapshotGroupID
    ) async throws(HypervisorFault) -> (stored: StoredMemory, description: MemoryDescription) {
        guard let found = try await files("find the machine's memory", { [memory] in try memory.find(id) }) else {
            throw HypervisorFault(
                .notFound,
                .notDone,
                "The saved memory is gone; revert without it."
            )
        }
        let emulator = try await emulator.find()
        let processor = try await files("see the host's processor") {
            MemoryDescription.hostProcessor(under: emulator.accelerator.kind)
        }
        if found.description.format != 1 {
            throw HypervisorFault(
                .wrongState,
                .notDone,
                "The saved memory was written by a newer version; revert without it."
            )
        }
        // The emulator's own version is looked at when it runs: asking it costs a start.
        if let obstacle = found.description.obstacle(
            accelerator: emulator.accelerator.kind,
            emulator: found.description.emulator,
            hostProcessor: processor
        ) {
            throw HypervisorFault(
                .wrongState,
                .notDone,
                "The saved memory cannot be used on this host: \(obstacle). Revert without the memory."
            )
        }
        return found
    }

    /// Reads a memory as a whole.
    func digestMemory(
        _ id: SnapshotGroupID,
        progress: @escaping ProgressHandler
    ) async throws(HypervisorFault) -> ContentDigest {
        guard let found = try await files("find the saved memory", { [memory] in try memory.find(id) }) else {
            throw HypervisorFault(.notFound, .notDone, "The saved memory is gone.")
        }
        let stream = MemoryStream(socket: "", file: memory.stream(id))
        let total = ByteCount(found.description.bytes)
        do {
            let digest = try await withTaskCancellationHandler {
                try await memoryPool.run { try stream.digest { progress(ByteCount($0), total) } }
            } onCancel: {
                stream.cancel()
            }
            return ContentDigest(digest)
        } catch {
            throw HypervisorFault(error, trying: "read the saved memory")
        }
    }
}
