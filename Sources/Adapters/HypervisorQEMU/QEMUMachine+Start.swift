import Foundation
import Logging
import Platform
import QEMU
import SnapshotDomain
import SnapshotPorts

extension QEMUMachine {
    func start(_ machine: MachineDescription) async throws(HypervisorFault) {
        let pass = try await turn()
        defer { pass.leave() }
        if await living() != nil {
            guard await hasNotRunYet() else { return }
            // What an interrupted start left has run nothing yet.
            try await endUnstarted()
        }
        let openables = try Self.openables(of: machine.disks)
        isStarting = true
        defer { isStarting = false }
        try await launch(machine, openables, loading: nil) { _, _ in }
        logger.notice("Started a machine", metadata: ["pid": "\(process?.pid ?? 0)"])
    }

    /// What a machine goes on from instead of beginning anew.
    struct Loading: Sendable {
        var memory: SnapshotGroupID
        var description: MemoryDescription
        var resumption: Resumption
    }

    func launch(
        _ machine: MachineDescription,
        _ openables: [Int: OpenableDisk],
        loading: Loading?,
        _ progress: @escaping ProgressHandler
    ) async throws(HypervisorFault) {
        let emulator = try await host.emulator.find()
        do throws(HypervisorFault) {
            try await launch(machine, openables, emulator, loading, progress)
        } catch {
            await host.emulator.forget()
            throw error
        }
    }

    private func launch(
        _ machine: MachineDescription,
        _ openables: [Int: OpenableDisk],
        _ emulator: Emulator.Found,
        _ loading: Loading?,
        _ progress: @escaping ProgressHandler
    ) async throws(HypervisorFault) {
        let folder = self.folder
        // The address that people put into their SSH configuration stays, unless somebody else took the port.
        let ports = [record?.sshPort, 0].compactMap(\.self)
        for (attempt, port) in ports.enumerated() {
            try await host.files("prepare the machine's folder") { try folder.prepareForStart() }
            let line = MachineCommandLine(
                machine: machine,
                openables: openables,
                folder: folder,
                accelerator: emulator.accelerator.kind,
                sshPort: port,
                isLoading: loading != nil
            )
            var next = MachineRecord(machine)
            next.resumed = record?.resumed
            next.isLoading = loading == nil ? nil : true
            do throws(HypervisorFault) {
                return try await launch(line, emulator.path, next, loading, progress)
            } catch {
                guard attempt + 1 < ports.count, error.message.contains("host forwarding rule") else { throw error }
                logger.info("The machine's SSH port is taken; choosing another", metadata: ["port": "\(port)"])
            }
        }
    }

    private func launch(
        _ line: MachineCommandLine,
        _ program: String,
        _ record: MachineRecord,
        _ loading: Loading?,
        _ progress: @escaping ProgressHandler
    ) async throws(HypervisorFault) {
        let (child, process, client) = try await MachineLaunch(folder: folder, host: host).launch(program, line.words)
        watch(process, startedAs: child)
        monitor = client
        do throws(HypervisorFault) {
            var record = record
            if record.network == .user { record.sshPort = try await findSSHPort() }
            record.expected = .running
            try await save(record)
            if let loading { try await load(loading, progress) }
            try await ask("cont", to: "let the machine run")
            if loading != nil, var record = self.record {
                record.isLoading = nil
                try await save(record)
            }
        } catch {
            await giveUp(child, process)
            throw error
        }
    }

    /// Ends a machine that was started in part.
    private func giveUp(_ child: ChildProcess, _ process: RunningProcess) async {
        stopsUnderWay += 1
        defer { stopsUnderWay -= 1 }
        await child.terminate(grace: .seconds(1))
        await conclude(process)
    }

    private func findSSHPort() async throws(HypervisorFault) -> Int? {
        // The machine protocol has no command for it. The columns: protocol, descriptor, source address, source port.
        let table = try await ask("human-monitor-command", ["command-line": "info usernet"], to: "find the SSH port")
        let forward = table.string?.split(whereSeparator: \.isNewline).first { $0.contains("HOST_FORWARD") }
        return forward.flatMap { line in
            let fields = line.split(separator: " ")
            return fields.count > 3 ? Int(fields[3]) : nil
        }
    }
}
