import Platform
import SnapshotDomain
import SnapshotPorts

extension HypervisorContract {
    static let life: [HypervisorContract] = [
        HypervisorContract("a machine runs once it was started, and is stopped once it was stopped") { ground in
            let (id, _) = try await ground.startMachine()
            try expectEqual(await ground.hypervisor.status(of: id), .running, "the state after the start")
            try expect(await ground.hypervisor.isAlive(id), "a machine that runs should be alive")
            try await ground.hypervisor.stop(id, mode: .forced)
            try expectEqual(await ground.hypervisor.status(of: id), .stopped, "the state after the stop")
            try expect(!(await ground.hypervisor.isAlive(id)), "a machine that was stopped should not be alive")
        },
        HypervisorContract("starting what runs changes nothing") { ground in
            let root = try await ground.makeDisk(slot: 0, beside: nil)
            let machine = try ground.describe([root])
            try await ground.hypervisor.start(machine)
            let data = try await ground.makeDisk(slot: 1, beside: nil)
            try await ground.hypervisor.attach(data.disk, to: machine.id)
            try await ground.hypervisor.start(machine)
            let slots = try await ground.hypervisor.writtenDisks(of: machine.id).keys.sorted()
            try expectEqual(slots, [0, 1], "the slots in use after the second start")
        },
        HypervisorContract("stopping what is stopped, and what was never there, succeeds") { ground in
            let (id, _) = try await ground.startMachine()
            for _ in 1...2 { try await ground.hypervisor.stop(id, mode: .forced) }
            try await ground.hypervisor.stop(id, mode: .graceful(timeout: .seconds(1)))
            try await ground.hypervisor.stop(.random(), mode: .forced)
        },
        HypervisorContract("a machine that was stopped can be started again") { ground in
            let root = try await ground.makeDisk(slot: 0, beside: nil)
            let machine = try ground.describe([root], network: .user)
            for _ in 1...3 {
                try await ground.hypervisor.start(machine)
                try expectEqual(await ground.hypervisor.status(of: machine.id), .running, "the state")
                try await ground.hypervisor.stop(machine.id, mode: .forced)
            }
        },
        HypervisorContract("a guest that does not power off is left running") { ground in
            let (id, _) = try await ground.startMachine()
            try await expectFault([.guestUnresponsive], "the graceful stop") {
                try await ground.hypervisor.stop(id, mode: .graceful(timeout: .milliseconds(300)))
            }
            try expectEqual(await ground.hypervisor.status(of: id), .running, "the state")
        },
        HypervisorContract("a reset keeps the machine and its disks") { ground in
            let (id, root) = try await ground.startMachine()
            try await ground.hypervisor.reset(id)
            try expectEqual(await ground.hypervisor.status(of: id), .running, "the state")
            try expectEqual(try await ground.hypervisor.writtenDisks(of: id), [0: root.handles[0]], "the written disks")
        },
        HypervisorContract("a machine whose disk cannot be opened does not start and leaves nothing") { ground in
            let broken = ContractDisk(disk: try await ground.makeBrokenDisk(slot: 0), handles: [])
            let machine = try ground.describe([broken])
            try await expectFault([.cannotStart], "the start") { try await ground.hypervisor.start(machine) }
            try expectEqual(await ground.hypervisor.status(of: machine.id), .stopped, "the state")
            try await ground.hypervisor.remove(machine.id)
        },
        HypervisorContract("a machine is removed only when it is stopped, and then is gone") { ground in
            let (id, _) = try await ground.startMachine()
            try await expectFault([.wrongState], "the removal of a running machine") {
                try await ground.hypervisor.remove(id)
            }
            try expect(try await ground.hypervisor.inventory().contains(id), "a running machine is in the inventory")
            try await ground.hypervisor.stop(id, mode: .forced)
            for _ in 1...2 { try await ground.hypervisor.remove(id) }
            try expect(
                try await !ground.hypervisor.inventory().contains(id),
                "a removed machine is not in the inventory"
            )
        },
        HypervisorContract("what needs a running machine says that it does not run") { ground in
            let id = InstanceID.random()
            let hypervisor = await ground.hypervisor
            let disk = try await ground.makeDisk(slot: 1, beside: nil).disk
            try await expectFault([.wrongState], "a reset") { try await hypervisor.reset(id) }
            try await expectFault([.wrongState], "attaching") { try await hypervisor.attach(disk, to: id) }
            try await expectFault([.wrongState], "detaching") { try await hypervisor.detach(slot: 1, from: id) }
            try await expectFault([.wrongState], "the written disks") { _ = try await hypervisor.writtenDisks(of: id) }
            try await expectFault([.wrongState], "the open disks") { _ = try await hypervisor.openDisks(of: id) }
            try await expectFault([.wrongState], "a freeze") {
                _ = try await hypervisor.freeze(id, atMost: .seconds(1))
            }
            try await expectFault([.wrongState], "a screenshot") { _ = try await hypervisor.screenshot(of: id) }
            try expect(try await hypervisor.blockChannel(of: id) == nil, "there is no way to the disks")
            await hypervisor.thawIfFrozen(id)
        },
    ]

