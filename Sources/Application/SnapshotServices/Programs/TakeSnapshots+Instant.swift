import SnapshotDomain
import SnapshotPorts

/// The instant of a snapshot.
///
/// Where one store puts all disks over together, the machine runs through it. Where it does not, or the disks lie in several
/// pools, the machine stands still from before the first switch until after the last, for no longer than the caller allows and
/// under a guard that outlives the service. A frozen guest writes nothing, so a freeze does instead.
///
/// What a hold made of it is noted on the snapshots before anything else is done:
///
/// | dies | in the pools | the next run |
/// | --- | --- | --- |
/// | before the first switch | layers that nobody writes | does everything |
/// | between two switches | some disks on new layers | fails: the others would be of another instant |
/// | before the note | all disks on new layers | fails: the machine may have gone on in between |
/// | after the note | the same | takes the note for it |
///
/// A run that fails so leaves the volumes where their machine writes; taking the snapshot again is cheap. Nothing of this is
/// needed where one call switches all: then the instant is known by its result.
extension TakeSnapshots {
    func switchOver(
        _ plan: Plan,
        through channel: (any LiveBlockChannel)?,
        _ work: JobWork
    ) async throws -> ConsistencyRecord {
        guard let channel, let instance else {
            return ConsistencyRecord(
                requested: consistency.mode,
                // Memory is asked for of what runs: one that does not has ended by itself.
                achieved: consistency.mode == .memory ? .crash : consistency.mode,
                agentAnswer: consistency.mode == .crash ? nil : "The machine was off: nothing had to be held."
            )
        }
        let isApart = try switchesApart(plan, work)
        let freeze = try await freeze(instance, work)
        var pause: (any PauseLease)?
        if isApart, !freeze.isHeld {
            pause = try await work.world.hypervisor.pause(
                instance,
                atMost: .milliseconds(consistency.maxFreezeMilliseconds)
            )
        }
        do {
            try await finishSwitches(plan, through: channel, work)
        } catch {
            _ = await pause?.resume()
            if case .frozen(let lease) = freeze { _ = await lease.thaw() }
            throw error
        }
        let report = await pause?.resume()
        var record = try await record(freeze, isApart: isApart)
        if let report {
            guard report.heldThroughout else { throw Self.missedInstant(report) }
            record.freezeMilliseconds = report.milliseconds
        }
        if isApart { try await note(record, work) }
        return record
    }

    /// What is known of an instant that a former run of this job has seen; nil when it is still to come.
    ///
    /// - Throws: When the instant is past and nothing is known of it.
    func pastInstant(_ plan: Plan, _ work: JobWork) async throws -> ConsistencyRecord? {
        guard let instance, try switchesApart(plan, work) else { return nil }
        // It has its name only if the machine stood still until all disks were switched.
        if let memory, try await work.world.hypervisor.findMemory(memory.group) != nil { return nil }
        let isRunning = await work.world.hypervisor.isAlive(instance)
        let written = try await writtenLayers(work)
        for (volume, item) in plan.pairs {
            // A machine that is gone cannot be asked: then what was prepared may have been written.
            let isPast =
                if isRunning { written.contains(item.fresh) } else {
                    try await work.world.store(volume.pool).findLayer(item.fresh) != nil
                }
            guard isPast else { continue }
            let noted = try await work.world.catalog.read { [items] in
                try $0.findSnapshot(items[0].snapshot)?.consistency
            }
            if let noted, noted.freezeMilliseconds != nil { return noted }
            throw ServiceError(
                .unavailable,
                """
                The service was interrupted while it put the volumes on new layers one after the other: whether they hold \
                the same instant is not known. Take the snapshot again.
                """,
                subject: .instance(instance)
            )
        }
        return nil
    }

    /// Whether the disks go over one by one, and hold one instant only if the machine is held meanwhile.
    private func switchesApart(_ plan: Plan, _ work: JobWork) throws -> Bool {
        guard plan.pairs.count > 1 else { return false }
        let stores = try plan.switches.keys.map { try work.world.store($0) }
        return stores.count > 1 || !stores.allSatisfy(\.switchesDisksTogether)
    }

    /// Every pool by itself, so that a slow one holds the machine no longer than it must.
    private func finishSwitches(_ plan: Plan, through channel: any LiveBlockChannel, _ work: JobWork) async throws {
        let calls = try plan.switches.map { (store: try work.world.store($0.key), switches: $0.value) }
        guard calls.count > 1 else {
            for call in calls { try await call.store.finishSwitch(call.switches, through: channel) }
            return
        }
        try await withThrowingTaskGroup { group in
            for call in calls {
                group.addTask { try await call.store.finishSwitch(call.switches, through: channel) }
            }
            // All of them, also after a failure: nothing may go over when the machine runs again.
            var failure: (any Error)?
            while let result = await group.nextResult() {
                if case .failure(let error) = result { failure = failure ?? error }
            }
            if let failure { throw failure }
        }
    }

    private func note(_ record: ConsistencyRecord, _ work: JobWork) async throws {
        try await work.world.catalog.write { [items] writer in
            for item in items {
                guard var snapshot = try writer.findSnapshot(item.snapshot) else { continue }
                snapshot.consistency = record
                try writer.update(snapshot)
            }
        }
    }

    private static func missedInstant(_ report: HoldReport) -> ServiceError {
        ServiceError(
            .guestFailed,
            """
            The volumes go over to new layers one by one, and the machine did not stand still until all had \
            (\(report.answer)). Allow more time, or take a snapshot of each volume by itself.
            """
        )
    }

    // MARK: Freezing

    private enum Freeze {
        case notAsked
        case missed(String)
        case frozen(any FreezeLease)

        var isHeld: Bool {
            if case .frozen = self { true } else { false }
        }
    }

    private func freeze(_ instance: InstanceID, _ work: JobWork) async throws -> Freeze {
        guard consistency.mode == .filesystem else { return .notAsked }
        let written = try await writtenLayers(work)
        // A former run of this job froze, switched and died: the instant is past.
        if items.allSatisfy({ written.contains($0.fresh) }) {
            return .missed("The service restarted during the snapshot; whether the guest was frozen is not known.")
        }
        do {
            return .frozen(
                try await work.world.hypervisor.freeze(
                    instance,
                    atMost: .milliseconds(consistency.maxFreezeMilliseconds)
                )
            )
        } catch {
            guard consistency.onMiss == .settle else { throw error }
            return .missed(error.message)
        }
    }

    private func record(_ freeze: Freeze, isApart: Bool) async throws -> ConsistencyRecord {
        switch freeze {
        case .notAsked:
            return ConsistencyRecord(requested: .crash, achieved: .crash)
        case .missed(let reason):
            return ConsistencyRecord(requested: .filesystem, achieved: .crash, agentAnswer: reason)
        case .frozen(let lease):
            let report = await lease.thaw()
            guard report.heldThroughout || consistency.onMiss == .settle else {
                throw ServiceError(
                    .guestFailed,
                    """
                    The guest did not stay frozen until the snapshot was taken (\(report.answer)). \
                    Allow more time, or accept a crash-consistent snapshot.
                    """
                )
            }
            // Nothing else held the machine: there is no one instant to settle for.
            guard report.heldThroughout || !isApart else { throw Self.missedInstant(report) }
            return ConsistencyRecord(
                requested: .filesystem,
                achieved: report.heldThroughout ? .filesystem : .crash,
                freezeMilliseconds: report.milliseconds,
                agentAnswer: report.answer
            )
        }
    }
}
