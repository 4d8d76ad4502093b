import Foundation
import Glibc
import Platform
import QEMU
import SnapshotDomain
import SnapshotPorts
import TestKit
import Testing

@testable import HypervisorQEMU

/// The disk that `scripts/build-demo-guest` makes.
enum DemoGuest {
    static let image: String = {
        let named = ProcessInfo.processInfo.environment["INSTANTA_DEMO_GUEST"]
        let root = (#filePath as NSString).deletingLastPathComponent + "/../.."
        return URL(fileURLWithPath: named ?? "\(root)/var/demo-guest.qcow2").standardizedFileURL.path
    }()

    /// A missing one is an error where everything has to be there.
    static let isThere =
        FileManager.default.fileExists(atPath: image) || ProcessInfo.processInfo.environment["CI"] != nil
    static let reason: Comment = "there is no demo guest; 'scripts/build-demo-guest' makes one"
}

/// A demo guest that has booted, in a hypervisor of its own.
struct BootedGuest {
    let ground: QEMUGround
    let id: InstanceID
    let root: ContractDisk

    var agent: GuestAgent { GuestAgent(path: ground.folder(of: id).agent, group: Shared.group) }

    /// Boots one with a root disk and a data disk for as long as `body` runs.
    static func run(
        network: NetworkMode = .isolated,
        change: @Sendable (inout HypervisorConfiguration) -> Void = { _ in },
        _ body: (BootedGuest) async throws -> Void
    ) async throws {
        let longer: @Sendable (inout HypervisorConfiguration) -> Void = { configuration in
            configuration.limits.detach = .seconds(60)
            configuration.limits.guestFacts = .seconds(10)
            change(&configuration)
        }
        try await withGround(change: longer) { ground in
            let base = LayerID.random()
            try FileManager.default.createSymbolicLink(
                atPath: ground.disks.path(base),
                withDestinationPath: DemoGuest.image
            )
            let layers = [try await ground.disks.makeLayer(on: DemoGuest.image), base]
            let root = ContractDisk(
                disk: try ground.disks.disk(slot: 0, layers: layers),
                handles: layers.map { DiskHandle(LayerNode($0)) }
            )
            let data = try await ground.makeDisk(slot: 1, beside: nil)
            let machine = try ground.describe([root.disk, data.disk], network: network)
            try await ground.hypervisor.start(machine)
            let guest = BootedGuest(ground: ground, id: machine.id, root: root)
            try await guest.waitForHeartbeat()
            try await until("the agent answers") { await ground.hypervisor.guestFacts(of: machine.id).isAgentAnswering }
            try await body(guest)
        }
    }

    func console(from offset: Int64 = 0) async throws -> ConsoleText {
        try await ground.hypervisor.console(of: id, from: offset, atMost: 1 << 20)
    }

    /// The last counters that the guest has told: of the root disk and of the data disk.
    func counters() async throws -> [Int] {
        let lines = try await console().text.split(whereSeparator: \.isNewline)
        guard let last = lines.dropLast().last(where: { $0.hasPrefix("heartbeat ") }) else { return [-1, -1] }
        return last.split(separator: " ")[1...2].map { Int($0.split(separator: "=").last ?? "") ?? -1 }
    }

    /// Waits until both counters have gone on from where they are.
    func waitForHeartbeat() async throws {
        let before = try await counters()
        try await until("the guest's heart beats") {
            zip(try await counters(), before).allSatisfy { $0 > $1 }
        }
    }
}

extension QEMUHypervisorTests {
    @Suite("with a guest", .enabled(if: DemoGuest.isThere && GuardProgram.isThere, DemoGuest.reason))
    struct GuestTests {
        @Test("a guest tells its name and its address, and shows its screen")
        func facts() async throws {
            try await BootedGuest.run(network: .user) { guest in
                let hypervisor = await guest.ground.hypervisor
                try await until("the guest has an address") {
                    await hypervisor.guestFacts(of: guest.id).addresses.contains("10.0.2.15")
                }
                let facts = await hypervisor.guestFacts(of: guest.id)
                #expect(facts.hostname == "web-01")
                #expect(facts.sshPort != nil)
                #expect(try await hypervisor.screenshot(of: guest.id).count > 100)
                #expect(try await guest.console().text.contains("instanta-guest ready hostname=web-01"))
            }
        }

