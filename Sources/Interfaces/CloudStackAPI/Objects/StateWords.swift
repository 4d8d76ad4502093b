import SnapshotDomain
import SnapshotServices

/// The protocol's words for kinds and states.
enum StateWords {
    static func word(_ role: Volume.Role) -> String {
        switch role {
        case .root: "ROOT"
        case .data: "DATADISK"
        }
    }

    static func word(_ state: ShownVolumeState) -> String {
        switch state {
        // A volume that is being detached is Ready by this protocol.
        case .detaching: ShownVolumeState.ready.rawValue
        case .creating, .ready, .snapshotting, .reverting, .resizing, .moving, .attaching, .destroying,
            .destroyed, .failed:
            state.rawValue
        }
    }

    static func word(_ state: ShownInstanceState) -> String {
        switch state {
        // A word that clients do not know would break their whole list, and the machine's processors do have power.
        case .unknown: ShownInstanceState.running.rawValue
        case .starting, .running, .stopping, .stopped, .destroying, .destroyed, .failed: state.rawValue
        }
    }

    static func word(_ snapshot: Snapshot) -> String {
        snapshot.group == nil ? "MANUAL" : "GROUP"
    }
}
