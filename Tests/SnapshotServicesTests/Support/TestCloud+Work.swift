import Foundation
import Platform
import QEMU
import SnapshotDomain
import SnapshotPorts
import Testing

@testable import SnapshotServices

/// Short words for what many tests do, each waiting until its job has ended.
extension TestCloud {
    /// The disks of these machines are small, so that reading them whole takes no time.
    static let diskSize = ByteCount.mebibytes(4)

    // MARK: Jobs

    func end(of job: JobID) async throws -> TaskView {
        let view = try await cloud.awaitTask(job, atMost: patience, call)
        try #require(view.job.phase.isEnded, "\(view.job.kind) takes too long")
        return view
    }

    /// Waits for a job that must succeed.
    @discardableResult
    func done(_ job: JobID, _ location: SourceLocation = #_sourceLocation) async throws -> TaskView {
        let view = try await end(of: job)
        try #require(
            view.status == .succeeded,
            "\(view.job.kind): \(view.failure?.message ?? "")",
            sourceLocation: location
        )
        return view
    }

    /// Waits for a job that must fail, and returns why.
    func failure(of job: JobID) async throws -> ServiceError {
        let view = try await end(of: job)
        try #require(view.status == .failed, "\(view.job.kind) ended as \(view.status)")
        return try #require(view.failure)
    }

    // MARK: Things

    /// A template of a small disk that holds a pattern.
    func makeTemplate(_ name: String = "golden", isPublic: Bool = false, fill: UInt8 = 0x11) async throws -> Template {
        try await makeTemplate(name, isPublic: isPublic, beginningWith: Data(repeating: fill, count: 1 << 20))
    }

    /// A template of a small disk that begins in a way.
    func makeTemplate(_ name: String, isPublic: Bool = false, beginningWith content: Data) async throws -> Template {
        let path = try await uploads.makePath()
        try content.write(to: URL(fileURLWithPath: path))
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try file.truncate(atOffset: UInt64(Self.diskSize.bytes))
        try file.close()
        let submitted = try await cloud.createTemplate(
            CreateTemplateRequest(
                source: .file(path: path, format: "raw", isUpload: true),
                name: try ResourceName(name),
                options: TemplateOptions(isPublic: isPublic)
            ),
            in: home.id,
            call
        )
        try await done(submitted.job)
        return try await cloud.template(submitted.resource.template.id, in: home.id, call).template
    }

    /// One instance of a template.
    func deploy(
        _ name: String = "web01",
        from template: Template? = nil,
        dataVolume: Bool = false,
        starts: Bool = false
    ) async throws -> Instance {
        let origin: Template = if let template { template } else { try await makeTemplate("of-\(name)") }
        let submitted = try await cloud.deploy(
            DeployRequest(
                source: .template(origin.id),
                name: try ResourceName(name),
                computeOffering: "custom",
                cpuCount: 1,
                memory: .mebibytes(64),
                network: .isolated,
                dataVolumeSize: dataVolume ? Self.diskSize : nil,
                startsInstances: starts
            ),
            in: home.id,
            call
        )
        try await done(submitted.job)
        return try #require(submitted.resource.first).instance
    }

    func volumes(of instance: Instance) async throws -> [Volume] {
        try await catalog.read { try $0.volumes(of: instance.id) }
    }

    func root(of instance: Instance) async throws -> Volume {
        try #require(try await volumes(of: instance).first)
    }

    func volume(_ id: VolumeID) async throws -> Volume {
        try #require(try await catalog.read { try $0.findVolume(id) })
    }

    @discardableResult
    func makeVolume(_ name: String, in environment: EnvironmentID? = nil, pool: PoolID? = nil) async throws -> Volume {
        let submitted = try await cloud.createVolume(
            CreateVolumeRequest(source: .blank(Self.diskSize), name: try ResourceName(name), pool: pool),
            in: environment ?? home.id,
            call
        )
        try await done(submitted.job)
        return try await volume(submitted.resource.volume.id)
    }

    @discardableResult
    func snapshot(_ volume: Volume, _ name: String? = nil) async throws -> Snapshot {
        let submitted = try await cloud.takeSnapshots(
            TakeSnapshotRequest(target: .volume(volume.id), name: try name.map { try ResourceName($0) }),
            in: volume.environment,
            call
        )
        try await done(submitted.job)
        let id = try #require(submitted.resource.first).snapshot.id
        return try #require(try await catalog.read { try $0.findSnapshot(id) })
    }

    func move(_ volume: Volume, to pool: PoolID) async throws {
        try await done(try await cloud.moveVolume(volume.id, to: pool, in: volume.environment, call).job)
    }

    func delete(_ snapshot: Snapshot) async throws {
        try await done(try await cloud.deleteSnapshot(snapshot.id, in: snapshot.environment, call))
    }

    func revert(_ target: RevertTarget, restarts: Bool = true) async throws {
        try await done(try await cloud.revert(target, restarts: restarts, in: home.id, call).job)
    }

    func start(_ instance: Instance) async throws {
        try await done(try await cloud.startInstance(instance.id, in: instance.environment, call).job)
    }

    func stop(_ instance: Instance) async throws {
        try await done(try await cloud.stopInstance(instance.id, isForced: true, in: instance.environment, call).job)
    }

    // MARK: Bytes

    /// Fills a part of a volume, through its machine if one has it open.
    ///
    /// - Parameters:
    ///   - fill: The byte to write.
    ///   - block: Which 64 KiB of the disk to begin with.
    ///   - blocks: How many.
    ///   - volume: The volume.
    /// - Throws: What fails the test.
    func write(_ fill: UInt8, at block: Int = 0, blocks: Int = 1, to volume: Volume) async throws {
        let command = "write -P \(fill) \(block * 64)k \(blocks * 64)k"
        if let attachment = volume.attachment,
            let channel = try await hypervisor.blockChannel(of: attachment.instance) as? QEMUBlockChannel
        {
            let device = "/machine/peripheral/disk\(attachment.slot)/virtio-backend"
            for words in [command, "flush"] {
                let answer = try await channel.client.execute(
                    "human-monitor-command",
                    ["command-line": .string("qemu-io -d \(device) \"\(words)\"")]
                )
                try #require(answer.string?.contains("rror") != true, "\(answer)")
            }
        } else {
            let now = try await self.volume(volume.id)
            let arguments = ["-f", "qcow2", "-c", command, "-c", "flush", file(of: now.activeLayer, in: now.pool)]
            let completion = try await ChildProcess.run(Spawn("qemu-io", arguments), timeout: patience)
            try #require(completion.status.isSuccess, "\(completion.errorsText)")
        }
        try await measure(volume.id)
    }

    /// Brings a row up to date with a file that was written behind the service's back.
    private func measure(_ id: VolumeID) async throws {
        let row = try await volume(id)
        let layer = row.activeLayer
        let stored = try #require(try await store(row.pool).findLayer(layer))
        try await catalog.write { writer in
            guard var row = try writer.findLayer(layer) else { return }
            row.allocated = stored.allocated
            try writer.update(row)
        }
        world.ledger.invalidate()
        // As after housekeeping: a layer that grew may be merged in another way.
        room.collector.disturb([layer])
    }

    /// Where a layer's file is, by the format that `docs/storage-design.md` fixes.
    func file(of layer: LayerID, in pool: PoolID = .local) -> String {
        "\(folder)/\(pool == .local ? "pool" : pool.description)/layers/\(layer).qcow2"
    }

    func store(_ pool: PoolID) throws -> any BlockStore {
        try #require(pools.first { $0.pool == pool })
    }

    func digest(of layer: LayerID, in pool: PoolID = .local) async throws -> ContentDigest {
        try await store(pool).digest(of: layer) { _, _ in }
    }

    /// The content of a volume that no machine writes.
    func digest(of volume: Volume) async throws -> ContentDigest {
        let now = try await self.volume(volume.id)
        return try await digest(of: now.activeLayer, in: now.pool)
    }
}

extension TestCloud {
    /// What frozen contents are, for ``checkInvariants(_:after:_:)``.
    func digests(of snapshots: [Snapshot]) async throws -> [SnapshotID: ContentDigest] {
        var digests: [SnapshotID: ContentDigest] = [:]
        for snapshot in snapshots { digests[snapshot.id] = try await digest(of: snapshot.layer) }
        return digests
    }

    /// What is done by the clock, now.
    func keepHouse() async {
        await Housekeeper(world: world, cloud: cloud, collector: room.collector, logger: Self.logger).tidy()
    }
}
