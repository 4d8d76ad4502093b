import BlockStoreRBD
import Ceph
import Foundation
import Logging
import Platform
import SnapshotDomain
import SnapshotPorts

/// Tries the pools of a configuration, without the service and without changing anything.
struct PoolExamination: Sendable {
    let pools: [PoolSetting]

    func run() async -> [Finding] {
        var findings: [Finding] = []
        for pool in pools {
            switch pool.kind {
            case .qcow2(let path):
                // The one in the data folder is looked at with that.
                if let path { findings.append(folder(pool.name, path)) }
            case .rbd(let place):
                findings.append(await cluster(pool.name, place))
            }
        }
        return findings
    }

    private func folder(_ pool: PoolID, _ path: String) -> Finding {
        var isFolder: ObjCBool = false
        let isThere = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
        guard isThere, FileManager.default.isWritableFile(atPath: path) else {
            return Finding(
                subject: "pool \(pool)",
                grade: .broken,
                text: isThere ? "this user may not write in \(path)" : "there is no folder \(path)",
                remedy: isThere ? "give the folder to the user of the service" : "mount its disk, or make the folder"
            )
        }
        let free = (try? FileSystemSpace.at(path)).map { ", \(ByteCount($0.availableBytes)) free" } ?? ""
        return Finding(subject: "pool \(pool)", grade: .good, text: "\(path)\(free)", remedy: nil)
    }

    /// The library, the cluster's answer and the key are tried by asking for the pool's room, as the service does.
    private func cluster(_ pool: PoolID, _ place: ClusterPlace) async -> Finding {
        let scratch = NSTemporaryDirectory() + "instanta-doctor-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        do {
            try DataDirectory.makeFolder(scratch)
            let store = try await RBDBlockStore.open(
                pool: pool,
                at: place.address,
                temporary: scratch,
                logger: Logger(label: "doctor") { _ in SwiftLogNoOpLogHandler() }
            )
            let result: Result<PoolCapacity, BlockStoreFault>
            do throws(BlockStoreFault) {
                result = .success(try await store.capacity())
            } catch {
                result = .failure(error)
            }
            await store.close()
            return Finding(
                subject: "pool \(pool)",
                grade: .good,
                text: "\(place): \(try result.get().free) free",
                remedy: nil
            )
        } catch let fault as BlockStoreFault {
            return Finding(
                subject: "pool \(pool)",
                grade: .broken,
                text: fault.message,
                remedy: fault.cause.map { "the cluster's library says: \($0)" }
            )
        } catch {
            return Finding(subject: "pool \(pool)", grade: .broken, text: "\(error)", remedy: nil)
        }
    }
}
