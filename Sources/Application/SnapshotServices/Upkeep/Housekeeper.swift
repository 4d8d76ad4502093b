import Foundation
import Logging
import SnapshotDomain
import SnapshotPorts

/// What has to be done by the clock.
struct Housekeeper {
    let world: World
    let cloud: LocalCloud
    let collector: Collector
    let logger: Logger

    /// One round; each part is independent of the others' success.
    func tidy() async {
        collector.retryFailed()
        await attempt("undo snapshots could not be expired") { try await expireUndoSnapshots() }
        await attempt("old jobs could not be forgotten") { try await forgetJobs() }
        await attempt("sizes could not be measured") { try await measureActiveLayers() }
    }

    private func expireUndoSnapshots() async throws {
        let now = world.time.now
        let call = CallContext(principal: .service, requestID: "housekeeping")
        for snapshot in try await world.catalog.read({ try $0.expiredUndoSnapshots(at: now) }) {
            _ = try await cloud.deleteSnapshot(snapshot.id, in: snapshot.environment, call)
        }
    }

    private func forgetJobs() async throws {
        let lifetime = TimeInterval(world.settings.jobLifetime.components.seconds)
        let limit = world.time.now.addingTimeInterval(-lifetime)
        try await world.catalog.write { try $0.deleteJobs(endedBefore: limit) }
    }

    /// Active layers of running machines grow without telling anybody.
    private func measureActiveLayers() async throws {
        let volumes = try await world.catalog.read { try $0.allVolumes(VolumeFilter(states: [.available])) }
        var measured: [StoredLayer] = []
        for volume in volumes {
            guard let instance = volume.attachment?.instance,
                await world.hypervisor.isAlive(instance),
                let stored = try await world.store(volume.pool).findLayer(volume.activeLayer)
            else { continue }
            measured.append(stored)
        }
        guard !measured.isEmpty else { return }
        let grown = try await world.catalog.write { [measured] writer in try writer.noteSizes(of: measured) }
        guard !grown.isEmpty else { return }
        world.ledger.invalidate()
        // A grown layer may be worth a fold that it was too small for.
        collector.disturb(grown)
    }

    private func attempt(_ failure: String, _ body: () async throws -> Void) async {
        do {
            try await body()
        } catch is CancellationError {
            return
        } catch {
            logger.error("\(failure)", metadata: ["error": .string("\(error)")])
        }
    }
}
