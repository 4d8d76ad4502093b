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
                try await until("only the root disk's layers are open") {
                    try await ground.hypervisor.openLayers(of: machine.id) == Set(root.layers)
                }
                for slot in 1...2 { try await ground.hypervisor.detach(slot: slot, from: machine.id) }
                #expect(try await ground.hypervisor.activeLayers(of: machine.id) == [0: root.layers[0]])
                try await ground.hypervisor.attach(own.disk, to: machine.id)
                #expect(try await ground.hypervisor.activeLayers(of: machine.id)[1] == own.layers[0])
            }
        }

        @Test("a disk that was put on a new layer while the machine ran is told, taken out and closed as it is now")
        func switchedDisk() async throws {
            try await withGround { ground in
                let root = try await ground.makeDisk(slot: 0, beside: nil)
                let data = try await ground.makeDisk(slot: 1, beside: nil)
                let machine = try ground.describe([root.disk, data.disk])
                try await ground.hypervisor.start(machine)
                let top = try await ground.disks.makeLayer(on: ground.disks.path(data.layers[0]))
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
                #expect(try await ground.hypervisor.activeLayers(of: machine.id)[1] == data.layers[0])
                try await client.execute(
                    "blockdev-snapshot",
                    ["node": .string(LayerNode(data.layers[0]).name), "overlay": .string(node.name)]
                )
                #expect(try await ground.hypervisor.activeLayers(of: machine.id)[1] == top)
                let open = try await ground.hypervisor.openLayers(of: machine.id)
                #expect(open == Set(root.layers + data.layers + [top]))
                // The old layer is frozen now and may carry another disk.
                let clone = try await ground.disks.makeLayer(on: ground.disks.path(data.layers[0]))
                let other = try ground.disks.disk(slot: 2, layers: [clone] + data.layers)
                try await ground.hypervisor.attach(other, to: machine.id)

                _ = try await fault { try await ground.hypervisor.detach(slot: 1, from: machine.id) }
                try await ground.hypervisor.reset(machine.id)
                try await until("the disk's own layer is closed, and what the other reads is not") {
                    let open = try await ground.hypervisor.openLayers(of: machine.id)
                    return open == Set(root.layers + data.layers + [clone])
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
