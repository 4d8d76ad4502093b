import Foundation
import SnapshotDomain
import SnapshotPorts
import TestKit
import Testing

@testable import SnapshotServices

/// One kind of work that the sweeps interrupt everywhere.
///
/// It can be done again and again in one scene: what it needs beforehand it makes itself, undisturbed.
struct SweptOperation: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// Whether the machine of the scene runs when it begins.
    let needsMachine: Bool
    /// Prepares, calls its last argument, and asks for the work.
    let submit: @Sendable (TestCloud, Scene, _ attempt: Int, _ ready: () -> Void) async throws -> JobID

    init(
        _ description: String,
        needsMachine: Bool = false,
        _ submit: @escaping @Sendable (TestCloud, Scene, Int, () -> Void) async throws -> JobID
    ) {
        testDescription = description
        self.needsMachine = needsMachine
        self.submit = submit
    }
}

/// What the operations work on.
struct Scene: Sendable {
    let template: Template
    /// With a root and a data disk.
    let instance: Instance
    let root: Volume
    /// A detached volume with a history.
    let loose: Volume
    let old: Snapshot
    let source: Snapshot
    let digests: [SnapshotID: ContentDigest]

    init(in cloud: TestCloud) async throws {
        template = try await cloud.makeTemplate()
        instance = try await cloud.deploy(from: template, dataVolume: true)
        root = try await cloud.root(of: instance)
        loose = try await cloud.makeVolume("loose")
        try await cloud.write(0xC1, blocks: 8, to: loose)
        old = try await cloud.snapshot(loose, "old")
        try await cloud.write(0xC2, at: 4, blocks: 8, to: loose)
        source = try await cloud.snapshot(root, "source")
        digests = try await cloud.digests(of: [old, source])
    }
}

extension SweptOperation {
    static let take = SweptOperation("take snapshots of a running machine", needsMachine: true) {
        cloud,
        scene,
        attempt,
        ready in
        ready()
        return try await cloud.cloud.takeSnapshots(
            TakeSnapshotRequest(target: .instance(scene.instance.id), name: try ResourceName("taken \(attempt)")),
            in: cloud.home.id,
            cloud.call
        ).job
    }

    static let takeApart = SweptOperation("take snapshots of disks that go over one by one", needsMachine: true) {
        cloud,
        scene,
        attempt,
        ready in
        cloud.faults.splitSwitches()
        return try await take.submit(cloud, scene, attempt, ready)
    }

    static let takeMemory = SweptOperation("save the memory of a running machine", needsMachine: true) {
        cloud,
        scene,
        attempt,
        ready in
        ready()
        return try await cloud.cloud.takeSnapshots(
            .withMemory(of: scene.instance.id, name: try ResourceName("remembered \(attempt)")),
            in: cloud.home.id,
            cloud.call
        ).job
    }

    static let revertMemory = SweptOperation("go back to a saved memory", needsMachine: true) {
        cloud,
        scene,
        attempt,
        ready in
        let submitted = try await cloud.cloud.takeSnapshots(
            .withMemory(of: scene.instance.id, name: try ResourceName("point \(attempt)")),
            in: cloud.home.id,
            cloud.call
        )
        try await cloud.done(submitted.job)
        let group = try #require(submitted.resource.first?.snapshot.group)
        try await cloud.rest()
        ready()
        return try await cloud.cloud.revert(
            .group(group, of: scene.instance.id),
            restarts: true,
            in: cloud.home.id,
            cloud.call
        ).job
    }

    static let deleteMemory = SweptOperation("delete the last snapshot of a saved memory", needsMachine: true) {
        cloud,
        scene,
        attempt,
        ready in
        let submitted = try await cloud.cloud.takeSnapshots(
            .withMemory(of: scene.instance.id, name: try ResourceName("lost \(attempt)")),
            in: cloud.home.id,
            cloud.call
        )
        try await cloud.done(submitted.job)
        for view in submitted.resource.dropFirst() { try await cloud.delete(view.snapshot) }
        let last = try #require(submitted.resource.first).snapshot
        try await cloud.rest()
        ready()
        return try await cloud.cloud.deleteSnapshot(last.id, in: cloud.home.id, cloud.call)
    }

    static let takeAtRest = SweptOperation("take a snapshot of a detached volume") { cloud, scene, attempt, ready in
        ready()
        return try await cloud.take(scene.loose, "taken \(attempt)").job
    }

    static let delete = SweptOperation("delete a snapshot") { cloud, scene, attempt, ready in
        try await cloud.write(UInt8(attempt % 200), at: attempt % 16, blocks: 3, to: scene.loose)
        let snapshot = try await cloud.snapshot(scene.loose, "doomed \(attempt)")
        try await cloud.rest()
        ready()
        return try await cloud.cloud.deleteSnapshot(snapshot.id, in: cloud.home.id, cloud.call)
    }

