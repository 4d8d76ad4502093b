package import Foundation
package import SnapshotPorts

@testable package import SnapshotDomain
@testable package import SnapshotServices

/// Things to show, for tests of faces.
package enum Sample {
    package static let key = "the-key"
    package static let instant = Date(timeIntervalSince1970: 1_800_000_000.25)

    package static let production = environment(1, "production")
    package static let laboratory = environment(2, "lab")
    package static let environments = [production, laboratory]

    package static let principal = Principal(
        user: User(id: id(9), name: "ada", isOperator: true, createdAt: instant),
        roles: [:]
    )

    package static func id<Subject>(_ number: UInt8) -> Identifier<Subject> {
        Identifier(UUID(uuid: (0, 0, 0, 0, 0, 0, 0x40, 0, 0x80, 0, 0, 0, 0, 0, 0, number)))
    }

    package static func name(_ text: String) -> ResourceName {
        do {
            return try ResourceName(text)
        } catch {
            preconditionFailure("'\(text)' in a test is no name: \(error.message)")
        }
    }

    package static func environment(_ number: UInt8, _ text: String) -> Environment {
        do {
            return Environment(id: id(number), name: try EnvironmentName(text), description: "", createdAt: instant)
        } catch {
            preconditionFailure("'\(text)' in a test is no name: \(error.message)")
        }
    }

    package static func snapshot(
        _ number: UInt8 = 30,
        name text: String = "before-upgrade",
        state: ResourceState = .available,
        group: SnapshotGroupID? = nil,
        role: Volume.Role = .root
    ) -> SnapshotView {
        SnapshotView(
            snapshot: Snapshot(
                id: id(number),
                environment: production.id,
                name: name(text),
                description: "",
                source: Snapshot.Source(
                    volume: id(20),
                    volumeName: name("ROOT-web01"),
                    role: role,
                    instance: id(10),
                    instanceName: name("web01")
                ),
                pool: .local,
                layer: id(40),
                size: .mebibytes(1_500),
                origin: .manual,
                group: group,
                consistency: ConsistencyRecord(requested: .filesystem, achieved: .crash, agentAnswer: "no agent"),
                state: state,
                createdAt: instant
            ),
            activity: .idle,
            space: .init(exclusive: .mebibytes(3), shared: .mebibytes(5)),
            parent: nil,
            dependents: [.volume(id(20)), .template(id(50))],
            failure: nil
        )
    }

    package static func volume(
        _ number: UInt8 = 20,
        state: ResourceState = .available,
        activity: ResourceActivity = .idle,
        in environment: EnvironmentID = production.id
    ) -> VolumeView {
        VolumeView(
            volume: Volume(
                id: id(number),
                environment: environment,
                name: name("ROOT-web01"),
                role: .root,
                pool: .local,
                size: .gibibytes(2),
                activeLayer: id(41),
                attachment: Volume.Attachment(instance: id(10), slot: 0),
                state: state,
                createdAt: instant
            ),
            instance: instance().instance,
            isInstanceRunning: true,
            activity: activity,
            space: .none,
            undo: nil,
            failure: nil
        )
    }

    package static func instance(
        _ number: UInt8 = 10,
        state: ResourceState = .available,
        status: MachineStatus = .running,
        activity: ResourceActivity = .idle
    ) -> InstanceView {
        InstanceView(
            instance: Instance(
                id: id(number),
                environment: production.id,
                name: name("web\(number)"),
                computeOffering: "small",
                cpuCount: 1,
                memory: .gibibytes(1),
                network: .user,
                power: .running,
                template: id(50),
                state: state,
                createdAt: instant
            ),
            status: status,
            activity: activity,
            volumes: [],
            templateName: name("golden"),
            guest: nil,
            failure: nil,
            offeringName: "1 vCPU, 1 GiB"
        )
    }

    package static func template(_ number: UInt8 = 50, in environment: EnvironmentID = production.id) -> TemplateView {
        TemplateView(
            template: Template(
                id: id(number),
                environment: environment,
                name: name("golden"),
                description: "",
                pool: .local,
                layer: id(42),
                size: .gibibytes(2),
                options: TemplateOptions(),
                state: .available,
                createdAt: instant
            ),
            activity: .idle,
            space: .none,
            failure: nil
        )
    }

    package static func task(
        _ kind: Job.Kind,
        _ status: TaskView.Status,
        subjects: [JobSubject],
        reads: [JobSubject] = [],
        failure: ServiceError? = nil
    ) -> TaskView {
        TaskView(
            job: Job(
                id: id(70),
                kind: kind,
                title: "a job",
                environment: production.id,
                actor: principal.actor,
                subjects: subjects,
                reads: reads,
                program: Data(),
                createdAt: instant
            ),
            status: status,
            progress: nil,
            queuePosition: nil,
            failure: failure
        )
    }
}
