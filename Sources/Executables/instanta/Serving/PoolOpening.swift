import BlockStoreQCOW2
import BlockStoreRBD
import Ceph
import Foundation
import Logging
import NIOCore
import Platform
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// Makes the stores of the configured pools; what each is on may be away, now or later.
struct PoolOpening: Sendable {
    let directory: DataDirectory
    /// Who the pools belong to: two services on one folder would take each other's layers for strangers.
    let owner: String
    let group: any EventLoopGroup
    let logger: Logger
    /// Does the file work.
    let files: BlockingPool
    /// Whether the catalog has layers in the pool: asked at the moment of opening.
    let isUsed: @Sendable (PoolID) async throws -> Bool

    func store(_ setting: PoolSetting) -> LateBlockStore {
        switch setting.kind {
        case .qcow2(let path):
            LateBlockStore(pool: setting.name) { () async throws(BlockStoreFault) in
                try await openFolder(setting.name, path)
            }
        case .rbd(let place):
            LateBlockStore(pool: setting.name) { () async throws(BlockStoreFault) in
                try await openCluster(setting.name, place)
            }
        }
    }

    /// Does not ask the cluster: where it is away, the store's calls say so.
    private func openCluster(_ pool: PoolID, _ place: ClusterPlace) async throws(BlockStoreFault) -> any BlockStore {
        let temporary = "\(directory.pool(pool))/tmp"
        do {
            try await files.run { try DataDirectory.makeFolder(temporary) }
        } catch {
            throw BlockStoreFault(.unavailable, .notDone, "The folder \(temporary) cannot be made.", cause: "\(error)")
        }
        return try await RBDBlockStore.open(
            pool: pool,
            at: place.address,
            // Another service in the same pool has another one: neither takes the other's images for strangers.
            prefix: "instanta-\(owner.prefix(8))",
            temporary: temporary,
            logger: logger
        )
    }

    /// Lets go of a store when nothing is under way.
    static func close(_ store: LateBlockStore) async {
        switch store.opened {
        case let folder as QCOW2BlockStore: await folder.close()
        case let cluster as RBDBlockStore: await cluster.close()
        default: break
        }
    }

    private func openFolder(_ pool: PoolID, _ path: String?) async throws(BlockStoreFault) -> any BlockStore {
        let folder = path ?? directory.pool(pool)
        let claim = PoolClaim(pool: pool.description, owner: owner)
        do {
            let isUsed = try await isUsed(pool)
            // One in the data folder is ours to make; another one is a disk that somebody mounts.
            try await files.run {
                if path == nil, !isUsed { try DataDirectory.makeFolder(folder) }
                try claim.check(folder, isUsed: isUsed)
            }
        } catch let fault as BlockStoreFault {
            throw fault
        } catch {
            throw BlockStoreFault(.unavailable, .notDone, "The folder \(folder) cannot be used.", cause: "\(error)")
        }
        return try await QCOW2BlockStore.open(
            pool: pool,
            at: folder,
            quarantine: path == nil ? directory.quarantine : "\(folder)/quarantine",
            runtime: directory.runtime,
            group: group,
            logger: logger
        )
    }
}

/// Says in a pool's folder whose it is: `pool.json`.
///
/// An empty folder where a disk should be mounted looks like a pool that has lost everything. With this file it does not.
struct PoolClaim: Codable, Hashable, Sendable {
    static let file = "pool.json"

    var pool: String
    /// The identity of the data folder.
    var owner: String

    /// Refuses a folder that is not this pool's, and makes one that is nobody's yet this pool's.
    ///
    /// - Parameters:
    ///   - folder: The folder.
    ///   - isUsed: The catalog has layers in the pool: so its folder has been claimed, or is older than claims are.
    /// - Throws: ``BlockStoreFault`` with code `unavailable`, which says what to do.
    func check(_ folder: String, isUsed: Bool) throws {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue else {
            throw refusal("There is no folder \(folder). Mount its disk, or make the folder")
        }
        let path = "\(folder)/\(Self.file)"
        guard let data = FileManager.default.contents(atPath: path) else {
            let isOld = FileManager.default.fileExists(atPath: "\(folder)/layers")
            guard !isUsed || isOld else {
                throw refusal("The folder \(folder) is empty, and the pool '\(pool)' has layers. Mount its disk there")
            }
            return try DurableFile.replace(path, with: try JSONEncoder().encode(self))
        }
        guard let found = try? JSONDecoder().decode(Self.self, from: data) else {
            throw refusal("The file \(path) cannot be read as what marks a pool. Put it back from where it was changed")
        }
        guard found.owner == owner else {
            throw refusal(
                "The folder \(folder) belongs to another service. Give the pool '\(pool)' a folder of its own"
            )
        }
        guard found.pool == pool else {
            throw refusal(
                "The folder \(folder) holds the pool '\(found.pool)' and not '\(pool)'. Correct the configuration"
            )
        }
    }

    private func refusal(_ reason: String) -> BlockStoreFault {
        BlockStoreFault(.unavailable, .notDone, "\(reason); the service goes on with the pool by itself then.")
    }
}

extension ClusterPlace {
    var address: ClusterAddress {
        ClusterAddress(configuration: conf, user: user, pool: pool, namespace: namespace)
    }
}
