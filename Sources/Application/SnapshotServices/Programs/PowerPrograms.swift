import SnapshotDomain
import SnapshotPorts

/// Starts an instance.
///
/// The wish is recorded with the intent, so that a crash in between ends with a running machine.
struct StartInstance: JobProgram {
    static let kind = Job.Kind.startInstance

    var instance: InstanceID

    func perform(_ work: JobWork) async throws {
        try await work.step("start") { try await work.startMachine(instance) }
    }

    func finish(_ findings: Void, _ writer: any CatalogWriter, _ work: JobWork) throws {
        try writer.setPower(.running, of: instance)
    }
}

/// Stops an instance: asks the guest, then pulls the plug; at once when forced.
struct StopInstance: JobProgram {
    static let kind = Job.Kind.stopInstance

    var instance: InstanceID
    var isForced: Bool

    var needsPools: Bool { false }

    func perform(_ work: JobWork) async throws -> [StoredLayer] {
        try await work.step("stop") { try await work.stopMachine(instance, isForced: isForced) }
        return try await work.world.activeLayers(of: instance)
    }

    func finish(_ written: [StoredLayer], _ writer: any CatalogWriter, _ work: JobWork) throws {
        try writer.setPower(.stopped, of: instance)
        _ = try writer.noteSizes(of: written)
    }

    /// Layers that only a running machine kept from being merged.
    func disturbedLayers(_ reader: any CatalogReader) throws -> Set<LayerID> {
        Set(try reader.volumes(of: instance).map(\.activeLayer))
    }
}

/// Restarts the guest; starts the instance when it is off.
struct RebootInstance: JobProgram {
    static let kind = Job.Kind.rebootInstance

    var instance: InstanceID

    func perform(_ work: JobWork) async throws {
        try await work.step("reboot") {
            if await !work.world.hypervisor.isAlive(instance) {
                try await work.startMachine(instance)
            } else {
                try await work.world.hypervisor.reset(instance)
            }
        }
    }

    func finish(_ findings: Void, _ writer: any CatalogWriter, _ work: JobWork) throws {
        try writer.setPower(.running, of: instance)
    }
}

/// Deletes an instance with its root volume, and what else the caller named.
struct DeleteInstance: JobProgram {
    static let kind = Job.Kind.deleteInstance

    var instance: InstanceID
    /// Data volumes that go with it; the others are detached and stay.
    var volumes: Set<VolumeID>
    var deletesSnapshots: Bool

    var needsPools: Bool { false }

    func perform(_ work: JobWork) async throws {
        try await work.step("stop") { try await work.stopMachine(instance, isForced: true) }
        // While the rows are there: a machine whose files would not go can be started or deleted again.
        try await work.step("remove") {
            try await work.unhurried { try await work.world.hypervisor.remove(instance) }
        }
        let layers = try await work.unpin { reader in
            try pinnedLayers(reader)
        } rows: { writer in
            try removeRows(writer)
        }
        work.world.feed.publish([.instance(instance)], in: work.job.environment)
        try await work.step("collect", evenCancelled: true) { await work.collect(around: layers) }
    }

    func abandon(_ residue: Void?, because error: ServiceError, _ writer: any CatalogWriter, _ work: JobWork) throws {
        guard var row = try writer.findInstance(instance), case .deleting = row.state else { return }
        row.state = .available
        try writer.update(row)
    }

    /// Of an instance that is still there: layers that only its running machine kept from being merged.
    func disturbedLayers(_ reader: any CatalogReader) throws -> Set<LayerID> {
        Set(try reader.volumes(of: instance).map(\.activeLayer))
    }

    private func pinnedLayers(_ reader: any CatalogReader) throws -> Set<LayerID> {
        let volumes = try reader.volumes(of: instance)
        let snapshots =
            deletesSnapshots ? try volumes.flatMap { try reader.allSnapshots(SnapshotFilter(volume: $0.id)) } : []
        return Set(volumes.map(\.activeLayer) + snapshots.map(\.layer))
    }

    private func removeRows(_ writer: any CatalogWriter) throws {
        for var volume in try writer.volumes(of: instance) {
            if deletesSnapshots {
                for snapshot in try writer.allSnapshots(SnapshotFilter(volume: volume.id)) {
                    try writer.deleteSnapshot(snapshot.id)
                }
            }
            // Those that were put aside with it go with it.
            if volume.role == .root || volumes.contains(volume.id) || volume.state.destroyedAt != nil {
                try writer.deleteVolume(volume.id)
            } else {
                volume.attachment = nil
                try writer.update(volume)
            }
        }
        try writer.deleteInstance(instance)
    }
}

/// Deletes an environment with everything in it.
struct DeleteEnvironment: JobProgram {
    static let kind = Job.Kind.deleteEnvironment

    var environment: EnvironmentID
    /// Known from the start: a run after a crash may find their rows gone.
    var instances: [InstanceID]

    var needsPools: Bool { false }

    func perform(_ work: JobWork) async throws {
        try await work.step("stop") {
            for instance in instances { try await work.stopMachine(instance, isForced: true) }
        }
        try await work.step("remove") {
            try await work.unhurried {
                for instance in instances { try await work.world.hypervisor.remove(instance) }
            }
        }
        let layers = try await work.unpin { reader in
            try pinnedLayers(reader)
        } rows: { writer in
            try removeRows(writer)
        }
        try await work.step("collect", evenCancelled: true) { await work.collect(around: layers) }
    }

    func finish(_ findings: Void, _ writer: any CatalogWriter, _ work: JobWork) throws {
        try writer.deleteEnvironment(environment)
    }

    /// Of instances that are still there: layers that only their running machines kept from being merged.
    func disturbedLayers(_ reader: any CatalogReader) throws -> Set<LayerID> {
        Set(try instances.flatMap { try reader.volumes(of: $0).map(\.activeLayer) })
    }

    private func pinnedLayers(_ reader: any CatalogReader) throws -> Set<LayerID> {
        Set(
            try reader.allSnapshots(SnapshotFilter(environment: environment)).map(\.layer)
                + reader.allVolumes(VolumeFilter(environment: environment)).map(\.activeLayer)
                + reader.allTemplates(of: environment).flatMap { try reader.layers(of: $0.id) }
        )
    }

    private func removeRows(_ writer: any CatalogWriter) throws {
        for snapshot in try writer.allSnapshots(SnapshotFilter(environment: environment)) {
            try writer.deleteSnapshot(snapshot.id)
        }
        for volume in try writer.allVolumes(VolumeFilter(environment: environment)) {
            try writer.deleteVolume(volume.id)
        }
        for template in try writer.allTemplates(of: environment) { try writer.deleteTemplate(template.id) }
        for instance in try writer.allInstances(in: environment) { try writer.deleteInstance(instance.id) }
    }
}
