import SnapshotDomain
import SnapshotServices

extension Shapes {
    static let snapshot = Shape<Owned<SnapshotView>>(
        "snapshot",
        [
            .text("id", "The id.") { $0.view.snapshot.id.description },
            .text("name", "The name.") { $0.view.snapshot.name.description },
            .text("volumeid", "The volume, which may be gone.") { $0.view.snapshot.source.volume.description },
            .text("volumename", "The volume's name when it was taken.") {
                $0.view.snapshot.source.volumeName.description
            },
            .text("volumetype", "ROOT or DATADISK.") { StateWords.word($0.view.snapshot.source.role) },
            .text("virtualmachineid", "The machine when it was taken; beyond the protocol.") {
                $0.view.snapshot.source.instance?.description
            },
            .text("vmname", "The machine's name when it was taken; beyond the protocol.") {
                $0.view.snapshot.source.instanceName?.description
            },
            .text("state", "The state.") { $0.view.shownState.rawValue },
            .text("snapshottype", "MANUAL, or GROUP for one of several of the same instant.") {
                StateWords.word($0.view.snapshot)
            },
            .text("intervaltype", "The same.") { StateWords.word($0.view.snapshot) },
            .instant("created", "When it was taken.") { $0.view.snapshot.createdAt },
            .integer("physicalsize", "Bytes of the pool that it reads.") {
                ($0.view.space.exclusive + $0.view.space.shared).bytes
            },
            .integer("virtualsize", "The volume's size in bytes.") { $0.view.snapshot.size.bytes },
            .integer("exclusivesize", "Bytes that go when it alone is deleted; beyond the protocol.") {
                $0.view.space.exclusive.bytes
            },
            .always("locationtype", "Where it lies.", "PRIMARY"),
            .always("revertable", "Whether its volume can go back to it.", true),
            .text("parent", "The nearest older snapshot that it reads through.") { $0.view.parent?.description },
            .text("consistency", "crash or filesystem: what was achieved; beyond the protocol.") {
                $0.view.snapshot.consistency.achieved.rawValue
            },
            .flag("undo", "Whether it is what a revert replaced, kept for a while; beyond the protocol.") {
                $0.view.snapshot.origin == .manual ? nil : true
            },
            .text("groupid", "The machine snapshot that it belongs to; beyond the protocol.") {
                $0.view.snapshot.group?.description
            },
        ] + surroundings { $0.activity }
    )
}
