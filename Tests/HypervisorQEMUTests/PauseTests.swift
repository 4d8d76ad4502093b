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
    @Suite("pauses", .enabled(if: GuardProgram.isThere, GuardProgram.reason), .timeLimit(.minutes(3)))
    struct PauseTests {
        /// Starts a machine with a blank disk and pauses it by a guard of its own, as a service does.
        private func withGuardedMachine(
            _ body: (QEMUGround, InstanceID, ChildProcess, GuardWords) async throws -> Void
        ) async throws {
            try await withGround { ground in
                let machine = try ground.describe([try await ground.makeDisk(slot: 0, beside: nil).disk])
                try await ground.hypervisor.start(machine)
                let folder = ground.folder(of: machine.id)
                let options = [
                    "guest-guard", "--monitor", folder.guardMonitor, "--mark", folder.pauseMark,
                    "--milliseconds", "600000",
                ]
                let child = try await ChildProcess.start(
                    Spawn(Shared.executable, options, input: .pipe, output: .lines)
                )
                defer { child.signal(SIGKILL) }
                let words = GuardWords(process: child)
                #expect(try await words.next() == .held(count: 1))
                try await body(ground, machine.id, child, words)
            }
        }

        @Test("the machine goes on at once when the guard's owner is gone")
        func ownerGone() async throws {
            try await withGuardedMachine { ground, id, child, words in
                #expect(await ground.hypervisor.status(of: id) == .paused(reason: "paused"))
                child.closeInput()
                guard case .released(let release) = try await words.next() else { throw UnexpectedWord() }
                #expect(release.reason == .ownerGone)
                #expect(release.count == 1)
                #expect(await ground.hypervisor.status(of: id) == .running)
                #expect(!PauseMark.exists(ground.folder(of: id).pauseMark))
            }
        }

        @Test("a guard that was killed leaves a machine that the next service lets go on")
        func guardKilled() async throws {
            try await withGuardedMachine { ground, id, child, _ in
                child.signal(SIGKILL)
                _ = await child.wait()
                #expect(await ground.hypervisor.status(of: id) == .paused(reason: "paused"))
                try await ground.restart()
                #expect(await ground.hypervisor.status(of: id) == .running)
                #expect(!PauseMark.exists(ground.folder(of: id).pauseMark))
                let lease = try await ground.hypervisor.pause(id, atMost: Shared.limit)
                #expect(await lease.resume().heldThroughout)
            }
        }

        @Test("a service that finds its guard dead lets the machine go on, and does not claim that it was held")
        func guardKilledUnderLease() async throws {
            try await withGround { ground in
                let machine = try ground.describe([try await ground.makeDisk(slot: 0, beside: nil).disk])
                try await ground.hypervisor.start(machine)
                let lease = try await ground.hypervisor.pause(machine.id, atMost: Shared.limit)
                let hold = try #require(lease as? GuardedHold)
                hold.process.signal(SIGKILL)
                #expect(await !lease.resume().heldThroughout)
                #expect(await ground.hypervisor.status(of: machine.id) == .running)
            }
        }

        @Test("an armed guard counts from the moment at which the machine stops by itself")
        func armed() async throws {
            try await withGround { ground in
                let machine = try ground.describe([try await ground.makeDisk(slot: 0, beside: nil).disk])
                try await ground.hypervisor.start(machine)
                let folder = ground.folder(of: machine.id)
                for isAsked in [true, false] {
                    let options = [
                        "guest-guard", "--monitor", folder.guardMonitor, "--mark", folder.pauseMark, "--armed",
                        "--milliseconds", "100",
                    ]
                    let child = try await ChildProcess.start(
                        Spawn(Shared.executable, options, input: .pipe, output: .lines)
                    )
                    defer { child.signal(SIGKILL) }
                    let words = GuardWords(process: child)
                    #expect(try await words.next() == .armed)
                    #expect(await ground.hypervisor.status(of: machine.id) == .running)
                    if isAsked {
                        child.send(Data("hold\n".utf8))
                    } else {
                        let person = try await QMPClient.connect(folder.spareMonitor, group: Shared.group)
                        try await person.execute("stop")
                        person.close()
                    }
                    #expect(try await words.next() == .held(count: 1))
                    guard case .released(let release) = try await words.next() else { throw UnexpectedWord() }
                    #expect(release.reason == .deadline)
                    #expect(await ground.hypervisor.status(of: machine.id) == .running)
                    #expect(await child.wait(within: Shared.limit) == .exited(0))
                }
            }
        }

        @Test("a machine that somebody else stopped is neither paused nor let go on")
        func stoppedByOthers() async throws {
            try await withGround { ground in
                let machine = try ground.describe([try await ground.makeDisk(slot: 0, beside: nil).disk])
                try await ground.hypervisor.start(machine)
                let person = try await QMPClient.connect(
                    ground.folder(of: machine.id).spareMonitor,
                    group: Shared.group
                )
                try await person.execute("stop")
                let fault = try await fault { _ = try await ground.hypervisor.pause(machine.id, atMost: .seconds(1)) }
                #expect(fault.code == .guestRefused)
                try await ground.restart()
                #expect(await ground.hypervisor.status(of: machine.id) == .paused(reason: "paused"))
                person.close()
            }
        }

        @Test("a machine that somebody lets go on meanwhile was not held throughout")
        func resumedByOthers() async throws {
            try await withGround { ground in
                let machine = try ground.describe([try await ground.makeDisk(slot: 0, beside: nil).disk])
                try await ground.hypervisor.start(machine)
                let lease = try await ground.hypervisor.pause(machine.id, atMost: Shared.limit)
                let person = try await QMPClient.connect(
                    ground.folder(of: machine.id).spareMonitor,
                    group: Shared.group
                )
                try await person.execute("cont")
                #expect(await !lease.resume().heldThroughout)
                person.close()
            }
        }
    }
}
