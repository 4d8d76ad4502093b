import SnapshotDomain
import SnapshotPorts

// What the faces call the state of a resource. The domain has few states; what happens to an available resource is told by
// the kind of the job that holds it. The raw values are CloudStack's words, which both of its wire formats use; the console
// has words of its own for the same cases.

package enum ShownSnapshotState: String, Sendable, CaseIterable {
    case creating = "Creating"
    case completed = "BackedUp"
    case destroying = "Destroying"
    case failed = "Error"
}

package enum ShownVolumeState: String, Sendable, CaseIterable {
    case creating = "Creating"
    case ready = "Ready"
    case snapshotting = "Snapshotting"
    case reverting = "RevertSnapshotting"
    case resizing = "Resizing"
    case moving = "Migrating"
    case attaching = "Attaching"
    case detaching = "Detaching"
    case destroying = "Destroying"
    case destroyed = "Destroy"
    case failed = "Error"

    /// What an available volume shows while a job of this kind holds it.
    init(held kind: Job.Kind?) {
        self =
            switch kind {
            case .createSnapshots: .snapshotting
            case .revertVolumes, .restoreInstance: .reverting
            case .resizeVolume: .resizing
            case .moveVolume: .moving
            case .attachVolume: .attaching
            case .detachVolume: .detaching
            case .createVolume, .deployInstances: .creating
            case .deleteVolume, .deleteInstance, .destroyInstance, .deleteEnvironment: .destroying
            // It is held, and nothing happens to it that its owner would see.
            case .deleteSnapshot, .verifySnapshot, .createTemplate, .importTemplate, .deleteTemplate, .startInstance,
                .stopInstance, .rebootInstance, nil:
                .ready
            }
    }
}

package enum ShownInstanceState: String, Sendable, CaseIterable {
    case starting = "Starting"
    case running = "Running"
    case stopping = "Stopping"
    case stopped = "Stopped"
    case unknown = "Unknown"
    case destroying = "Expunging"
    case destroyed = "Destroyed"
    case failed = "Error"

    init(held kind: Job.Kind?, _ status: MachineStatus) {
        switch kind {
        case .startInstance, .deployInstances: self = .starting
        case .stopInstance, .destroyInstance: self = .stopping
        case .deleteInstance, .deleteEnvironment: self = .destroying
        case .createSnapshots, .deleteSnapshot, .verifySnapshot, .revertVolumes, .createVolume, .deleteVolume,
            .attachVolume, .detachVolume, .resizeVolume, .moveVolume, .createTemplate, .importTemplate,
            .deleteTemplate, .rebootInstance, .restoreInstance, nil:
            switch status {
            case .running: self = .running
            case .stopped: self = .stopped
            case .paused, .unresponsive: self = .unknown
            }
        }
    }
}

package enum ShownTemplateState: String, Sendable, CaseIterable {
    case creating = "Creating"
    case ready = "Ready"
    case destroying = "Destroying"
    case failed = "Error"
}

extension SnapshotView {
    package var shownState: ShownSnapshotState {
        switch snapshot.state {
        case .creating: .creating
        case .available: .completed
        // Snapshots are not put aside.
        case .deleting, .destroyed: .destroying
        case .failed: .failed
        }
    }
}

extension VolumeView {
    package var shownState: ShownVolumeState {
        switch volume.state {
        case .creating: .creating
        case .available: ShownVolumeState(held: activity.changingKind)
        case .deleting: .destroying
        case .failed: .failed
        case .destroyed: activity.changingKind == nil ? .destroyed : .destroying
        }
    }
}

extension InstanceView {
    package var shownState: ShownInstanceState {
        switch instance.state {
        case .creating: .starting
        case .available: ShownInstanceState(held: activity.changingKind, status)
        // It is stopped first, and then it is put aside.
        case .deleting: activity.changingKind == .destroyInstance ? .stopping : .destroying
        case .failed: .failed
        case .destroyed: activity.changingKind == nil ? .destroyed : .destroying
        }
    }
}

extension TemplateView {
    package var shownState: ShownTemplateState {
        switch template.state {
        case .creating: .creating
        case .available: .ready
        // Templates are not put aside.
        case .deleting, .destroyed: .destroying
        case .failed: .failed
        }
    }
}
