import Foundation
import Platform
import QEMU
import SnapshotDomain
import SnapshotPorts
import TestKit
import Testing

@testable import HypervisorQEMU

extension QEMUHypervisorTests {
    /// Machines whose disks are images of a real cluster.
    @Suite("disks in a Ceph pool", .enabled(if: CephCluster.isThere && GuardProgram.isThere, CephCluster.reason))
    struct CephDisks {
        @Test("keep the contract")
        func contract() async throws {
            try await CephCluster.run { cluster in
                for promise in HypervisorContract.all {
                    do {
                        try await withGround { local in
                            try await promise.check(CephGround(cluster: cluster, local: local))
                        }
                    } catch {
                        Issue.record(error, "\(promise)")
                    }
                }
            }
        }

        @Test("and in files work in one machine, come and go, and are told apart")
        func mixed() async throws {
            try await CephCluster.run { cluster in
                try await withGround { local in
                    let ground = CephGround(cluster: cluster, local: local)
                    let root = try await local.makeDisk(slot: 0, beside: nil)
                    let data = try await ground.makeDisk(slot: 1, beside: nil)
                    let machine = try local.describe([root.disk, data.disk])
                    let hypervisor = await local.hypervisor
                    try await hypervisor.start(machine)
                    let later = try await ground.makeDisk(slot: 2, beside: data)
                    try await hypervisor.attach(later.disk, to: machine.id)
                    let written = [0: root.handles[0], 1: data.handles[0], 2: later.handles[0]]
                    #expect(try await hypervisor.writtenDisks(of: machine.id) == written)
                    #expect(
                        try await hypervisor.openDisks(of: machine.id)
                            == Set(root.handles + data.handles + later.handles)
                    )
                    // A guest that lets go late, after the service was restarted.
                    _ = try await fault { try await hypervisor.detach(slot: 2, from: machine.id) }
                    try await local.restart()
                    try await local.hypervisor.reset(machine.id)
                    try await until("the disk is closed") {
                        try await local.hypervisor.openDisks(of: machine.id) == Set(root.handles + data.handles)
                    }
                    // Nobody has it any more.
                    try await cluster.rbd(
                        "rm",
                        "--no-progress",
                        cluster.place(try #require(later.handles[0].image).image)
                    )
                }
            }
        }

        @Test("make a guest wait while the cluster is away, and the machine answers meanwhile")
        func outage() async throws {
            try await CephCluster.run { cluster in
                try await withGround { local in
                    var content = CountingGuest.bootSector
                    content.append(Data(count: (4 << 20) - content.count))
                    let (root, data) = (try await cluster.makeImage(content), try await cluster.makeImage(size: "4M"))
                    let machine = try local.describe([try cluster.disk(slot: 0, root), try cluster.disk(slot: 1, data)])
                    let hypervisor = await local.hypervisor
                    try await hypervisor.start(machine)
                    func number() async throws -> Int { try await cluster.number(on: root) }
                    try await until("the guest counts") { try await number() > 1 }
                    try await cluster.kill("osd")
                    #expect(await hypervisor.status(of: machine.id) == .running)
                    #expect(
                        try await hypervisor.writtenDisks(of: machine.id)
                            == [0: DiskHandle(ImageNode(root)), 1: DiskHandle(ImageNode(data))]
                    )
                    try await cluster.revive()
                    let before = try await number()
                    try await until("the guest counts on") { try await number() > before }
                    #expect(await hypervisor.status(of: machine.id) == .running)
                    try await hypervisor.stop(machine.id, mode: .forced)
                }
            }
        }

        @Test("grow while the machine runs")
        func growth() async throws {
            try await CephCluster.run { cluster in
                try await withGround { local in
                    let ground = CephGround(cluster: cluster, local: local)
                    let root = try await ground.makeDisk(slot: 0, beside: nil)
                    let machine = try local.describe([root.disk])
                    let hypervisor = await local.hypervisor
                    try await hypervisor.start(machine)
                    let node = try #require(root.handles[0].image)
                    try await cluster.rbd("resize", "--no-progress", "--size", "96M", cluster.place(node.image))
                    let channel = try #require(try await hypervisor.blockChannel(of: machine.id) as? QEMUBlockChannel)
                    try await channel.client.execute(
                        "block_resize",
                        ["node-name": .string(node.name), "size": .integer(96 << 20)]
                    )
                    let nodes = try await channel.client.execute("query-named-block-nodes", ["flat": true])
                    let mine = nodes.array?.first { $0["node-name"]?.string == node.name }
                    #expect(mine?["image"]?["virtual-size"]?.integer == 96 << 20)
                }
            }
        }
    }
}

extension CephCluster {
    /// The number that a counting guest has written to a disk, as another client sees it at an instant.
    fileprivate func number(on image: LayerID) async throws -> Int {
        let snapshot = "\(place(image))@look-\(RandomName.make(length: 6))"
        try await rbd("snap", "create", "--no-progress", snapshot)
        let file = "\(folder)/\(RandomName.make(length: 8))"
        try await rbd("export", "--no-progress", snapshot, file)
        try await rbd("snap", "rm", "--no-progress", snapshot)
        return CountingGuest.number(in: try Data(contentsOf: URL(fileURLWithPath: file)))
    }
}
