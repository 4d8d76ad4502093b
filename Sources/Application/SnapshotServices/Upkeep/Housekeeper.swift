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
        await world.forgetMemory(logger)
        await attempt("what was destroyed could not be purged") { try await purgeDestroyed() }
        await attempt("old jobs could not be forgotten") { try await forgetJobs() }
        await attempt("machines that ended could not be noted") { try await noteEndedMachines() }
        await attempt("sizes could not be measured") { try await measureActiveLayers() }
        await world.giveBackMemory()
    }

    private func expireUndoSnapshots() async throws {
        let now = world.time.now
        let call = CallContext(principal: .service, requestID: "housekeeping")
        for snapshot in try await world.catalog.read({ try $0.expiredUndoSnapshots(at: now) }) {
            _ = try await cloud.deleteSnapshot(snapshot.id, in: snapshot.environment, call)
        }
    }

    /// Volumes that were put aside with an instance go with it.
    private func purgeDestroyed() async throws {
        let lifetime = TimeInterval(world.settings.destroyedLifetime.components.seconds)
        let limit = world.time.now.addingTimeInterval(-lifetime)
        let call = CallContext(principal: .service, requestID: "housekeeping")
        let (instances, volumes) = try await world.catalog.read { reader in
            (
                try reader.allInstances(in: nil, states: [.destroyed]),
                try reader.allVolumes(VolumeFilter(states: [.destroyed])).filter { $0.attachment == nil }
            )
        }
        for instance in instances where instance.state.isDestroyed(before: limit) {
            guard cloud.engine.activity(on: .instance(instance.id)).job == nil else { continue }
            let request = DeleteInstanceRequest(onlyDestroyed: true)
            _ = try await cloud.deleteInstance(instance.id, request, in: instance.environment, call)
        }
        for volume in volumes where volume.state.isDestroyed(before: limit) {
            guard cloud.engine.activity(on: .volume(volume.id)).job == nil else { continue }
            _ = try await cloud.deleteVolume(volume.id, in: volume.environment, call)
        }
    }

    private func forgetJobs() async throws {
        let lifetime = TimeInterval(world.settings.jobLifetime.components.seconds)
        let limit = world.time.now.addingTimeInterval(-lifetime)
        try await world.catalog.write { try $0.deleteJobs(endedBefore: limit) }
    }

    /// While a job works on a machine, its end is that job's to note; one that failed may have looked too early.
    private func noteEndedMachines() async throws {
        for instance in try await world.catalog.read({ try $0.allInstances(in: nil) }) {
            guard instance.power == .running, instance.state == .available,
                cloud.engine.activity(on: .instance(instance.id)).changingKind?.decidesPower != true,
                await !world.hypervisor.isAlive(instance.id)
            else { continue }
            let written = try await world.activeLayers(of: instance.id)
            try await world.catalog.write { writer in
                try writer.setPower(.stopped, of: instance.id)
                _ = try writer.noteSizes(of: written)
            }
            world.ledger.invalidate()
            world.feed.publish([.instance(instance.id)], in: instance.environment)
            // Only its running machine may have kept them from being merged.
            collector.disturb(Set(written.map(\.id)))
        }
    }

    /// Active layers of running machines grow without telling anybody.
    private func measureActiveLayers() async throws {
        let volumes = try await world.catalog.read { try $0.allVolumes(VolumeFilter(states: [.available])) }
        var written: [Volume] = []
        for volume in volumes {
            guard let instance = volume.attachment?.instance, await world.hypervisor.isAlive(instance) else { continue }
            written.append(volume)
        }
        let measured = try await world.activeLayers(of: written)
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

extension ResourceState {
    fileprivate func isDestroyed(before limit: Date) -> Bool {
        destroyedAt.map { $0 < limit } ?? false
    }
}
