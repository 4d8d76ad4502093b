import Foundation
import SnapshotDomain
import SnapshotPorts

/// What a job saves a machine's memory as.
struct MemoryToSave: Codable, Sendable {
    var group: SnapshotGroupID
    var shape: MachineShape
}

extension TakeSnapshots {
    /// Saves the memory, with the switch of all disks at its instant.
    ///
    /// | dies | on disk | the next run |
    /// | --- | --- | --- |
    /// | while memory is copied | a draft in `memory/tmp`, swept at the start | begins anew |
    /// | at the instant | the machine goes on by its guard; the disks may be switched | without memory, if the instant is past |
    /// | before the memory has its name | the disks are switched; a draft | without memory |
    /// | after that | all of it | finds it |
    ///
    /// "Without memory" is a crash-consistent group, or a failure, as the caller chose. It has a name only if the machine
    /// stood still throughout, so what is found belongs to the switch.
    func saveMemory(
        _ memory: MemoryToSave,
        of instance: InstanceID,
        _ plan: Plan,
        through channel: (any LiveBlockChannel)?,
        _ work: JobWork
    ) async throws -> (ConsistencyRecord, StoredMemory?) {
        let hypervisor = work.world.hypervisor
        guard let channel else {
            // A former run may have done all of it before the machine ended.
            if let found = try await hypervisor.findMemory(memory.group) { return (record(of: found), found) }
            return (try await switchOver(plan, through: nil, work), nil)
        }
        if try await isSwitched(work) {
            return try await settle(
                memory,
                "The service restarted while the memory was saved, and the instant is past.",
                work
            )
        }
        do {
            try await requireMemoryRoom(memory.shape.memory, work)
            let saved = try await hypervisor.saveMemory(
                of: instance,
                as: memory.group,
                MemorySaveRequest(
                    shape: memory.shape,
                    longestPause: .milliseconds(consistency.maxFreezeMilliseconds)
                ),
                progress: work.progress
            ) {
                for (pool, switches) in plan.switches {
                    try await work.world.store(pool).finishSwitch(switches, through: channel)
                }
            }
            return (record(of: saved), saved)
        } catch {
            let reason = ServiceError(reporting: error)
            guard reason.code != .cancelled, !(error is SimulatedCrash), !Task.isCancelled else { throw error }
            // Disks that go over one by one hold one instant only if the memory was saved, too.
            if let past = try await pastInstant(plan, work) { return (past, nil) }
            // Perhaps only the answer was lost.
            if try await isSwitched(work) { return try await settle(memory, reason.message, work) }
            guard consistency.onMiss == .settle else { throw error }
            try await hypervisor.deleteMemory(memory.group)
            var record = missed(reason.message)
            record.freezeMilliseconds = try await switchOver(plan, through: channel, work).freezeMilliseconds
            return (record, nil)
        }
    }

    /// The row of a memory that was saved.
    func memoryImage(_ saved: StoredMemory, _ work: JobWork) -> MemoryImage {
        MemoryImage(
            id: saved.id,
            environment: work.job.environment,
            instance: saved.instance,
            size: saved.size,
            digest: saved.digest,
            shape: saved.shape,
            createdAt: work.world.time.now
        )
    }

    /// After the instant: with the memory if it is there as a whole, else as the caller chose.
    private func settle(
        _ memory: MemoryToSave,
        _ reason: String,
        _ work: JobWork
    ) async throws -> (ConsistencyRecord, StoredMemory?) {
        if let found = try await work.world.hypervisor.findMemory(memory.group) { return (record(of: found), found) }
        guard consistency.onMiss == .settle else {
            throw ServiceError(
                .guestFailed,
                "The memory was not saved: \(reason) Take the snapshot again, or accept one without memory."
            )
        }
        try await work.world.hypervisor.deleteMemory(memory.group)
        return (missed(reason), nil)
    }

    private func record(of saved: StoredMemory) -> ConsistencyRecord {
        ConsistencyRecord(
            requested: .memory,
            achieved: .memory,
            freezeMilliseconds: saved.pauseMilliseconds,
            agentAnswer: "The machine stood still for \(saved.pauseMilliseconds) ms."
        )
    }

    private func missed(_ reason: String) -> ConsistencyRecord {
        ConsistencyRecord(requested: .memory, achieved: .crash, agentAnswer: reason)
    }

    private func isSwitched(_ work: JobWork) async throws -> Bool {
        let written = try await writtenLayers(work)
        return items.allSatisfy { written.contains($0.fresh) }
    }

    /// Memory that was written again is written again, too: half as much again is enough for most guests.
    private func requireMemoryRoom(_ memory: ByteCount, _ work: JobWork) async throws {
        let free = try await work.world.hypervisor.memoryCapacity().free
        let needed = ByteCount(memory.bytes + memory.bytes / 2) + work.world.settings.reserve
        guard free < needed else { return }
        throw ServiceError(
            .noSpace,
            """
            The memory takes up to \(needed), and the data directory has \(free) left. Make room there, or take the \
            snapshot without memory.
            """
        )
    }
}
