import SnapshotDomain
import SnapshotPorts

/// Makes any number of instances, with thin volumes on a template's or a snapshot's layers, and starts them.
///
/// | dies after | on disk | the next run |
/// | --- | --- | --- |
/// | the intent | rows `creating` | does everything |
/// | copy | the template's layer in another pool, if it was not there yet | finds it |
/// | create | layers that nobody writes | makes them again, to no effect |
/// | record | instances `available`, to be running | starts those that are off |
/// | start | machines on | finds them so |
struct DeployInstances: JobProgram {
    struct Disk: Codable, Sendable {
        var volume: VolumeID
        var layer: LayerID
        var pool: PoolID
        /// Nil for a blank disk.
        var parent: LayerID?
        var size: ByteCount
    }

    struct Item: Codable, Sendable {
        var instance: InstanceID
        var disks: [Disk]
    }

    static let kind = Job.Kind.deployInstances

    var items: [Item]
    var starts: Bool
    /// Templates that have to be in the pool first.
    ///
    /// Jobs of older versions have none.
    var copies: [TemplateCopyPlan]?

    var ownLayers: Set<LayerID> {
        Set(items.flatMap { $0.disks.map(\.layer) } + (copies ?? []).map(\.layer))
    }
    var ownPools: Set<PoolID> { Set((copies ?? []).flatMap { [$0.from, $0.pool] }) }
    var isHeavy: Bool { copies?.isEmpty == false }

    func perform(_ work: JobWork) async throws {
        guard try await !isRecorded(work) else { return try await startAll(work) }
        for copy in copies ?? [] { try await work.ensure(copy) }
        try await work.step("create") {
            for disk in items.flatMap(\.disks) {
                let store = try work.world.store(disk.pool)
                if let parent = disk.parent {
                    try await store.createLayer(disk.layer, on: parent, size: disk.size, through: nil)
                } else {
                    try await store.createLayer(disk.layer, size: disk.size)
                }
            }
        }
        try await work.step("record") {
            var allocated: [LayerID: ByteCount] = [:]
            for disk in items.flatMap(\.disks) {
                allocated[disk.layer] = try await work.allocated(disk.layer, in: disk.pool)
            }
            try await work.world.catalog.write { [allocated] writer in try record(allocated, writer) }
        }
        work.world.feed.publish(items.map { .instance($0.instance) }, in: work.job.environment)
        try await startAll(work)
    }

    func undo(_ work: JobWork) async throws -> Bool {
        // Instances that exist stay, even if one would not start: their owner can see why, and try again.
        guard try await !isRecorded(work) else { return false }
        for disk in items.flatMap(\.disks) { try await work.world.store(disk.pool).deleteLayer(disk.layer) }
        for copy in copies ?? [] { try await work.takeBack(copy) }
        return true
    }

    func abandon(_ isGone: Bool?, because error: ServiceError, _ writer: any CatalogWriter, _ work: JobWork) throws {
        for item in items {
            switch isGone {
            case true:
                for disk in item.disks {
                    try writer.deleteVolume(disk.volume)
                    try writer.deleteLayer(disk.layer)
                }
                // A volume that existed before, and was to be attached, stays.
                for var volume in try writer.volumes(of: item.instance) {
                    volume.attachment = nil
                    try writer.update(volume)
                }
                try writer.deleteInstance(item.instance)
            case false:
                continue
            case nil:
                guard var instance = try writer.findInstance(item.instance) else { continue }
                instance.state = .failed(reason: error.message)
                try writer.update(instance)
                for disk in item.disks {
                    guard var volume = try writer.findVolume(disk.volume) else { continue }
                    volume.state = .failed(reason: error.message)
                    try writer.update(volume)
                }
            }
        }
        // After the volumes that would have stood on it.
        if isGone == true { for copy in copies ?? [] { try writer.abandon(copy, of: work.job.id) } }
    }

    private func isRecorded(_ work: JobWork) async throws -> Bool {
        try await work.world.catalog.read { reader in
            try items.contains { try reader.findInstance($0.instance)?.state == .available }
        }
    }

    private func record(_ allocated: [LayerID: ByteCount], _ writer: any CatalogWriter) throws {
        for item in items {
            for disk in item.disks {
                try writer.finishLayer(disk.layer, allocated: allocated[disk.layer] ?? .zero)
                guard var volume = try writer.findVolume(disk.volume) else { continue }
                if case .creating = volume.state { volume.state = .available }
                try writer.update(volume)
            }
            guard var instance = try writer.findInstance(item.instance) else { continue }
            if case .creating = instance.state { instance.state = .available }
            instance.power = starts ? .running : .stopped
            try writer.update(instance)
        }
    }

    private func startAll(_ work: JobWork) async throws {
        guard starts else { return }
        try await work.step("start") {
            for item in items { try await work.startMachine(item.instance) }
        }
    }
}
