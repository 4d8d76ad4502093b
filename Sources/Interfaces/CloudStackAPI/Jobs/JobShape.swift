import SnapshotDomain
import SnapshotServices

/// A job with what came of it.
struct JobEntry: Sendable {
    let task: TaskView
    /// What a finished job has in any case.
    let result: JSON?
}

extension Shapes {
    static let job = Shape<JobEntry>(
        "asyncjobs",
        [
            .text("jobid", "The id.") { $0.task.job.id.description },
            .text("cmd", "The command.") { JobWords.command($0.task.job) },
            .text("accountid", "Whose it is.") { $0.task.job.actor.user?.description },
            .text("userid", "Who asked.") { $0.task.job.actor.user?.description },
            .instant("created", "When it was asked for.") { $0.task.job.createdAt },
            .instant("completed", "When it ended.") { entry in
                if case .ended(_, let instant) = entry.task.job.phase { instant } else { nil }
            },
            .integer("jobstatus", "0 pending, 1 succeeded, 2 failed.") { JobWords.status($0.task.status) },
            .integer("jobprocstatus", "0.") { _ in 0 },
            .integer("jobresultcode", "0, or 530 for one that failed.") {
                JobWords.status($0.task.status) == 2 ? 530 : 0
            },
            .text("jobresulttype", "The kind of result, when it ended.") { $0.result == nil ? nil : "object" },
            Field(name: "jobresult", kind: .map, summary: "The object, or the error, when it ended.") { $0.result },
            .text("jobinstancetype", "The kind of thing that it is about.") {
                $0.task.job.mainSubject.map(JobWords.kind)
            },
            .text("jobinstanceid", "The thing that it is about.") { $0.task.job.mainSubject?.id },
            .integer("jobprogress", "Percent done, while it copies; beyond the protocol, as are the next four.") {
                $0.task.progress.map { Int64($0.fraction * 100) }
            },
            .integer("jobprogressbytes", "Bytes done.") { $0.task.progress?.doneBytes.bytes },
            .integer("jobtotalbytes", "Bytes in all.") { $0.task.progress?.totalBytes.bytes },
            .integer("jobremainingseconds", "Seconds that it will take.") {
                ($0.task.progress?.remainingSeconds).map(Int64.init)
            },
            .integer("jobqueueposition", "Jobs before it, while it waits.") { $0.task.queuePosition.map(Int64.init) },
        ]
    )
}

/// The protocol's words for jobs.
enum JobWords {
    static func status(_ status: TaskView.Status) -> Int64 {
        switch status {
        case .queued, .running: 0
        case .succeeded: 1
        case .failed, .cancelled: 2
        }
    }

    static func kind(_ subject: JobSubject) -> String {
        switch subject {
        case .volume: "Volume"
        case .snapshot: "Snapshot"
        case .template: "Template"
        case .instance: "VirtualMachine"
        case .environment: "Project"
        }
    }

    /// The command that makes such jobs, as the protocol's own implementation calls its class.
    static func command(_ job: Job) -> String {
        let name =
            switch job.kind {
            case .createSnapshots: job.isOfInstance ? "vmsnapshot.CreateVMSnapshotCmd" : "snapshot.CreateSnapshotCmd"
            case .deleteSnapshot: "snapshot.DeleteSnapshotCmd"
            case .verifySnapshot: "snapshot.VerifySnapshotCmd"
            case .revertVolumes: job.isOfInstance ? "vmsnapshot.RevertToVMSnapshotCmd" : "snapshot.RevertSnapshotCmd"
            case .createVolume: "volume.CreateVolumeCmd"
            case .deleteVolume: "volume.DeleteVolumeCmd"
            case .attachVolume: "volume.AttachVolumeCmd"
            case .detachVolume: "volume.DetachVolumeCmd"
            case .resizeVolume: "volume.ResizeVolumeCmd"
            case .moveVolume: "volume.MigrateVolumeCmd"
            case .createTemplate: "template.CreateTemplateCmd"
            case .importTemplate: "template.RegisterTemplateCmd"
            case .deleteTemplate: "template.DeleteTemplateCmd"
            case .deployInstances: "vm.DeployVMCmd"
            case .startInstance: "vm.StartVMCmd"
            case .stopInstance: "vm.StopVMCmd"
            case .rebootInstance: "vm.RebootVMCmd"
            case .deleteInstance, .destroyInstance: "vm.DestroyVMCmd"
            case .restoreInstance: "vm.RestoreVMCmd"
            case .deleteEnvironment: "project.DeleteProjectCmd"
            }
        return "org.apache.cloudstack.api.command.user.\(name)"
    }
}

extension Job {
    /// Whether a job on snapshots or volumes is about a whole instance.
    var isOfInstance: Bool {
        switch kind {
        case .revertVolumes: if case .instance = subjects.first { true } else { false }
        default: snapshots.count > 1
        }
    }

    var volumes: [VolumeID] {
        subjects.compactMap { if case .volume(let id) = $0 { id } else { nil } }
    }

    var snapshots: [SnapshotID] {
        (subjects + reads).compactMap { if case .snapshot(let id) = $0 { id } else { nil } }
    }

    var templates: [TemplateID] {
        subjects.compactMap { if case .template(let id) = $0 { id } else { nil } }
    }

    var instances: [InstanceID] {
        subjects.compactMap { if case .instance(let id) = $0 { id } else { nil } }
    }
}
