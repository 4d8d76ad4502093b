import Foundation
import Platform
import QEMU
import SnapshotDomain
import SnapshotPorts
import TestKit
import Testing

@testable import HypervisorQEMU

extension QEMUHypervisorTests {
    @Suite("disks")
    struct DiskTests {
        @Test("a disk that the guest lets go late is closed then", arguments: [true, false])
        func lateRelease(isServiceRestarted: Bool) async throws {
            try await withGround { ground in
                let root = try await ground.makeDisk(slot: 0, beside: nil)
                let machine = try ground.describe([root.disk])
                try await ground.hypervisor.start(machine)
                let own = try await ground.makeDisk(slot: 1, beside: nil)
                let shared = try await ground.makeDisk(slot: 2, beside: root)
                for disk in [own, shared] { try await ground.hypervisor.attach(disk.disk, to: machine.id) }
                for slot in 1...2 {
                    let fault = try await fault { try await ground.hypervisor.detach(slot: slot, from: machine.id) }
                    #expect(fault.code == .guestUnresponsive)
                    #expect(fault.outcome == .unknown)
                }
                if isServiceRestarted { try await ground.restart() }
                // A reset carries out what the guest did not.
                try await ground.hypervisor.reset(machine.id)
                try await until("only the root disk is open") {
                    try await ground.hypervisor.openDisks(of: machine.id) == Set(root.handles)
                }
                for slot in 1...2 { try await ground.hypervisor.detach(slot: slot, from: machine.id) }
                #expect(try await ground.hypervisor.writtenDisks(of: machine.id) == [0: root.handles[0]])
                try await ground.hypervisor.attach(own.disk, to: machine.id)
                #expect(try await ground.hypervisor.writtenDisks(of: machine.id)[1] == own.handles[0])
            }
        }

        @Test("a disk that was put on a new layer while the machine ran is told, taken out and closed as it is now")
        func switchedDisk() async throws {
            try await withGround { ground in
                let root = try await ground.makeDisk(slot: 0, beside: nil)
                let data = try await ground.makeDisk(slot: 1, beside: nil)
                let machine = try ground.describe([root.disk, data.disk])
                try await ground.hypervisor.start(machine)
                let old = try #require(data.handles[0].layer)
                let top = try await ground.disks.makeLayer(on: ground.disks.path(old.layer))
                let channel = try await ground.hypervisor.blockChannel(of: machine.id)
                let client = try #require(channel as? QEMUBlockChannel).client
                let node = LayerNode(top)
                let layer = BlockChainLayer(
                    nodeName: node.name,
                    path: ground.disks.path(top),
                    fileNodeName: node.fileName
                )
                try await client.execute(
                    "blockdev-add",
                    BlockChain.blockdevArguments(layer, over: nil, isWritable: true)
                )
                // Only prepared: it is open, and no disk's.
                #expect(try await ground.hypervisor.writtenDisks(of: machine.id)[1] == data.handles[0])
                try await client.execute(
                    "blockdev-snapshot",
                    ["node": .string(old.name), "overlay": .string(node.name)]
                )
                #expect(try await ground.hypervisor.writtenDisks(of: machine.id)[1] == DiskHandle(node))
                let open = try await ground.hypervisor.openDisks(of: machine.id)
                #expect(open == Set(root.handles + data.handles + [DiskHandle(node)]))
                // The old layer is frozen now and may carry another disk.
                let clone = try await ground.disks.makeLayer(on: ground.disks.path(old.layer))
                let other = try ground.disks.disk(
                    slot: 2,
                    layers: [clone] + data.handles.compactMap { $0.layer?.layer }
                )
                try await ground.hypervisor.attach(other, to: machine.id)

                _ = try await fault { try await ground.hypervisor.detach(slot: 1, from: machine.id) }
                try await ground.hypervisor.reset(machine.id)
                try await until("the disk's own layer is closed, and what the other reads is not") {
                    let open = try await ground.hypervisor.openDisks(of: machine.id)
                    return open == Set(root.handles + data.handles + [DiskHandle(LayerNode(clone))])
                }
            }
        }

        @Test("a disk of another volume does not pass for one that is attached")
        func otherVolume() async throws {
            try await withGround { ground in
                let root = try await ground.makeDisk(slot: 0, beside: nil)
                let machine = try ground.describe([root.disk])
                try await ground.hypervisor.start(machine)
                var impostor = root.disk
                impostor.volume = .random()
                let fault = try await fault { try await ground.hypervisor.attach(impostor, to: machine.id) }
                #expect(fault.code == .noSlot)
                #expect(fault.outcome == .notDone)
            }
        }
    }
}
