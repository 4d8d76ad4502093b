import Foundation
import SnapshotDomain
import SnapshotServices

/// The snapshots of one machine's volumes at one instant, as this protocol's machine snapshot.
struct InstanceSnapshot: Sendable {
    let id: SnapshotGroupID
    let members: [SnapshotView]
    /// The nearest older one that it reads through.
    var parent: SnapshotGroupID?
    var parentName: String?
    /// The machine's disks stand on this one.
    var isCurrent = false

    var root: SnapshotView? { members.first { $0.snapshot.source.role == .root } ?? members.first }
    var environment: EnvironmentID? { root?.home }
    /// The machine's memory was saved with it.
    var hasMemory: Bool { members.contains { $0.snapshot.consistency.achieved == .memory } }
    var instance: InstanceID? { root?.snapshot.source.instance }
    var createdAt: Date { root?.snapshot.createdAt ?? Date(timeIntervalSince1970: 0) }
    var displayName: String { (root?.snapshot.groupName ?? root?.snapshot.name)?.description ?? "" }

    var state: String {
        let states = members.map(\.shownState)
        if states.contains(.failed) { return "Error" }
        if states.contains(.destroying) { return "Expunging" }
        return states.contains(.creating) ? "Creating" : "Ready"
    }

    /// Puts snapshots that belong to groups together, newest first, with what stands on what.
    static func all(of snapshots: [SnapshotView]) -> [InstanceSnapshot] {
        var found: [InstanceSnapshot] = []
        for (group, members) in Dictionary(grouping: snapshots, by: \.snapshot.group) {
            if let group { found.append(InstanceSnapshot(id: group, members: members)) }
        }
        // From the views alone: one is below another if that reads through it, and the nearest is the one with nothing between.
        func isBelow(_ lower: InstanceSnapshot, _ upper: InstanceSnapshot) -> Bool {
            guard let below = lower.root, let above = upper.root, lower.id != upper.id else { return false }
            return below.dependents.contains(.snapshot(above.snapshot.id))
        }
        for index in found.indices {
            let below = found.filter { isBelow($0, found[index]) }
            let nearest = below.first { one in !below.contains { isBelow(one, $0) } }
            found[index].parent = nearest?.id
            found[index].parentName = nearest?.displayName
        }
        let written = found.filter { snapshot in
            guard let root = snapshot.root else { return false }
            return root.dependents.contains(.volume(root.snapshot.source.volume))
        }
        for index in found.indices where written.contains(where: { $0.id == found[index].id }) {
            found[index].isCurrent = !written.contains { isBelow(found[index], $0) }
        }
        return found.sorted { ($1.createdAt, $1.id) < ($0.createdAt, $0.id) }
    }
}

extension InstanceSnapshot: Referable {
    var reference: ResourceReference { .snapshotGroup(id) }
    // A group has a member, or it would not be.
    var home: EnvironmentID { environment ?? EnvironmentID(id.uuid) }
}

extension Shapes {
    /// Named with a capital in lists, and without in the results of jobs: clients read exactly that.
    static let instanceSnapshot = Shape<Owned<InstanceSnapshot>>(
        "vmSnapshot",
        [
            .text("id", "The id.") { $0.view.id.description },
            .text("name", "The name that the host knows.") { "i-\($0.view.id)" },
            .text("displayname", "The name.") { $0.view.displayName },
            .text("description", "The description.") { $0.view.root?.snapshot.description },
            .text("state", "The state.") { $0.view.state },
            .text("type", "What it holds: Disk or DiskAndMemory.") { $0.view.hasMemory ? "DiskAndMemory" : "Disk" },
            .text("virtualmachineid", "The machine, which may be gone.") { $0.view.instance?.description },
            .text("virtualmachinename", "The machine's name when it was taken.") {
                $0.view.root?.snapshot.source.instanceName?.description
            },
            .text("parent", "The one that it reads through.") { $0.view.parent?.description },
            .text("parentName", "The name of that.") { $0.view.parentName },
            .flag("current", "Whether the machine's disks stand on it.") { $0.view.isCurrent },
            .instant("created", "When it was taken.") { $0.view.createdAt },
            .list("snapshotids", "Its volumes' snapshots; beyond the protocol.") {
                $0.view.members.map { .text($0.snapshot.id.description) }
            },
        ] + surroundings { $0.root?.activity ?? .idle }
    )
}
