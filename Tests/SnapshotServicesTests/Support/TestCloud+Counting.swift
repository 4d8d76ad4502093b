import Foundation
import SnapshotDomain
import SnapshotPorts
import TestKit
import Testing

@testable import SnapshotServices

extension TestCloud {
    /// An instance that counts on two disks, and has begun to.
    func deployCountingGuest() async throws -> Instance {
        let template = try await makeTemplate("counts", beginningWith: CountingGuest.bootSector)
        let instance = try await deploy("counter", from: template, dataVolume: true, starts: true)
        let root = try await root(of: instance)
        try await until("the guest counts") {
            let snapshot = try await snapshot(root)
            let number = try await self.number(on: snapshot.layer, in: try world.store(root.pool))
            try await delete(snapshot)
            return number > 1
        }
        return instance
    }

    /// All volumes of an instance at once, the root volume's snapshot first.
    func snapshots(
        of instance: Instance,
        _ name: String,
        consistency: ConsistencyRequest = ConsistencyRequest()
    ) async throws -> [Snapshot] {
        let submitted = try await cloud.takeSnapshots(
            TakeSnapshotRequest(target: .instance(instance.id), name: try ResourceName(name), consistency: consistency),
            in: home.id,
            call
        )
        try await done(submitted.job)
        let ids = submitted.resource.map(\.snapshot.id)
        return try await catalog.read { reader in try ids.compactMap { try reader.findSnapshot($0) } }
    }

    /// The number on a frozen layer.
    func number(on layer: LayerID, in store: any BlockStore) async throws -> Int {
        // The collector may be at the layers below, and nothing here holds them.
        try await rest()
        let stream = try await store.export(layer, as: .raw) { _, _ in }
        var bytes = Data()
        for try await chunk in stream.chunks { bytes += chunk }
        return CountingGuest.number(in: bytes)
    }
}
