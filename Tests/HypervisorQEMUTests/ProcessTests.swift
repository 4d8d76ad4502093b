import Foundation
import Glibc
import Platform
import QEMU
import SnapshotDomain
import SnapshotPorts
import TestKit
import Testing

@testable import HypervisorQEMU

extension QEMUHypervisorTests {
    @Suite("processes")
    struct ProcessTests {
        @Test(
            "a pid file with rubbish, or with the number of another process, is not touched",
            arguments: [true, false]
        )
        func foreignNumber(isRubbish: Bool) async throws {
            try await withGround { ground in
                let stranger = try await ChildProcess.start(Spawn("sleep", ["600"]))
                defer { stranger.signal(SIGKILL) }
                let root = try await ground.makeDisk(slot: 0, beside: nil)
                let machine = try ground.describe([root.disk])
                let folder = ground.folder(of: machine.id)
                try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
                let content = isRubbish ? "no number at all" : "\(stranger.pid)\n"
                try Data(content.utf8).write(to: URL(fileURLWithPath: folder.pidFile))

                #expect(await ground.hypervisor.status(of: machine.id) == .stopped)
                try await ground.hypervisor.stop(machine.id, mode: .forced)
                try await ground.hypervisor.start(machine)
                #expect(await ground.hypervisor.status(of: machine.id) == .running)
                try await ground.hypervisor.stop(machine.id, mode: .forced)
                #expect(stranger.status == nil)
            }
        }

        @Test("a data directory may lie deeper than a socket's path is long")
        func deepDirectory() async throws {
            try await withGround(deep: true) { ground in
                let root = try await ground.makeDisk(slot: 0, beside: nil)
                let machine = try ground.describe([root.disk])
                #expect(ground.folder(of: machine.id).monitor.utf8.count > 107)
                try await ground.hypervisor.start(machine)
                try await ground.restart()
                #expect(await ground.hypervisor.status(of: machine.id) == .running)
            }
        }

        @Test("QEMU leads a session of its own, is confined, and has no pipe to us")
        func isolation() async throws {
            try await withGround { ground in
                let root = try await ground.makeDisk(slot: 0, beside: nil)
                let machine = try ground.describe([root.disk])
                try await ground.hypervisor.start(machine)
                let pid = try #require(ground.folder(of: machine.id).findProcess()).pid
                #expect(getsid(pid) == pid)
                let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
                // Mode 2: system calls are filtered.
                #expect(status.contains("Seccomp:\t2"))
                for descriptor in 0...2 {
                    let target = try FileManager.default.destinationOfSymbolicLink(
                        atPath: "/proc/\(pid)/fd/\(descriptor)"
                    )
                    #expect(target == "/dev/null" || target == ground.folder(of: machine.id).log)
                }
            }
        }

        @Test("a host without QEMU, or with a broken one, says what to do", arguments: [true, false])
        func noQEMU(isThere: Bool) async throws {
            try await withTemporaryDirectory { programs in
                if isThere {
                    let broken = "\(programs)/qemu-system-x86_64"
                    try Data("#!/bin/sh\nexit 1\n".utf8).write(to: URL(fileURLWithPath: broken))
                    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: broken)
                }
                try await withGround(change: { $0.programs = QEMUPrograms(searchPath: [programs]) }) { ground in
                    let machine = try ground.describe([try await ground.makeDisk(slot: 0, beside: nil).disk])
                    let fault = try await fault { try await ground.hypervisor.start(machine) }
                    #expect(fault.code == .cannotStart)
                    #expect(fault.outcome == .notDone)
                    #expect(fault.message.contains("install"))
                    #expect(await ground.hypervisor.status(of: machine.id) == .stopped)
                    #expect(await ground.hypervisor.accelerator.kind == .tcg)
                }
            }
        }

        @Test("a machine that does not start says what QEMU said")
        func lastWords() async throws {
            try await withGround { ground in
                let machine = try ground.describe([try await ground.makeBrokenDisk(slot: 0)])
                let fault = try await fault { try await ground.hypervisor.start(machine) }
                #expect(fault.code == .cannotStart)
                #expect(fault.message.contains("Image is not in qcow2 format"))
            }
        }

        @Test("a disk of a kind that QEMU cannot open is refused before anything is started")
        func foreignDisk() async throws {
            try await withGround { ground in
                let source = DiskSource(scheme: "elsewhere", description: Data())
                let machine = try ground.describe([MachineDisk(slot: 0, volume: .random(), source: source)])
                let fault = try await fault { try await ground.hypervisor.start(machine) }
                #expect(fault.code == .unavailable)
                #expect(fault.message.contains("elsewhere"))
            }
        }

