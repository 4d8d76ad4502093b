import SnapshotDomain
import SnapshotPorts
import Testing

@testable import SnapshotServices

/// Jobs on several things at once, of which some may be done and others not, and the other ways through those on one.
extension SweptOperation {
    static let revertGroup = SweptOperation("revert all disks of an instance") { cloud, scene, _, ready in
        let group = try await cloud.group(of: scene)
        ready()
        return try await cloud.cloud.revert(
            .group(group, of: scene.instance.id),
            restarts: true,
            in: cloud.home.id,
            cloud.call
        ).job
    }

    static let growAtRest = SweptOperation("grow a detached volume") { cloud, scene, _, ready in
        let size = try await cloud.volume(scene.loose.id).size + .mebibytes(1)
        ready()
        return try await cloud.cloud.resizeVolume(scene.loose.id, to: size, in: cloud.home.id, cloud.call).job
    }

    static let deploySeveral = SweptOperation("deploy two with data disks") { cloud, scene, attempt, ready in
        try await cloud.deleteInstances(except: scene.instance, withData: true)
        ready()
        return try await cloud.deploy(scene.template, "pair \(attempt)", in: cloud.home.id) {
            $0.count = 2
            $0.dataVolumeSize = TestCloud.diskSize
        }
    }

    static let deployAttaching = SweptOperation("deploy with a volume that is there") { cloud, scene, attempt, ready in
        try await cloud.deleteInstances(except: scene.instance, withData: true)
        let volume = try await cloud.makeVolume("waiting \(attempt)")
        ready()
        return try await cloud.deploy(scene.template, "host \(attempt)", in: cloud.home.id) {
            $0.attaching = volume.id
        }
    }

    static let deleteFullEnvironment = SweptOperation("delete an environment with an instance") {
        cloud,
        scene,
        attempt,
        ready in
        // What an earlier attempt could not delete.
        try await cloud.deleteInstances(except: scene.instance)
        let template = try await cloud.publicTemplate()
        let environment = try await cloud.cloud.createEnvironment(
            name: try EnvironmentName("full-\(attempt)"),
            description: "",
            cloud.call
        )
        try await cloud.done(try await cloud.deploy(template, "guest", in: environment.id) { _ in })
        ready()
        return try await cloud.cloud.deleteEnvironment(environment.id, cloud.call)
    }

    static let several = [revertGroup, growAtRest, deploySeveral, deployAttaching, deleteFullEnvironment]
}

extension TestCloud {
    /// Snapshots of all disks of the scene's instance at one instant, taken once.
    fileprivate func group(of scene: Scene) async throws -> SnapshotGroupID {
        let known = try await catalog.read { try $0.allSnapshots(SnapshotFilter(volume: scene.root.id)) }
        if let group = known.lazy.compactMap(\.group).first { return group }
        let taken = try await cloud.takeSnapshots(
            TakeSnapshotRequest(target: .instance(scene.instance.id), name: try ResourceName("all disks")),
            in: home.id,
            call
        )
        try await done(taken.job)
        guard let group = taken.resource.first?.snapshot.group else { throw CancellationError() }
        return group
    }

    /// One that every environment can deploy, made once.
    fileprivate func publicTemplate() async throws -> Template {
        let known = try await catalog.read { [home] in try $0.allTemplates(of: home.id) }
        if let template = known.first(where: { $0.options.isPublic }) { return template }
        return try await makeTemplate("for all", isPublic: true)
    }

    fileprivate func deploy(
        _ template: Template,
        _ name: String,
        in environment: EnvironmentID,
        _ change: (inout DeployRequest) -> Void
    ) async throws -> JobID {
        var request = DeployRequest(
            source: .template(template.id),
            name: try ResourceName(name),
            computeOffering: "custom",
            cpuCount: 1,
            memory: .mebibytes(64),
            network: .isolated,
            startsInstances: false
        )
        change(&request)
        return try await cloud.deploy(request, in: environment, call).job
    }
}