    static let deleteLive = SweptOperation("delete a snapshot below a running machine", needsMachine: true) {
        cloud,
        scene,
        attempt,
        ready in
        try await cloud.write(UInt8(attempt % 200), at: attempt % 16, blocks: 3, to: scene.root)
        let snapshot = try await cloud.snapshot(scene.root, "doomed \(attempt)")
        try await cloud.rest()
        ready()
        return try await cloud.cloud.deleteSnapshot(snapshot.id, in: cloud.home.id, cloud.call)
    }

    static let revert = SweptOperation("revert a running machine", needsMachine: true) { cloud, scene, _, ready in
        ready()
        return try await cloud.cloud.revert(.snapshot(scene.source.id), restarts: true, in: cloud.home.id, cloud.call)
            .job
    }

    static let revertAtRest = SweptOperation("revert a detached volume") { cloud, scene, _, ready in
        ready()
        return try await cloud.cloud.revert(.snapshot(scene.old.id), restarts: true, in: cloud.home.id, cloud.call).job
    }

    static let clone = SweptOperation("clone thin into another environment") { cloud, scene, attempt, ready in
        ready()
        return try await cloud.createVolume(from: scene.old, "clone \(attempt)", isFull: false)
    }

    static let copy = SweptOperation("clone in full") { cloud, scene, attempt, ready in
        ready()
        return try await cloud.createVolume(from: scene.old, "copy \(attempt)", isFull: true)
    }

    static let blank = SweptOperation("create a blank volume in a running machine", needsMachine: true) {
        cloud,
        scene,
        attempt,
        ready in
        // Only so many disks fit: the last one goes first.
        try await cloud.clearDataVolumes(of: scene.instance)
        ready()
        return try await cloud.cloud.createVolume(
            CreateVolumeRequest(
                source: .blank(TestCloud.diskSize),
                name: try ResourceName("blank \(attempt)"),
                instance: scene.instance.id
            ),
            in: cloud.home.id,
            cloud.call
        ).job
    }

    static let deleteVolume = SweptOperation("delete a volume") { cloud, _, attempt, ready in
        let volume = try await cloud.makeVolume("gone \(attempt)")
        ready()
        return try await cloud.cloud.deleteVolume(volume.id, in: cloud.home.id, cloud.call)
    }

    static let attach = SweptOperation("attach to a running machine", needsMachine: true) {
        cloud,
        scene,
        attempt,
        ready in
        try await cloud.clearDataVolumes(of: scene.instance)
        let volume = try await cloud.makeVolume("attached \(attempt)")
        ready()
        return try await cloud.cloud.attachVolume(volume.id, to: scene.instance.id, in: cloud.home.id, cloud.call).job
    }

    static let detach = SweptOperation("detach at rest") { cloud, scene, attempt, ready in
        let volume = try await cloud.makeVolume("moved \(attempt)")
        let attached = try await cloud.cloud.attachVolume(
            volume.id,
            to: scene.instance.id,
            in: cloud.home.id,
            cloud.call
        )
        try await cloud.done(attached.job)
        ready()
        return try await cloud.cloud.detachVolume(volume.id, in: cloud.home.id, cloud.call).job
    }

    static let grow = SweptOperation("grow under a running machine", needsMachine: true) {
        cloud,
        scene,
        attempt,
        ready in
        let size = try await cloud.volume(scene.root.id).size + .mebibytes(1)
        ready()
        return try await cloud.cloud.resizeVolume(scene.root.id, to: size, in: cloud.home.id, cloud.call).job
    }

    static let move = SweptOperation("move a volume to another pool") { cloud, scene, attempt, ready in
        // Back and forth: a failed attempt leaves it where it was.
        let target: PoolID = try await cloud.volume(scene.loose.id).pool == .fast ? .local : .fast
        try await cloud.write(UInt8(attempt % 200), at: attempt % 16, blocks: 3, to: scene.loose)
        ready()
        return try await cloud.cloud.moveVolume(scene.loose.id, to: target, in: cloud.home.id, cloud.call).job
    }

    static let deployElsewhere = SweptOperation("deploy into a pool that lacks the template") {
        cloud,
        scene,
        attempt,
        ready in
        try await cloud.deleteInstances(except: scene.instance)
        let template = try await cloud.makeTemplate("travels \(attempt)", fill: UInt8(attempt % 200 + 1))
        for old in try await cloud.catalog.read({ try $0.allTemplates(of: cloud.home.id) })
        where old.name.description.hasPrefix("travels") && old.id != template.id {
            try await cloud.done(try await cloud.cloud.deleteTemplate(old.id, in: cloud.home.id, cloud.call))
        }
        ready()
        return try await cloud.cloud.deploy(
            DeployRequest(
                source: .template(template.id),
                name: try ResourceName("far \(attempt)"),
                computeOffering: "custom",
                cpuCount: 1,
                memory: .mebibytes(64),
                network: .isolated,
                startsInstances: false,
                pool: .fast
            ),
            in: cloud.home.id,
            cloud.call
        ).job
    }