        @Test("QEMU's words about a missing driver become the name of the package that has it")
        func missingDriver() {
            // As QEMU 7.2 says it on its way out, and over its monitor.
            for words in ["-blockdev {\"driver\":\"rbd\"}: Unknown driver 'rbd'", "Unknown driver 'rbd'"] {
                let fault = HypervisorFault(
                    QMPFault(.refused("GenericError"), outcome: .notDone, words),
                    trying: "open a disk"
                )
                #expect(fault.message.contains("qemu-block-extra"))
                #expect(fault.outcome == .notDone)
            }
            #expect(HypervisorFault.remedy(for: "Unknown driver 'rot13'") == nil)
        }

        @Test("a machine whose start was interrupted does not stay with its processors waiting")
        func interruptedStart() async throws {
            try await withGround { ground in
                let root = try await ground.makeDisk(slot: 0, beside: nil)
                let machine = try ground.describe([root.disk])
                let folder = ground.folder(of: machine.id)
                try folder.prepareForStart()
                let line = MachineCommandLine(
                    machine: machine,
                    openables: try QEMUMachine.openables(of: machine.disks),
                    folder: folder,
                    accelerator: .tcg,
                    sshPort: 0
                )
                let child = try await ChildProcess.start(Spawn("qemu-system-x86_64", line.words, output: .discard))
                defer { child.signal(SIGKILL) }
                try await until("QEMU listens") { FileManager.default.fileExists(atPath: folder.spareMonitor) }
                try await ground.restart()
                #expect(await child.wait(within: Shared.limit) != nil)
                #expect(await ground.hypervisor.status(of: machine.id) == .stopped)
                try await ground.hypervisor.start(machine)
                #expect(await ground.hypervisor.status(of: machine.id) == .running)
            }
        }

        @Test("a machine that ended while the service was away is reported once")
        func endedWhileAway() async throws {
            try await withGround { ground in
                let root = try await ground.makeDisk(slot: 0, beside: nil)
                let machine = try ground.describe([root.disk])
                try await ground.hypervisor.start(machine)
                let process = try #require(ground.folder(of: machine.id).findProcess())
                // Let go of first, so that only the next service can see the end.
                let events = try await ground.restart {
                    try process.signal(SIGKILL)
                    #expect(try await process.waitForExit(within: Shared.limit))
                }
                let event = try await withDeadline(Shared.limit, for: "the report") { await events.first { _ in true } }
                guard case .ended(machine.id, false, let reason) = event else {
                    Issue.record("not the end that was expected: \(String(describing: event))")
                    return
                }
                #expect(reason.contains("while the service was away"))
                let record = try MachineRecord.find(ground.folder(of: machine.id).record)
                #expect(record?.expected == .stopped)
            }
        }

        @Test("a hung QEMU is told from a stopped one, and can be stopped by force")
        func hung() async throws {
            let change: @Sendable (inout HypervisorConfiguration) -> Void = { configuration in
                configuration.limits.answer = .milliseconds(200)
                configuration.limits.end = .milliseconds(200)
            }
            try await withGround(change: change) { ground in
                let root = try await ground.makeDisk(slot: 0, beside: nil)
                let machine = try ground.describe([root.disk])
                try await ground.hypervisor.start(machine)
                try #require(ground.folder(of: machine.id).findProcess()).signal(SIGSTOP)
                #expect(await ground.hypervisor.status(of: machine.id) == .unresponsive)
                #expect(await ground.hypervisor.isAlive(machine.id))
                try await ground.hypervisor.stop(machine.id, mode: .forced)
                #expect(await ground.hypervisor.status(of: machine.id) == .stopped)
            }
        }

        @Test("a port that somebody took meanwhile is replaced by another")
        func takenPort() async throws {
            try await withGround { ground in
                let root = try await ground.makeDisk(slot: 0, beside: nil)
                let other = try await ground.makeDisk(slot: 0, beside: nil)
                let machine = try ground.describe([root.disk], network: .user)
                let taker = try ground.describe([other.disk], network: .user)
                try await ground.hypervisor.start(taker)
                let port = try #require(await ground.hypervisor.guestFacts(of: taker.id).sshPort)
                var record = MachineRecord(machine)
                record.sshPort = port
                let folder = ground.folder(of: machine.id)
                try folder.prepareForStart()
                try record.save(to: folder.record)
                try await ground.hypervisor.start(machine)
                let chosen = try #require(await ground.hypervisor.guestFacts(of: machine.id).sshPort)
                #expect(chosen != port)
            }
        }
    }
}
