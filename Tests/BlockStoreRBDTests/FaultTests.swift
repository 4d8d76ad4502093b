import Ceph
import Foundation
import Glibc
import Platform
import QEMUTestKit
import SnapshotDomain
import SnapshotPorts
import Testing

@testable import BlockStoreRBD
@testable import TestKit

@Suite("An RBD block store in trouble", .serialized)
struct FaultTests {
    private static let size = ByteCount.mebibytes(4)
    private static let short = ClusterPatience(connectSeconds: 2, monitorSeconds: 2, storageSeconds: 2)

    @Test("opens without its cluster, and says what is wrong")
    func clusterAway() async throws {
        try await withTemporaryDirectory { directory in
            // Nobody listens there.
            let configuration = "\(directory)/ceph.conf"
            try "[global]\nmon_host = [v2:127.0.0.1:1/0]\n".write(
                toFile: configuration,
                atomically: true,
                encoding: .utf8
            )
            let address = ClusterAddress(configuration: configuration, user: "volumes", pool: "volumes")
            let store = try await RBDBlockStore.open(
                pool: .local,
                at: address,
                temporary: "\(directory)/tmp",
                patience: Self.short,
                logger: Shared.logger
            )
            await Self.expect(.unavailable) { _ = try await store.inventory() }
            await Self.expect(.unavailable) { try await store.createLayer(.random(), size: Self.size) }
            await store.close()
        }
    }

    @Test("says so when the user is unknown, the pool is not there or the file is missing")
    func wrongAddress() async throws {
        let good = try await TestCluster.shared.address()
        var (user, pool, file) = (good, good, good)
        user.user = "nobody"
        pool.pool = "nothing"
        file.configuration = "/nonexistent/ceph.conf"
        for address in [user, pool, file] {
            try await withTemporaryDirectory { directory in
                let store = try await RBDBlockStore.open(
                    pool: .local,
                    at: address,
                    temporary: "\(directory)/tmp",
                    patience: Self.short,
                    logger: Shared.logger
                )
                await Self.expect(.unavailable) { _ = try await store.capacity() }
                await store.close()
            }
        }
    }

    @Test("finds the truth after a daemon died and came back", arguments: ["mon"])
    func daemonKilled(_ daemon: String) async throws {
        try await withGround(patience: Self.short) { ground in
            let base = try await ground.makeLayer(size: Self.size, [Fill(1, 0..<65_536)])
            let layers = [LayerID.random(), LayerID.random(), LayerID.random()]
            try await TestCluster.shared.kill(daemon)
            for layer in layers {
                await Self.expectAnyFaultOrSuccess {
                    try await ground.store.createLayer(layer, on: base, size: Self.size, through: nil)
                }
            }
            try await TestCluster.shared.revive()
            for layer in layers {
                try await Self.untilAvailable {
                    try await ground.store.createLayer(layer, on: base, size: Self.size, through: nil)
                }
            }
            var found = PoolInventory(layers: [], unknown: [])
            try await Self.untilAvailable { found = try await ground.store.inventory() }
            #expect(Set(found.layers.map(\.id)) == Set([base] + layers))
            #expect(found.layers.filter { $0.parent == base }.count == 3)
            try await ground.expectContent(of: layers[1], [Fill(1, 0..<65_536)], size: Self.size, "a layer")
            for layer in layers { try await Self.untilAvailable { try await ground.store.deleteLayer(layer) } }
            try await Self.untilAvailable { try await ground.store.deleteLayer(base) }
            #expect(try await ground.images() == [])
        }
    }

    @Test("a manager that is away does not make a pool look full")
    func managerKilled() async throws {
        try await withGround(patience: Self.short) { ground in
            let layer = try await ground.makeLayer(size: Self.size)
            try await TestCluster.shared.kill("mgr")
            let next = try await ground.makeLayer(on: layer, size: Self.size)
            #expect(try await ground.store.findLayer(next)?.parent == layer)
            try await TestCluster.shared.revive()
            #expect(try await ground.store.capacity().free > .zero)
        }
    }

    @Test("does not wait for a machine that was killed with the lock")
    func deadClient() async throws {
        try await withGround { ground in
            let layer = try await ground.makeLayer(size: Self.size)
            let machine = try await ground.makeMachine("vm")
            try await machine.attach(try await ground.store.diskSource(for: [layer]))
            try await machine.write(Fill(7, 0..<4_096), toDisk: 0)
            await Self.expect(.inUse) { try await ground.store.deleteLayer(layer) }
            await machine.kill()
            let next = LayerID.random()
            try await ground.store.createLayer(next, on: layer, size: Self.size, through: nil)
            try await ground.store.deleteLayer(next)
            try await ground.store.deleteLayer(layer)
            #expect(try await ground.images() == [])
        }
    }

    private static func expect(
        _ code: BlockStoreFault.Code,
        _ call: () async throws -> Void
    ) async {
        do {
            try await call()
            Issue.record("the call should fail with \(code)")
        } catch let fault as BlockStoreFault {
            #expect(fault.code == code, "\(fault)")
        } catch {
            Issue.record("\(error)")
        }
    }

    private static func expectAnyFaultOrSuccess(_ call: () async throws -> Void) async {
        do { try await call() } catch { #expect(error is BlockStoreFault) }
    }

    /// Repeats a call that a caller may repeat, for as long as the pool is away.
    private static func untilAvailable(_ call: () async throws -> Void) async throws {
        let deadline = ContinuousClock.now + Shared.limit
        while true {
            do {
                return try await call()
            } catch let fault as BlockStoreFault where ContinuousClock.now < deadline && fault.code != .exists {
                try await Task.sleep(for: .milliseconds(200))
            }
        }
    }
}