    static let template = SweptOperation("make a template") { cloud, scene, attempt, ready in
        ready()
        return try await cloud.createTemplate(from: scene.source, "thin \(attempt)", isFull: false)
    }

    static let fullTemplate = SweptOperation("make a template in full") { cloud, scene, attempt, ready in
        ready()
        return try await cloud.createTemplate(from: scene.source, "full \(attempt)", isFull: true)
    }

    static let importTemplate = SweptOperation("import an image") { cloud, _, attempt, ready in
        let path = try await cloud.uploads.makePath()
        try Data(repeating: 0xC5, count: 1 << 20).write(to: URL(fileURLWithPath: path))
        ready()
        do {
            return try await cloud.cloud.createTemplate(
                CreateTemplateRequest(
                    source: .file(path: path, format: "raw", isUpload: true),
                    name: try ResourceName("imported \(attempt)")
                ),
                in: cloud.home.id,
                cloud.call
            ).job
        } catch {
            // As the faces do, if they live.
            if !cloud.faults.isDead { await cloud.uploads.discard(path) }
            throw error
        }
    }

    static let fetchTemplate = SweptOperation("fetch and import an image") { cloud, _, attempt, ready in
        ready()
        return try await cloud.cloud.createTemplate(
            CreateTemplateRequest(
                source: .address(cloud.images.url(), format: "raw"),
                name: try ResourceName("fetched \(attempt)")
            ),
            in: cloud.home.id,
            cloud.call
        ).job
    }

    static let deleteTemplate = SweptOperation("delete a template") { cloud, scene, attempt, ready in
        let job = try await cloud.createTemplate(from: scene.source, "doomed \(attempt)", isFull: false)
        let made = try await cloud.done(job)
        guard case .template(let id) = made.job.mainSubject else { throw CancellationError() }
        ready()
        return try await cloud.cloud.deleteTemplate(id, in: cloud.home.id, cloud.call)
    }

    static let verify = SweptOperation("verify a snapshot") { cloud, scene, _, ready in
        ready()
        return try await cloud.cloud.verifySnapshot(scene.old.id, in: cloud.home.id, cloud.call).job
    }

    static let deploy = SweptOperation("deploy from a template") { cloud, scene, attempt, ready in
        try await cloud.deleteInstances(except: scene.instance)
        ready()
        return try await cloud.cloud.deploy(
            DeployRequest(
                source: .template(scene.template.id),
                name: try ResourceName("node \(attempt)"),
                computeOffering: "custom",
                cpuCount: 1,
                memory: .mebibytes(64),
                network: .isolated
            ),
            in: cloud.home.id,
            cloud.call
        ).job
    }

    static let start = SweptOperation("start a machine") { cloud, scene, _, ready in
        if await !cloud.hypervisor.status(of: scene.instance.id).isStopped { try await cloud.stop(scene.instance) }
        ready()
        return try await cloud.cloud.startInstance(scene.instance.id, in: cloud.home.id, cloud.call).job
    }

    static let stop = SweptOperation("stop a machine", needsMachine: true) { cloud, scene, _, ready in
        ready()
        return try await cloud.cloud.stopInstance(scene.instance.id, isForced: false, in: cloud.home.id, cloud.call).job
    }

    static let reboot = SweptOperation("reboot a machine", needsMachine: true) { cloud, scene, _, ready in
        ready()
        return try await cloud.cloud.rebootInstance(scene.instance.id, in: cloud.home.id, cloud.call).job
    }

    static let deleteInstance = SweptOperation("delete an instance") { cloud, scene, attempt, ready in
        let instance = try await cloud.deploy("short \(attempt)", from: scene.template, starts: true)
        ready()
        return try await cloud.cloud.deleteInstance(
            instance.id,
            DeleteInstanceRequest(deletesSnapshots: true),
            in: cloud.home.id,
            cloud.call
        )
    }

    static let destroyInstance = SweptOperation("destroy an instance") { cloud, scene, attempt, ready in
        try await cloud.deleteInstances(except: scene.instance)
        let instance = try await cloud.deploy(
            "aside \(attempt)",
            from: scene.template,
            dataVolume: true,
            starts: true
        )
        ready()
        return try await cloud.cloud.destroyInstance(instance.id, with: [], in: cloud.home.id, cloud.call)
    }

