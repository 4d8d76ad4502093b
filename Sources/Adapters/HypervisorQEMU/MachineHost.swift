import Logging
import NIOCore
import Platform
import QEMU
import SnapshotPorts

/// What all machines of one hypervisor share.
struct MachineHost: Sendable {
    let configuration: HypervisorConfiguration
    /// The machines' folder under a name that is short enough for sockets.
    let socketFolder: String
    let group: any EventLoopGroup
    let pool: BlockingPool
    let events: EventBroadcast
    let emulator: Emulator
    let logger: Logger
    /// Where memory is kept.
    let memory: MemoryFolder
    /// Each transfer of a memory keeps a thread for long.
    let memoryPool: BlockingPool
    /// Machines that run and shall be watched.
    let watches: AsyncStream<MachineWatch>.Continuation

    var limits: HypervisorConfiguration.Limits { configuration.limits }

    /// Does work that blocks on files.
    func files<T: Sendable>(
        _ attempt: String,
        _ body: @escaping @Sendable () throws -> T
    ) async throws(HypervisorFault) -> T {
        do {
            return try await pool.run(body)
        } catch {
            throw HypervisorFault(error, trying: attempt)
        }
    }
}

/// One run of one machine, to be watched until it ends.
struct MachineWatch: Sendable {
    let machine: QEMUMachine
    let process: RunningProcess
}

/// QEMU's program and the accelerator it uses here; looked for once it is needed, and again after a failure.
actor Emulator {
    struct Found: Sendable {
        let path: String
        let accelerator: SnapshotPorts.Accelerator
    }

    private let programs: QEMUPrograms
    private let cachePath: String
    private let pool: BlockingPool
    private var found: Found?

    init(configuration: HypervisorConfiguration, pool: BlockingPool) {
        programs = configuration.programs
        cachePath = configuration.acceleratorCache
        self.pool = pool
    }

    /// - Throws: `cannotStart`, with the remedy, when QEMU is missing or does not run.
    func find() async throws(HypervisorFault) -> Found {
        if let found { return found }
        let finding = await programs.find(.system)
        guard let path = finding.path, let version = finding.version else {
            let remedy = finding.remedy ?? "install QEMU"
            throw HypervisorFault(
                .cannotStart,
                .notDone,
                finding.path.map { "QEMU at \($0) does not run; \(remedy)." }
                    ?? "QEMU is not installed on this host; \(remedy)."
            )
        }
        do {
            let probe = AcceleratorProbe(program: path, cachePath: cachePath, pool: pool)
            let verdict = try await probe.verdict(qemuVersion: version)
            let kind: SnapshotPorts.Accelerator.Kind =
                switch verdict.accelerator {
                case .kvm: .kvm
                case .tcg: .tcg
                }
            let new = Found(path: path, accelerator: SnapshotPorts.Accelerator(kind: kind, reason: verdict.reason))
            found = new
            return new
        } catch {
            throw HypervisorFault(error, trying: "find out what can run machines")
        }
    }

    /// Looks again the next time, as an operator may have changed what is installed.
    func forget() { found = nil }
}