        @Test("a freeze lasts until the thaw, or its deadline, or the restart of a service that knew no better")
        func freezes() async throws {
            try await BootedGuest.run { guest in
                let hypervisor = await guest.ground.hypervisor
                let held = try await hypervisor.freeze(guest.id, atMost: .seconds(30))
                #expect(await hypervisor.status(of: guest.id) == .running)
                // The agent is busy: what it said before is good enough, and nobody waits.
                _ = await hypervisor.guestFacts(of: guest.id)
                let report = await held.thaw()
                #expect(report.heldThroughout)
                #expect(report.answer.hasPrefix("2 file systems frozen"))
                #expect(try await guest.agent.freezeStatus() == .thawed)
                try await guest.waitForHeartbeat()

                let missed = try await hypervisor.freeze(guest.id, atMost: .milliseconds(1_500))
                try await guest.waitForHeartbeat()
                #expect(await !missed.thaw().heldThroughout)
                #expect(try await guest.agent.freezeStatus() == .thawed)

                #expect(try await guest.agent.freeze(timeout: .seconds(20)) == 2)
                try await guest.ground.restart()
                await guest.ground.hypervisor.thawIfFrozen(guest.id)
                #expect(try await guest.agent.freezeStatus() == .thawed)
                try await guest.waitForHeartbeat()
            }
        }

        @Test("a guest that is asked to stop powers off, which is not reported")
        func gracefulStop() async throws {
            try await BootedGuest.run { guest in
                let hypervisor = await guest.ground.hypervisor
                let events = await hypervisor.events()
                try await hypervisor.stop(guest.id, mode: .graceful(timeout: Shared.limit))
                #expect(await hypervisor.status(of: guest.id) == .stopped)
                #expect(try await guest.console().text.contains("instanta-guest stopping"))
                await guest.ground.close()
                #expect(await events.first { _ in true } == nil)
            }
        }

        @Test("a guest whose agent hangs is not frozen, and is stopped by its power button")
        func hungAgent() async throws {
            try await BootedGuest.run(change: { $0.limits.answer = .seconds(2) }) { guest in
                let hypervisor = await guest.ground.hypervisor
                _ = try? await guest.agent.run("/bin/sh", ["-c", "kill -STOP $(pidof qemu-ga)"], timeout: .seconds(2))
                let fault = try await fault { _ = try await hypervisor.freeze(guest.id, atMost: .seconds(1)) }
                #expect(fault.code == .guestUnresponsive)
                #expect(fault.outcome == .notDone)
                try await hypervisor.stop(guest.id, mode: .graceful(timeout: Shared.limit))
                #expect(await hypervisor.status(of: guest.id) == .stopped)
            }
        }

        @Test("a guest that powers itself off is reported as having done so")
        func powersOff() async throws {
            try await BootedGuest.run { guest in
                let hypervisor = await guest.ground.hypervisor
                let events = await hypervisor.events()
                try await guest.agent.shutdown()
                let event = try await withDeadline(Shared.limit, for: "the report") { await events.first { _ in true } }
                #expect(event == .ended(guest.id, byGuest: true, reason: "The guest powered itself off"))
                #expect(await hypervisor.status(of: guest.id) == .stopped)
            }
        }

        @Test("a guest that restarts keeps its machine, and its console goes on")
        func restarts() async throws {
            try await BootedGuest.run { guest in
                let process = try #require(guest.ground.folder(of: guest.id).findProcess())
                let end = try await guest.console().nextOffset
                try await guest.agent.execute("guest-shutdown", ["mode": "reboot"], answers: false)
                try await until("the guest is up again") {
                    try await guest.console(from: end).text.contains("instanta-guest ready")
                }
                #expect(process.isAlive)
                #expect(await guest.ground.hypervisor.status(of: guest.id) == .running)
            }
        }

        @Test("a disk comes and goes while the guest runs, and layers that others read stay open")
        func hotPlug() async throws {
            try await BootedGuest.run { guest in
                let hypervisor = await guest.ground.hypervisor
                let before = try await hypervisor.openDisks(of: guest.id)
                // A clone of the guest's own root disk: it stands on the same base.
                let clone = try await guest.ground.disks.makeLayer(on: DemoGuest.image)
                let disk = try guest.ground.disks.disk(
                    slot: 2,
                    layers: [clone] + guest.root.handles.suffix(1).compactMap { $0.layer?.layer }
                )
                for _ in 1...2 {
                    try await hypervisor.attach(disk, to: guest.id)
                    try await until("the guest sees the disk") { try await guest.sees("/dev/vdc") }
                    #expect(
                        try await hypervisor.openDisks(of: guest.id) == before.union([DiskHandle(LayerNode(clone))])
                    )
                    try await hypervisor.detach(slot: 2, from: guest.id)
                    #expect(try await hypervisor.openDisks(of: guest.id) == before)
                    #expect(try await !guest.sees("/dev/vdc"))
                }
                try await guest.waitForHeartbeat()
            }
        }
    }
}

extension BootedGuest {
    fileprivate func sees(_ device: String) async throws -> Bool {
        try await agent.run("/bin/sh", ["-c", "test -b \(device)"]).exitCode == 0
    }
}