    static let purgeInstance = SweptOperation("purge a destroyed instance") { cloud, scene, attempt, ready in
        try await cloud.deleteInstances(except: scene.instance)
        let instance = try await cloud.deploy("purged \(attempt)", from: scene.template, dataVolume: true)
        let data = try await cloud.volumes(of: instance).filter { $0.role == .data }.map(\.id)
        try await cloud.done(
            try await cloud.cloud.destroyInstance(instance.id, with: Set(data), in: cloud.home.id, cloud.call)
        )
        ready()
        return try await cloud.cloud.deleteInstance(
            instance.id,
            DeleteInstanceRequest(),
            in: cloud.home.id,
            cloud.call
        )
    }

    static let restore = SweptOperation("restore a running machine to its template", needsMachine: true) {
        cloud,
        scene,
        _,
        ready in
        ready()
        return try await cloud.cloud.restoreInstance(scene.instance.id, to: nil, in: cloud.home.id, cloud.call).job
    }

    static let deleteEnvironment = SweptOperation("delete an environment") { cloud, _, attempt, ready in
        let environment = try await cloud.cloud.createEnvironment(
            name: try EnvironmentName("short-\(attempt)"),
            description: "",
            cloud.call
        )
        try await cloud.snapshot(try await cloud.makeVolume("disk", in: environment.id))
        ready()
        return try await cloud.cloud.deleteEnvironment(environment.id, cloud.call)
    }

    /// Those that `INSTANTA_SWEEP` names by a part of their description; all when it is not set.
    static func chosen(_ operations: [SweptOperation]) -> [SweptOperation] {
        guard let part = ProcessInfo.processInfo.environment["INSTANTA_SWEEP"] else { return operations }
        return operations.filter { $0.testDescription.contains(part) }
    }

    /// Every kind of job, and those whose course depends on a running machine twice.
    static let all: [SweptOperation] =
        [
            take, takeApart, takeMemory, revertMemory, deleteMemory, takeAtRest, delete, deleteLive, revert,
            revertAtRest, clone,
            copy, blank, deleteVolume, attach, detach,
            grow, move, deployElsewhere,
            template, fullTemplate, importTemplate, fetchTemplate, deleteTemplate, verify, deploy, start, stop, reboot,
            deleteInstance, destroyInstance, purgeInstance, restore,
            deleteEnvironment,
        ] + several
}

extension TestCloud {
    fileprivate func createVolume(from snapshot: Snapshot, _ name: String, isFull: Bool) async throws -> JobID {
        try await cloud.createVolume(
            CreateVolumeRequest(
                source: .snapshot(snapshot.id, isFull: isFull),
                name: try ResourceName(name),
                environment: abroad.id
            ),
            in: home.id,
            call
        ).job
    }

    fileprivate func createTemplate(from snapshot: Snapshot, _ name: String, isFull: Bool) async throws -> JobID {
        try await cloud.createTemplate(
            CreateTemplateRequest(source: .snapshot(snapshot.id, isFull: isFull), name: try ResourceName(name)),
            in: home.id,
            call
        ).job
    }

    /// Makes room in a machine, which has to be off for that, and starts it again.
    fileprivate func clearDataVolumes(of instance: Instance) async throws {
        guard try await volumes(of: instance).count > 8 else { return }
        try await stop(instance)
        for volume in try await volumes(of: instance) where volume.role == .data {
            try await done(try await cloud.detachVolume(volume.id, in: home.id, call).job)
            try await done(try await cloud.deleteVolume(volume.id, in: home.id, call))
        }
        try await start(instance)
    }

    /// Machines take memory: no more of them than one attempt needs.
    func deleteInstances(except kept: Instance, withData: Bool = false) async throws {
        for instance in try await catalog.read({ try $0.allInstances(in: nil) }) where instance.id != kept.id {
            let volumes = withData ? try await volumes(of: instance).filter { $0.role == .data } : []
            let job = try await cloud.deleteInstance(
                instance.id,
                DeleteInstanceRequest(volumesToDelete: Set(volumes.map(\.id))),
                in: instance.environment,
                call
            )
            try await done(job)
        }
    }

    /// Has the machine of a scene in the state that an operation begins with.
    func bring(_ instance: Instance, toRunning wanted: Bool) async throws {
        let isRunning = await !hypervisor.status(of: instance.id).isStopped
        if wanted && !isRunning { try await start(instance) }
    }
}

extension TakeSnapshotRequest {
    /// All volumes of an instance with its memory.
    static func withMemory(of instance: InstanceID, name: ResourceName? = nil) -> Self {
        TakeSnapshotRequest(
            target: .instance(instance),
            name: name,
            consistency: ConsistencyRequest(mode: .memory, maxFreezeMilliseconds: 60_000)
        )
    }
}
