import Logging
import SnapshotDomain
import SnapshotPorts

/// How jobs start and stop machines: the catalog's rows become a machine's description in one place.
extension JobWork {
    /// Starts an instance on the volumes that the catalog gives it, or finds that it runs.
    ///
    /// - Parameters:
    ///   - id: The instance.
    ///   - memory: Where it goes on from; nil to begin anew.
    /// - Throws: What keeps it from running.
    func startMachine(_ id: InstanceID, resuming memory: SnapshotGroupID? = nil) async throws {
        let instance = try await instance(id)
        guard await world.hypervisor.status(of: id) != .running else { return }
        while true {
            let volumes = try await world.catalog.read { try $0.volumes(of: id) }
            for volume in volumes {
                guard case .failed(let reason) = volume.state else { continue }
                throw ServiceError(
                    .damaged,
                    "The volume '\(volume.name)' cannot be used: \(reason) Detach it or revert it to a snapshot.",
                    subject: .volume(volume.id)
                )
            }
            let chains = try await chains(of: volumes)
            let layers = Set(chains.flatMap { $0 })
            let isStarted = try await world.leases.sharing(layers) { () async throws -> Bool in
                guard try await self.chains(of: volumes) == chains else { return false }
                var disks: [MachineDisk] = []
                for (volume, chain) in zip(volumes, chains) {
                    guard let slot = volume.attachment?.slot else { continue }
                    let source = try await world.store(volume.pool).diskSource(for: chain)
                    disks.append(MachineDisk(slot: slot, volume: volume.id, source: source))
                }
                let machine = Self.description(of: instance, disks)
                if let memory {
                    try await world.hypervisor.start(machine, resuming: memory, onceFor: job.id, progress: progress)
                } else {
                    try await world.hypervisor.start(machine)
                }
                return true
            }
            if isStarted { return }
        }
    }

    /// Brings a machine to rest: asks first, and pulls the plug when asking did not help in time.
    ///
    /// - Parameters:
    ///   - id: The instance.
    ///   - isForced: Pulls the plug at once.
    ///   - patience: How long the guest has; nil for as long as the settings say.
    /// - Throws: What the hypervisor throws.
    func stopMachine(_ id: InstanceID, isForced: Bool, patience: Duration? = nil) async throws {
        guard await world.hypervisor.isAlive(id) else { return }
        if !isForced {
            do {
                try await world.hypervisor.stop(id, mode: .graceful(timeout: patience ?? world.settings.gracefulStop))
                return
            } catch {
                guard error.code == .guestUnresponsive || error.code == .guestRefused else { throw error }
                logger.notice(
                    "the guest did not shut down in time; its plug is pulled",
                    metadata: [
                        "instance.id": .stringConvertible(id), "error": .string(error.message),
                    ]
                )
            }
        }
        try await world.hypervisor.stop(id, mode: .forced)
    }

    /// Takes a disk out of a machine that may or may not have it.
    ///
    /// - Returns: Whether it is out. A guest that does not let go of it may still do so, and until then it writes it.
    /// - Throws: What the hypervisor throws when that cannot be found out.
    func takeOutDisk(_ slot: Int, of instance: InstanceID) async throws -> Bool {
        guard await world.hypervisor.isAlive(instance) else { return true }
        do {
            try await world.hypervisor.detach(slot: slot, from: instance)
            return true
        } catch {
            guard error.code == .guestUnresponsive else { throw error }
            return false
        }
    }

    /// After a failure: notes what the machines of the job do, whatever it meant to make of them.
    ///
    /// A crash may skip it: every start looks.
    func notePower() async {
        guard job.kind.decidesPower else { return }
        for case .instance(let id) in job.subjects {
            let isRunning = await world.hypervisor.isAlive(id)
            do {
                try await world.catalog.write { try $0.setPower(isRunning ? .running : .stopped, of: id) }
            } catch {
                logger.error(
                    "the power of a machine could not be noted",
                    metadata: [
                        "instance.id": .stringConvertible(id), "error": .string("\(error)"),
                    ]
                )
            }
        }
    }

    /// The disk of one volume as a machine opens it.
    func diskSource(of volume: Volume) async throws -> DiskSource {
        try await world.store(volume.pool).diskSource(for: try await chain(of: volume.activeLayer))
    }

    private func chains(of volumes: [Volume]) async throws -> [[LayerID]] {
        try await world.catalog.read { reader in
            try volumes.map { listed in
                // Read again: the collector may have moved it since.
                let layer = try reader.findVolume(listed.id)?.activeLayer ?? listed.activeLayer
                return try reader.layerChain(of: layer)
            }
        }
    }

    private static func description(of instance: Instance, _ disks: [MachineDisk]) -> MachineDescription {
        MachineDescription(
            id: instance.id,
            name: instance.name,
            cpuCount: instance.cpuCount,
            memory: instance.memory,
            macAddress: instance.macAddress,
            network: instance.network,
            disks: disks
        )
    }
}

extension Job.Kind {
    /// Whether such a job starts or stops the machines that it changes, and records what they shall do.
    var decidesPower: Bool {
        switch self {
        case .startInstance, .stopInstance, .rebootInstance, .deleteInstance, .deployInstances, .deleteEnvironment,
            .revertVolumes, .destroyInstance, .restoreInstance:
            true
        case .createSnapshots, .deleteSnapshot, .verifySnapshot, .createVolume, .deleteVolume, .attachVolume,
            .detachVolume, .resizeVolume, .moveVolume, .createTemplate, .importTemplate, .deleteTemplate:
            false
        }
    }
}
