import Foundation
import Glibc
import Platform
import QEMU
import SnapshotDomain
import SnapshotPorts
import Synchronization
import TestKit
import Testing

@testable import HypervisorQEMU

extension QEMUHypervisorTests {
    @Suite("memory", .enabled(if: GuardProgram.isThere, GuardProgram.reason), .timeLimit(.minutes(5)))
    struct MemoryTests {
        private func shape(of machine: MachineDescription) -> MachineShape {
            MachineShape(
                cpuCount: machine.cpuCount,
                memory: machine.memory,
                macAddress: machine.macAddress,
                network: machine.network,
                disks: Dictionary(uniqueKeysWithValues: machine.disks.map { ($0.slot, $0.volume) })
            )
        }

        private func start(_ ground: QEMUGround) async throws -> (MachineDescription, MemorySaveRequest) {
            let machine = try ground.describe([try await ground.makeDisk(slot: 0, beside: nil).disk])
            try await ground.hypervisor.start(machine)
            return (machine, MemorySaveRequest(shape: shape(of: machine), longestPause: .seconds(30)))
        }

        @Test("when the guard is killed at the instant, the machine goes on and nothing is kept")
        func guardKilled() async throws {
            try await withGround { ground in
                let (machine, request) = try await start(ground)
                let (hypervisor, id) = (await ground.hypervisor, SnapshotGroupID.random())
                let mark = ground.folder(of: machine.id).pauseMark
                let fault = try await fault {
                    _ = try await hypervisor.saveMemory(of: machine.id, as: id, request) { _, _ in
                    } atInstant: {
                        let guards = try await ChildProcess.run(
                            Spawn("pgrep", ["-f", "guest-guard.*--mark \(mark)"]),
                            timeout: Shared.limit
                        )
                        let pids = guards.outputText.split(whereSeparator: \.isNewline).compactMap { pid_t($0) }
                        try #require(!pids.isEmpty)
                        for pid in pids { kill(pid, SIGKILL) }
                    }
                }
                #expect(fault.outcome == .unknown)
                #expect(await hypervisor.status(of: machine.id) == .running)
                #expect(!PauseMark.exists(mark))
                #expect(try await hypervisor.findMemory(id) == nil)
                _ = try await hypervisor.saveMemory(of: machine.id, as: id, request) { _, _ in
                } atInstant: {
                }
            }
        }

        @Test("a saving that is cancelled leaves a machine that runs, and no file")
        func cancelled() async throws {
            try await withGround { ground in
                let (machine, request) = try await start(ground)
                let (hypervisor, id) = (await ground.hypervisor, SnapshotGroupID.random())
                let saving = Task {
                    try await hypervisor.saveMemory(of: machine.id, as: id, request) { _, _ in
                    } atInstant: {
                    }
                }
                try await Task.sleep(for: .milliseconds(60))
                saving.cancel()
                switch await saving.result {
                case .success: #expect(try await hypervisor.findMemory(id) != nil)
                case .failure: #expect(try await hypervisor.findMemory(id) == nil)
                }
                try await until("the machine runs") { await hypervisor.status(of: machine.id) == .running }
                let drafts = try FileManager.default.contentsOfDirectory(atPath: "\(ground.directory)/data/memory/tmp")
                #expect(drafts.isEmpty)
            }
        }

        @Test("a memory that was changed on the disk is not gone on from")
        func damaged() async throws {
            try await withGround { ground in
                let (machine, request) = try await start(ground)
                let (hypervisor, id) = (await ground.hypervisor, SnapshotGroupID.random())
                _ = try await hypervisor.saveMemory(of: machine.id, as: id, request) { _, _ in
                } atInstant: {
                }
                try await hypervisor.stop(machine.id, mode: .forced)
                let path = "\(ground.directory)/data/memory/\(id)/memory"
                let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
                let end = try file.seekToEnd()
                try file.seek(toOffset: end / 2)
                try file.write(contentsOf: Data(repeating: 0x5A, count: 8))
                try file.close()
                await #expect(throws: HypervisorFault.self) {
                    try await hypervisor.start(machine, resuming: id, onceFor: .random()) { _, _ in }
                }
                #expect(await hypervisor.status(of: machine.id) == .stopped)
                try await hypervisor.start(machine)
                #expect(await hypervisor.status(of: machine.id) == .running)
            }
        }

        @Test("what an earlier service left half saved is swept, and strangers are told and set aside")
        func leftovers() async throws {
            try await withGround { ground in
                let memory = "\(ground.directory)/data/memory"
                let files = FileManager.default
                try files.createDirectory(atPath: "\(memory)/tmp/half", withIntermediateDirectories: true)
                try files.createDirectory(atPath: "\(memory)/stranger", withIntermediateDirectories: true)
                try await ground.restart()
                #expect(try files.contentsOfDirectory(atPath: "\(memory)/tmp").isEmpty)
                let inventory = try await ground.hypervisor.memoryInventory()
                #expect(inventory == MemoryInventory(images: [], unknown: ["stranger"]))
                let place = try await ground.hypervisor.quarantineMemory("stranger")
                #expect(files.fileExists(atPath: place))
                #expect(try await ground.hypervisor.memoryInventory().unknown.isEmpty)
            }
        }
    }
}
