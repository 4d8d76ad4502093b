import SnapshotDomain
import SnapshotServices

/// The words for types and states on the wire.
enum StateWords {
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
        case "destroy": exact(.destroyed)
        default: StateSelection(states: [.available], isExact: false)
        }
    }

    private static func exact(_ states: ResourceState.Word...) -> StateSelection {
        StateSelection(states: Set(states), isExact: true)
    }
}
