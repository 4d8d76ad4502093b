import SnapshotDomain
import SnapshotPorts

/// Makes a volume: blank, thin on a snapshot, or a full copy of one.
///
/// The rows exist from the start, as `creating`.
struct CreateVolume: JobProgram {
    enum Content: Codable, Sendable {
        case blank
        case thin(on: LayerID)
        case copy(of: LayerID)
        /// In full, from another pool.
        case transfer(of: LayerID, from: PoolID)
    }

    static let kind = Job.Kind.createVolume

    var volume: VolumeID
    var layer: LayerID
    var pool: PoolID
    var size: ByteCount
    var content: Content
    /// Where it is attached at once.
    var instance: InstanceID?

    var ownLayers: Set<LayerID> { [layer] }

    var isHeavy: Bool {
        switch content {
        case .copy, .transfer: true
        case .blank, .thin: false
        }
    }
    var ownPools: Set<PoolID> { [pool] }

    func perform(_ work: JobWork) async throws -> ByteCount {
        let store = try work.world.store(pool)
        try await work.step("create") {
            switch content {
            case .blank:
                try await work.requireRoom(.mebibytes(1), in: pool)
                try await store.createLayer(layer, size: size)
            case .thin(let parent):
                try await work.requireRoom(.mebibytes(1), in: pool)
                try await store.createLayer(layer, on: parent, size: size, through: nil)
            case .copy(let source):
                try await work.copyLayer(source, to: layer, size: size, in: pool)
            case .transfer(let source, let origin):
                try await work.transfer(source, from: origin, to: layer, in: pool)
            }
        }
        if let instance, await work.world.hypervisor.isAlive(instance) {
            try await work.step("attach") {
                let row = try await work.volume(volume)
                guard let slot = row.attachment?.slot else { return }
                let disk = MachineDisk(slot: slot, volume: volume, source: try await work.diskSource(of: row))
                try await work.world.hypervisor.attach(disk, to: instance)
            }
        }
        return try await work.allocated(layer, in: pool)
    }

    func finish(_ allocated: ByteCount, _ writer: any CatalogWriter, _ work: JobWork) throws {
        try writer.finishLayer(layer, allocated: allocated)
        guard var row = try writer.findVolume(volume) else { return }
        if case .creating = row.state { row.state = .available }
        try writer.update(row)
    }

    /// What remains of a volume that could not be made.
    enum Residue: Sendable {
        case nothing
        /// The guest holds on to the disk: then it exists, whatever else failed.
        case held(StoredLayer)
    }

    func undo(_ work: JobWork) async throws -> Residue {
        if let instance, let slot = try await work.world.catalog.read({ try $0.findVolume(volume) })?.attachment?.slot,
            try await !work.takeOutDisk(slot, of: instance)
        {
            return .held(try await work.storedLayer(layer, in: pool))
        }
        try await work.world.store(pool).deleteLayer(layer)
        return .nothing
    }

    func abandon(
        _ residue: Residue?,
        because error: ServiceError,
        _ writer: any CatalogWriter,
        _ work: JobWork
    ) throws {
        if case .held(let stored) = residue {
            try finish(stored.allocated, writer, work)
        } else {
            try writer.abandonVolume(volume, layer, isClean: residue != nil, because: error)
        }
    }
}

/// Deletes a volume that no instance has.
struct DeleteVolume: JobProgram {
    static let kind = Job.Kind.deleteVolume

    var volume: VolumeID

    var needsPools: Bool { false }

    func perform(_ work: JobWork) async throws {
        let volume = volume
        let layers = try await work.unpin { reader in
            Set([try reader.findVolume(volume)?.activeLayer].compactMap { $0 })
        } rows: { writer in
            try writer.deleteVolume(volume)
        }
        try await work.step("collect", evenCancelled: true) { await work.collect(around: layers) }
    }

    func abandon(_ residue: Void?, because error: ServiceError, _ writer: any CatalogWriter, _ work: JobWork) throws {
        guard var row = try writer.findVolume(volume), case .deleting = row.state else { return }
        row.state = .available
        try writer.update(row)
    }
}

/// Gives a data volume to an instance, running or not.
struct AttachVolume: JobProgram {
    static let kind = Job.Kind.attachVolume

    var volume: VolumeID
    var instance: InstanceID

    func perform(_ work: JobWork) async throws -> Int {
        let row = try await work.volume(volume)
        if let attachment = row.attachment {
            guard attachment.instance == instance else {
                throw ServiceError(
                    .inUse,
                    "The volume '\(row.name)' belongs to another instance; detach it there first.",
                    subject: .volume(volume)
                )
            }
            return attachment.slot
        }
        let slot = try await work.world.catalog.read { try $0.freeSlot(of: instance) }
        if await work.world.hypervisor.isAlive(instance) {
            try await work.step("attach") {
                try await work.holdingChain(of: row.activeLayer) {
                    let disk = MachineDisk(slot: slot, volume: volume, source: try await work.diskSource(of: row))
                    try await work.world.hypervisor.attach(disk, to: instance)
                }
            }
        }
        return slot
    }

    func finish(_ slot: Int, _ writer: any CatalogWriter, _ work: JobWork) throws {
        guard var row = try writer.findVolume(volume) else { return }
        row.attachment = Volume.Attachment(instance: instance, slot: slot)
        row.role = .data
        try writer.update(row)
    }

    enum Residue: Sendable {
        case nothing
        /// The guest holds on to the disk.
        case held(slot: Int)
    }