    static let ends: [HypervisorContract] = [
        HypervisorContract("a machine that ended by itself is reported once and is stopped") { ground in
            let hypervisor = await ground.hypervisor
            let events = await hypervisor.events()
            let (id, _) = try await ground.startMachine()
            try await ground.crash(id)
            try expectEqual(await hypervisor.status(of: id), .stopped, "the state after the crash")
            // Whatever would report the end a second time has been asked by the time the next machine's end is told.
            let (next, _) = try await ground.startMachine()
            try await ground.crash(next)
            let ended = try await endings(in: events, until: next)
            try expectEqual(ended.filter { $0.id == id }.count, 1, "the number of reports")
            try expect(ended.allSatisfy { !$0.byGuest }, "a crash is not the guest's doing")
        },
        HypervisorContract("a machine that ended by itself can be started again") { ground in
            let root = try await ground.makeDisk(slot: 0, beside: nil)
            let machine = try ground.describe([root])
            try await ground.hypervisor.start(machine)
            try await ground.crash(machine.id)
            try await ground.hypervisor.start(machine)
            try expectEqual(await ground.hypervisor.status(of: machine.id), .running, "the state")
        },
        HypervisorContract("a machine that we stopped is not reported") { ground in
            let events = await ground.hypervisor.events()
            let (id, _) = try await ground.startMachine()
            try await ground.hypervisor.stop(id, mode: .forced)
            let (next, _) = try await ground.startMachine()
            try await ground.crash(next)
            let ended = try await endings(in: events, until: next)
            try expectEqual(ended.map(\.id), [next], "the machines that were reported")
        },
        HypervisorContract("a new service finds what runs and controls it") { ground in
            let (id, root) = try await ground.startMachine(network: .user)
            let port = await ground.hypervisor.guestFacts(of: id).sshPort
            try await ground.restart()
            let hypervisor = await ground.hypervisor
            try expect(try await hypervisor.inventory().contains(id), "the machine is in the inventory")
            try expectEqual(await hypervisor.status(of: id), .running, "the state")
            try expectEqual(try await hypervisor.writtenDisks(of: id), [0: root.handles[0]], "the written disks")
            try expectEqual(await hypervisor.guestFacts(of: id).sshPort, port, "the port")
            try await hypervisor.start(try ground.describe([root], id: id, network: .user))
            try await hypervisor.stop(id, mode: .forced)
            try expectEqual(await hypervisor.status(of: id), .stopped, "the state after the stop")
        },
        HypervisorContract("a new service hears of the end of what it took over") { ground in
            let (id, _) = try await ground.startMachine()
            try await ground.restart()
            let hypervisor = await ground.hypervisor
            try expectEqual(await hypervisor.status(of: id), .running, "the state")
            let events = await hypervisor.events()
            try await ground.crash(id)
            let ended = try await endings(in: events, until: id)
            try expectEqual(ended.map(\.id), [id], "the machines that were reported")
        },
    ]

    private struct Ending: Sendable {
        var id: InstanceID
        var byGuest: Bool
    }

    /// The ends that are told up to that of one machine.
    private static func endings(in events: AsyncStream<MachineEvent>, until last: InstanceID) async throws -> [Ending] {
        try await withDeadline(.seconds(60), for: "the report of a machine's end") {
            var endings: [Ending] = []
            for await case .ended(let id, let byGuest, _) in events {
                endings.append(Ending(id: id, byGuest: byGuest))
                if id == last { return endings }
            }
            throw Broken(description: "the events ended before the machine's end was told")
        }
    }
}
