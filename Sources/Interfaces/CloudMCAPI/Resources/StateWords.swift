import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// The words for states on the wire, as CloudStack has them.
///
/// The domain has few states; what happens to an available resource is told by the kind of the job that holds it.
enum StateWords {
    static func word(_ snapshot: SnapshotView) -> String {
        switch snapshot.snapshot.state {
        case .creating: "Creating"
        case .available: "BackedUp"
        case .deleting: "Destroying"
        case .failed: "Error"
        }
    }

    static func word(_ volume: VolumeView) -> String {
        switch volume.volume.state {
        case .creating: "Creating"
        case .available: availableVolume(volume.activity.kind)
        case .deleting: "Destroying"
        case .failed: "Error"
        }
    }

    /// What a volume shows while a job of this kind holds it.
    static func availableVolume(_ kind: Job.Kind?) -> String {
        switch kind {
        case .createSnapshots: "Snapshotting"
        case .revertVolumes: "RevertSnapshotting"
        case .resizeVolume: "Resizing"
        case .attachVolume: "Attaching"
        case .detachVolume: "Detaching"
        case .createVolume, .deployInstances: "Creating"
        case .deleteVolume, .deleteInstance, .deleteEnvironment: "Destroying"
        // It is held, and nothing happens to it that its owner would see.
        case .deleteSnapshot, .verifySnapshot, .createTemplate, .importTemplate, .deleteTemplate, .startInstance,
            .stopInstance, .rebootInstance, nil:
            "Ready"
        }
    }

    static func word(_ instance: InstanceView) -> String {
        switch instance.instance.state {
        case .creating: "Starting"
        case .available: availableInstance(instance.activity.kind, instance.status)
        case .deleting: "Expunging"
        case .failed: "Error"
        }
    }

    static func availableInstance(_ kind: Job.Kind?, _ status: MachineStatus) -> String {
        switch kind {
        case .startInstance, .deployInstances: "Starting"
        case .stopInstance: "Stopping"
        case .deleteInstance, .deleteEnvironment: "Expunging"
        case .createSnapshots, .deleteSnapshot, .verifySnapshot, .revertVolumes, .createVolume, .deleteVolume,
            .attachVolume, .detachVolume, .resizeVolume, .createTemplate, .importTemplate, .deleteTemplate,
            .rebootInstance, nil:
            word(status)
        }
    }

    static func word(_ status: MachineStatus) -> String {
        switch status {
        case .running: "Running"
        case .stopped: "Stopped"
        case .paused, .unresponsive: "Unknown"
        }
    }

    static func word(_ template: TemplateView) -> String {
        switch template.template.state {
        case .creating: "Creating"
        case .available: "Ready"
        case .deleting: "Destroying"
        case .failed: "Error"
        }
    }

    static func word(_ role: Volume.Role) -> String {
        switch role {
        case .root: "os"
        case .data: "data"
        }
    }

    /// Reads `os` or `data` in any letter case, and CloudStack's `ROOT` and `DATADISK`.
    static func role(_ word: String) -> Volume.Role? {
        switch word.lowercased() {
        case "os", "root": .root
        case "data", "datadisk": .data
        default: nil
        }
    }
}

/// Which rows of the catalog can show a word.
struct StateSelection: Equatable {
    let states: Set<ResourceState.Word>
    /// Every row in these states shows the word; else each row must be looked at.
    let isExact: Bool

    static func snapshots(_ word: String) -> StateSelection {
        switch word.lowercased() {
        case "creating": exact(.creating)
        case "backedup": exact(.available)
        case "destroying": exact(.deleting)
        case "error": exact(.failed)
        default: exact()
        }
    }

    static func volumes(_ word: String) -> StateSelection {
        switch word.lowercased() {
        case "creating": StateSelection(states: [.creating, .available], isExact: false)
        case "destroying": StateSelection(states: [.deleting, .available], isExact: false)
        case "error": exact(.failed)
        default: StateSelection(states: [.available], isExact: false)
        }
    }

    private static func exact(_ states: ResourceState.Word...) -> StateSelection {
        StateSelection(states: Set(states), isExact: true)
    }
}