    func undo(_ work: JobWork) async throws -> Residue {
        guard try await work.volume(volume).attachment == nil else { return .nothing }
        let slot = try await work.world.catalog.read { try $0.freeSlot(of: instance) }
        return try await work.takeOutDisk(slot, of: instance) ? .nothing : .held(slot: slot)
    }

    /// A disk that a machine writes is attached, whatever else failed: nobody else may get it.
    func abandon(
        _ residue: Residue?,
        because error: ServiceError,
        _ writer: any CatalogWriter,
        _ work: JobWork
    ) throws {
        if case .held(let slot) = residue { try finish(slot, writer, work) }
    }
}

/// Takes a data volume from its instance.
struct DetachVolume: JobProgram {
    static let kind = Job.Kind.detachVolume

    var volume: VolumeID

    var needsPools: Bool { false }

    func perform(_ work: JobWork) async throws {
        guard let attachment = try await work.volume(volume).attachment else { return }
        guard await work.world.hypervisor.isAlive(attachment.instance) else { return }
        try await work.step("detach") {
            try await work.world.hypervisor.detach(slot: attachment.slot, from: attachment.instance)
        }
    }

    func finish(_ findings: Void, _ writer: any CatalogWriter, _ work: JobWork) throws {
        guard var row = try writer.findVolume(volume) else { return }
        row.attachment = nil
        try writer.update(row)
    }

    func disturbedLayers(_ reader: any CatalogReader) throws -> Set<LayerID> {
        Set([try reader.findVolume(volume)?.activeLayer].compactMap { $0 })
    }
}

/// Makes a volume larger, live if a machine has it.
struct ResizeVolume: JobProgram {
    static let kind = Job.Kind.resizeVolume

    var volume: VolumeID
    var size: ByteCount

    func perform(_ work: JobWork) async throws -> StoredLayer {
        try await work.holding([volume]) { volumes in
            guard let row = volumes.first else {
                throw ServiceError(.notFound, "The volume is gone.", subject: .volume(volume))
            }
            try await work.step("grow") {
                let channel: (any LiveBlockChannel)? =
                    if let instance = row.attachment?.instance {
                        try await work.world.hypervisor.blockChannel(of: instance)
                    } else {
                        nil
                    }
                try await work.world.store(row.pool).growLayer(row.activeLayer, to: size, through: channel)
            }
            return try await work.storedLayer(row.activeLayer, in: row.pool)
        }
    }

    func finish(_ stored: StoredLayer, _ writer: any CatalogWriter, _ work: JobWork) throws {
        guard var row = try writer.findVolume(volume), var layer = try writer.findLayer(stored.id) else { return }
        row.size = stored.size
        layer.size = stored.size
        try writer.update(layer)
        try writer.update(row)
        _ = try writer.noteSizes(of: [stored])
    }

    /// A volume does not shrink again: what is on the medium is its size.
    func undo(_ work: JobWork) async throws -> [StoredLayer] {
        try await work.holding([volume]) { volumes in
            var grown: [StoredLayer] = []
            for row in volumes {
                if let stored = try await work.world.store(row.pool).findLayer(row.activeLayer) { grown.append(stored) }
            }
            return grown
        }
    }

    func abandon(
        _ grown: [StoredLayer]?,
        because error: ServiceError,
        _ writer: any CatalogWriter,
        _ work: JobWork
    ) throws {
        for stored in grown ?? [] { try finish(stored, writer, work) }
    }

    /// A layer that became larger than the one below is merged with it in another way.
    func disturbedLayers(_ reader: any CatalogReader) throws -> Set<LayerID> {
        Set([try reader.findVolume(volume)?.activeLayer].compactMap { $0 })
    }
}

extension JobWork {
    /// A full copy with the room checked beforehand, grown to a size if that is larger.
    func copyLayer(_ source: LayerID, to copy: LayerID, size: ByteCount, in pool: PoolID) async throws {
        let store = try world.store(pool)
        try await holdingChain(of: source) {
            try await requireRoom(try await bytes(readBy: source), in: pool)
            try await store.copyLayer(source, to: copy, progress: progress)
        }
        if let made = try await store.findLayer(copy), made.size < size {
            try await store.growLayer(copy, to: size, through: nil)
        }
    }
}

extension CatalogReader {
    /// The first place for a data disk; slot 0 is the root disk's.
    func freeSlot(of instance: InstanceID) throws -> Int {
        let taken = Set(try volumes(of: instance).compactMap(\.attachment?.slot))
        guard let slot = (1...VolumeLimits.dataVolumesPerInstance).first(where: { !taken.contains($0) }) else {
            throw ServiceError(
                .limitExceeded,
                "The instance has \(taken.count) volumes and no place for another; detach one first.",
                subject: .instance(instance)
            )
        }
        return slot
    }
}

extension CatalogWriter {
    /// A layer that was being made is there.
    func finishLayer(_ id: LayerID, allocated: ByteCount) throws {
        guard var layer = try findLayer(id) else { return }
        layer.phase = .ready
        layer.allocated = allocated
        try update(layer)
    }

    /// A volume that could not be made: gone without a trace if its storage is, else kept as failed.
    func abandonVolume(_ id: VolumeID, _ layer: LayerID, isClean: Bool, because error: ServiceError) throws {
        if isClean {
            try deleteVolume(id)
            try deleteLayer(layer)
        } else if var volume = try findVolume(id) {
            volume.attachment = nil
            volume.state = .failed(reason: error.message)
            try update(volume)
        }
    }
}
