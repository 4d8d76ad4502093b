import SnapshotDomain
import SnapshotPorts

extension HypervisorContract {
    static let disks: [HypervisorContract] = [
        HypervisorContract("a machine tells what it writes and what it has open") { ground in
            let root = try await ground.makeDisk(slot: 0, beside: nil)
            let data = try await ground.makeDisk(slot: 3, beside: nil)
            let machine = try ground.describe([root, data])
            try await ground.hypervisor.start(machine)
            let active = try await ground.hypervisor.writtenDisks(of: machine.id)
            try expectEqual(active, [0: root.handles[0], 3: data.handles[0]], "the written disks")
            let open = try await ground.hypervisor.openDisks(of: machine.id)
            try expectEqual(open, Set(root.handles + data.handles), "the open disks")
            try expectEqual(
                try await ground.hypervisor.blockChannel(of: machine.id)?.instance,
                machine.id,
                "the machine at the other end of the channel"
            )
        },
        HypervisorContract("a disk that is attached twice is attached once") { ground in
            let (id, root) = try await ground.startMachine()
            let data = try await ground.makeDisk(slot: 2, beside: nil)
            for _ in 1...2 {
                try await ground.hypervisor.attach(data.disk, to: id)
                let active = try await ground.hypervisor.writtenDisks(of: id)
                try expectEqual(active, [0: root.handles[0], 2: data.handles[0]], "the written disks")
            }
            try expectEqual(await ground.hypervisor.status(of: id), .running, "the state")
        },
        HypervisorContract("every slot takes a disk, and there is no slot beyond") { ground in
            let (id, _) = try await ground.startMachine()
            for slot in 1...VolumeLimits.dataVolumesPerInstance {
                try await ground.hypervisor.attach(try await ground.makeDisk(slot: slot, beside: nil).disk, to: id)
            }
            let slots = try await ground.hypervisor.writtenDisks(of: id).keys.sorted()
            try expectEqual(slots, Array(0...VolumeLimits.dataVolumesPerInstance), "the slots in use")
            let one = try await ground.makeDisk(slot: VolumeLimits.dataVolumesPerInstance + 1, beside: nil)
            try await expectFault([.noSlot], "one disk more") { try await ground.hypervisor.attach(one.disk, to: id) }
        },
        HypervisorContract("a slot that is taken refuses another disk") { ground in
            let (id, root) = try await ground.startMachine()
            let other = try await ground.makeDisk(slot: 0, beside: nil)
            try await expectFault([.noSlot], "attaching") { try await ground.hypervisor.attach(other.disk, to: id) }
            let open = try await ground.hypervisor.openDisks(of: id)
            try expectEqual(open, Set(root.handles), "the open disks")
        },
        HypervisorContract("disks of one machine may stand on the same layers") { ground in
            let root = try await ground.makeDisk(slot: 0, beside: nil)
            let clone = try await ground.makeDisk(slot: 1, beside: root)
            let machine = try ground.describe([root, clone])
            try await ground.hypervisor.start(machine)
            let later = try await ground.makeDisk(slot: 2, beside: root)
            try await ground.hypervisor.attach(later.disk, to: machine.id)
            let active = try await ground.hypervisor.writtenDisks(of: machine.id)
            let wanted = [0: root.handles[0], 1: clone.handles[0], 2: later.handles[0]]
            try expectEqual(active, wanted, "the written disks")
        },
        HypervisorContract("a disk that cannot be opened is not attached and leaves nothing open") { ground in
            let (id, root) = try await ground.startMachine()
            let broken = try await ground.makeBrokenDisk(slot: 1)
            try await expectFault([.io], "attaching") { try await ground.hypervisor.attach(broken, to: id) }
            try expectEqual(try await ground.hypervisor.openDisks(of: id), Set(root.handles), "the open disks")
            try expectEqual(await ground.hypervisor.status(of: id), .running, "the state")
        },
        HypervisorContract("detaching what is not there succeeds") { ground in
            let (id, _) = try await ground.startMachine()
            try await ground.hypervisor.detach(slot: 5, from: id)
        },
        HypervisorContract("a guest that does not let go keeps its disk and runs on") { ground in
            let (id, _) = try await ground.startMachine()
            let data = try await ground.makeDisk(slot: 1, beside: nil)
            try await ground.hypervisor.attach(data.disk, to: id)
            for _ in 1...2 {
                try await expectFault([.guestUnresponsive], "detaching") {
                    try await ground.hypervisor.detach(slot: 1, from: id)
                }
            }
            try expectEqual(try await ground.hypervisor.writtenDisks(of: id)[1], data.handles[0], "the disk in slot 1")
            try await expectFault([.wrongState], "attaching what is being taken out") {
                try await ground.hypervisor.attach(data.disk, to: id)
            }
            try expectEqual(await ground.hypervisor.status(of: id), .running, "the state")
        },
    ]
}
