import Foundation
import SnapshotDomain
import SnapshotPorts

extension HypervisorContract {
    static let guests: [HypervisorContract] = [
        HypervisorContract("a guest without an agent cannot be frozen, and runs on") { ground in
            let (id, _) = try await ground.startMachine()
            try await expectFault([.guestUnresponsive], "a freeze") {
                _ = try await ground.hypervisor.freeze(id, atMost: .seconds(1))
            }
            await ground.hypervisor.thawIfFrozen(id)
            try expectEqual(await ground.hypervisor.status(of: id), .running, "the state")
        },
        HypervisorContract("facts are told of every machine, whether or not something answers") { ground in
            let (id, _) = try await ground.startMachine()
            let silent = GuestFacts(isAgentAnswering: false, addresses: [], hostname: nil, sshPort: nil)
            try expectEqual(await ground.hypervisor.guestFacts(of: id), silent, "the facts of an isolated machine")
            try expectEqual(await ground.hypervisor.guestFacts(of: .random()), silent, "the facts of no machine")
            let (connected, _) = try await ground.startMachine(network: .user)
            let port = await ground.hypervisor.guestFacts(of: connected).sshPort
            try expect(port.map { (1...65_535).contains($0) } ?? false, "a machine on the user network has an SSH port")
        },
        HypervisorContract("the SSH port stays the same when a machine is started again") { ground in
            let root = try await ground.makeDisk(slot: 0, beside: nil)
            let machine = try ground.describe([root], network: .user)
            try await ground.hypervisor.start(machine)
            let port = await ground.hypervisor.guestFacts(of: machine.id).sshPort
            try await ground.hypervisor.stop(machine.id, mode: .forced)
            try await ground.hypervisor.start(machine)
            try expectEqual(await ground.hypervisor.guestFacts(of: machine.id).sshPort, port, "the port")
        },
        HypervisorContract("the console can be read at any offset, of any machine") { ground in
            let (id, _) = try await ground.startMachine()
            for offset in [Int64(0), 1_000_000] {
                let text = try await ground.hypervisor.console(of: id, from: offset, atMost: 1_000)
                try expect(text.nextOffset >= 0, "the next offset is one")
            }
            let nobody = try await ground.hypervisor.console(of: .random(), from: 0, atMost: 1_000)
            try expectEqual(nobody, ConsoleText(text: "", nextOffset: 0), "the console of no machine")
        },
        HypervisorContract("the screen is shown as PNG") { ground in
            let (id, _) = try await ground.startMachine()
            let picture = try await ground.hypervisor.screenshot(of: id)
            try expectEqual(picture.prefix(4), Data([0x89, 0x50, 0x4E, 0x47]), "the first bytes of the picture")
        },
    ]
}
