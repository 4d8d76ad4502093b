import Foundation
import SnapshotDomain
import SnapshotPorts

extension ActivityEntry {
    /// What a job that ended adds to the log: one line for each thing of the kind that the job is about.
    static func entries(
        of job: Job,
        _ outcome: Job.Outcome,
        at instant: Date,
        startedAt: Date?,
        _ reader: any CatalogReader
    ) -> [ActivityEntry] {
        let status: Status
        var message: String?
        switch outcome {
        case .succeeded: status = .succeeded
        case .cancelled: status = .cancelled
        case .failed(let error):
            status = .failed
            message = error.message
        }
        guard let main = job.mainSubject else { return [] }
        return ([main] + job.subjects.filter { $0.kind == main.kind && $0 != main }).map { subject in
            ActivityEntry(
                environment: job.environment,
                actor: job.actor,
                event: job.kind.event,
                subjectKind: subject.kind,
                subjectID: subject.id,
                subjectName: subject == main ? job.title : (try? subject.name(reader)) ?? subject.id,
                job: job.id,
                status: status,
                message: message,
                createdAt: instant,
                scheduledAt: job.createdAt,
                startedAt: startedAt
            )
        }
    }
}

extension Job.Kind {
    /// The code of the activity log: stable.
    package var event: String {
        switch self {
        case .createSnapshots: "snapshots.create"
        case .deleteSnapshot: "snapshots.delete"
        case .verifySnapshot: "snapshots.verify"
        case .revertVolumes: "volumes.revert"
        case .createVolume: "volumes.create"
        case .deleteVolume: "volumes.delete"
        case .attachVolume: "volumes.attach"
        case .detachVolume: "volumes.detach"
        case .resizeVolume: "volumes.resize"
        case .moveVolume: "volumes.move"
        case .createTemplate: "templates.create"
        case .importTemplate: "templates.import"
        case .deleteTemplate: "templates.delete"
        case .deployInstances: "instances.create"
        case .startInstance: "instances.start"
        case .stopInstance: "instances.stop"
        case .rebootInstance: "instances.reboot"
        case .deleteInstance: "instances.delete"
        case .destroyInstance: "instances.destroy"
        case .restoreInstance: "instances.restore"
        case .deleteEnvironment: "environments.delete"
        }
    }
}

extension JobSubject {
    /// The plural noun of the faces' addresses.
    package var kind: String {
        switch self {
        case .volume: "volumes"
        case .snapshot: "snapshots"
        case .template: "templates"
        case .instance: "instances"
        case .environment: "environments"
        }
    }

    package var id: String {
        switch self {
        case .volume(let id): id.description
        case .snapshot(let id): id.description
        case .template(let id): id.description
        case .instance(let id): id.description
        case .environment(let id): id.description
        }
    }

    func name(_ reader: any CatalogReader) throws -> String? {
        switch self {
        case .volume(let id): try reader.findVolume(id)?.name.description
        case .snapshot(let id): try reader.findSnapshot(id)?.name.description
        case .template(let id): try reader.findTemplate(id)?.name.description
        case .instance(let id): try reader.findInstance(id)?.name.description
        case .environment(let id): try reader.findEnvironment(id)?.name.description
        }
    }
}
