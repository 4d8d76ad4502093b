import SnapshotDomain
import SnapshotPorts
import Synchronization

extension HypervisorContract {
    static let memories: [HypervisorContract] = [
        HypervisorContract("memory is saved with the machine standing still at the instant, once, and it runs on") {
            ground in
            let machine = try await ground.startForMemory()
            let (hypervisor, id) = (await ground.hypervisor, SnapshotGroupID.random())
            let seen = Mutex<[MachineStatus]>([])
            let saved = try await hypervisor.saveMemory(of: machine.id, as: id, machine.request) { _, _ in
            } atInstant: {
                let status = await hypervisor.status(of: machine.id)
                seen.withLock { $0.append(status) }
            }
            let statuses = seen.withLock(\.self)
            try expect(
                statuses.count == 1 && statuses[0] != .running,
                "the machine should stand still, once: \(statuses)"
            )
            try expectEqual(await hypervisor.status(of: machine.id), .running, "the state afterwards")
            try expect(saved.size.bytes > 0, "a memory takes space")
            try expectEqual(saved.shape, machine.shape, "the shape")
            try expectEqual(try await hypervisor.findMemory(id), saved, "what is found")
            try expectEqual(try await hypervisor.digestMemory(id) { _, _ in }, saved.digest, "the digest on reading")
            try await ground.restart()
            let inventory = try await ground.hypervisor.memoryInventory()
            try expectEqual(inventory, MemoryInventory(images: [saved], unknown: []), "the inventory of a new service")
        },
        HypervisorContract("a machine goes on from its memory, once for one job") { ground in
            let machine = try await ground.startForMemory()
            let id = SnapshotGroupID.random()
            let hypervisor = await ground.hypervisor
            _ = try await hypervisor.saveMemory(of: machine.id, as: id, machine.request) { _, _ in
            } atInstant: {
            }
            try await hypervisor.stop(machine.id, mode: .forced)
            try await hypervisor.requireResumable(id)
            let job = JobID.random()
            for _ in 1...2 { try await hypervisor.start(machine.description, resuming: id, onceFor: job) { _, _ in } }
            try expectEqual(await hypervisor.status(of: machine.id), .running, "the state")
            try await ground.restart()
            try expectEqual(await ground.hypervisor.status(of: machine.id), .running, "the state for a new service")
            for start in 1...2 {
                try await ground.hypervisor.stop(machine.id, mode: .forced)
                try await expectFault([.wrongState], "going on again, after \(start) runs") {
                    try await ground.hypervisor.start(machine.description, resuming: id, onceFor: job) { _, _ in }
                }
                try expectEqual(await ground.hypervisor.status(of: machine.id), .stopped, "the state after the refusal")
                try await ground.hypervisor.start(machine.description)
            }
        },
        HypervisorContract("an instant that fails leaves a machine that runs, and no memory") { ground in
            let machine = try await ground.startForMemory()
            let (hypervisor, id) = (await ground.hypervisor, SnapshotGroupID.random())
            try await expectFault([.io], "the saving") {
                _ = try await hypervisor.saveMemory(of: machine.id, as: id, machine.request) { _, _ in
                } atInstant: {
                    throw Broken(description: "on purpose")
                }
            }
            try expectEqual(await hypervisor.status(of: machine.id), .running, "the state")
            try expectEqual(try await hypervisor.findMemory(id), nil, "what is found")
            _ = try await hypervisor.saveMemory(of: machine.id, as: id, machine.request) { _, _ in
            } atInstant: {
            }
            try expect(try await hypervisor.findMemory(id) != nil, "it can be saved afterwards")
        },
        HypervisorContract(
            "an instant that takes longer than the pause allows leaves a machine that runs, and no memory"
        ) {
            ground in
            let machine = try await ground.startForMemory()
            let request = MemorySaveRequest(shape: machine.shape, longestPause: .milliseconds(300))
            let (hypervisor, id) = (await ground.hypervisor, SnapshotGroupID.random())
            try await expectFault([.guestUnresponsive, .io, .unavailable], "the saving") {
                _ = try await hypervisor.saveMemory(of: machine.id, as: id, request) { _, _ in
                } atInstant: {
                    while await hypervisor.status(of: machine.id) != .running {
                        try await Task.sleep(for: .milliseconds(10))
                    }
                }
            }
            try expectEqual(await hypervisor.status(of: machine.id), .running, "the state")
            try expectEqual(try await hypervisor.findMemory(id), nil, "what is found")
        },
        HypervisorContract("a machine that is not what the caller takes it for is not saved") { ground in
            let machine = try await ground.startForMemory()
            var request = machine.request
            request.shape.disks[3] = .random()
            try await expectFault([.wrongState], "the saving") { [request] in
                _ = try await ground.hypervisor.saveMemory(of: machine.id, as: .random(), request) { _, _ in
                } atInstant: {
                }
            }
            try await expectFault([.wrongState], "the saving of no machine") {
                _ = try await ground.hypervisor.saveMemory(of: .random(), as: .random(), machine.request) { _, _ in
                } atInstant: {
                }
            }
        },
        HypervisorContract("a memory that is deleted is gone, once and again, and what is gone cannot be used") {
            ground in
            let machine = try await ground.startForMemory()
            let id = SnapshotGroupID.random()
            let hypervisor = await ground.hypervisor
            _ = try await hypervisor.saveMemory(of: machine.id, as: id, machine.request) { _, _ in
            } atInstant: {
            }
            for _ in 1...2 { try await hypervisor.deleteMemory(id) }
            try expectEqual(try await hypervisor.findMemory(id), nil, "what is found")
            try await expectFault([.notFound], "using it") { try await hypervisor.requireResumable(id) }
            try expectEqual(
                try await hypervisor.memoryInventory(),
                MemoryInventory(images: [], unknown: []),
                "the inventory"
            )
        },
    ]
}

private struct MemoryMachine: Sendable {
    var description: MachineDescription
    var request: MemorySaveRequest

    var id: InstanceID { description.id }
    var shape: MachineShape { request.shape }
}

extension HypervisorGround {
    fileprivate func startForMemory() async throws -> MemoryMachine {
        let disk = try await makeDisk(slot: 0, beside: nil)
        let machine = try describe([disk])
        try await hypervisor.start(machine)
        let shape = MachineShape(
            cpuCount: machine.cpuCount,
            memory: machine.memory,
            macAddress: machine.macAddress,
            network: machine.network,
            disks: [disk.disk.slot: disk.disk.volume]
        )
        return MemoryMachine(
            description: machine,
            request: MemorySaveRequest(shape: shape, longestPause: .seconds(30))
        )
    }
}
