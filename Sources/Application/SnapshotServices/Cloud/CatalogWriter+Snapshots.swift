import Foundation
import SnapshotDomain
import SnapshotPorts

/// What requests about snapshots mean in one state of the catalog.
extension CatalogWriter {
    /// The volumes that a snapshot request names, and the instance that they belong to.
    func targets(
        of target: TakeSnapshotRequest.Target,
        in environment: EnvironmentID
    ) throws -> (instance: Instance?, volumes: [Volume]) {
        switch target {
        case .volume(let id):
            let volume = try volume(id, in: environment)
            return (try volume.attachment.flatMap { try findInstance($0.instance) }, [volume])
        case .instance(let id):
            let instance = try instance(id, in: environment)
            try instance.state.requireAvailable("The instance '\(instance.name)'", subject: .instance(id))
            return (instance, try volumes(of: id))
        }
    }

    /// The name that was asked for, or a generated one; told apart by the volume when there are several.
    func name(
        for volume: Volume,
        _ instance: Instance?,
        _ request: TakeSnapshotRequest,
        isOneOfMany: Bool,
        at instant: Date
    ) throws -> ResourceName {
        guard let wanted = request.name else { return try freeGeneratedName(for: volume, instance, at: instant) }
        let name = isOneOfMany ? try wanted.appending("_\(volume.name)") : wanted
        try requireFreeSnapshotName(name, in: volume.environment)
        return name
    }

    /// Which volume goes back to which snapshot.
    func revertPairs(
        of target: RevertTarget,
        in environment: EnvironmentID
    ) throws -> [(snapshot: Snapshot, volume: Volume)] {
        switch target {
        case .snapshot(let id):
            let snapshot = try snapshot(id, in: environment)
            guard let volume = try findVolume(snapshot.source.volume), volume.environment == environment else {
                throw ServiceError(
                    .wrongState,
                    """
                    The volume '\(snapshot.source.volumeName)' that this is a snapshot of is gone. \
                    Create a new volume from the snapshot instead.
                    """,
                    subject: .snapshot(id)
                )
            }
            return [(snapshot, volume)]
        case .group(let group, let id):
            let instance = try instance(id, in: environment)
            let volumes = Dictionary(uniqueKeysWithValues: try volumes(of: instance.id).map { ($0.id, $0) })
            return try allSnapshots(SnapshotFilter(environment: environment, group: group)).compactMap { snapshot in
                volumes[snapshot.source.volume].map { (snapshot, $0) }
            }
        case .undo(let id):
            let volume = try volume(id, in: environment)
            guard let undo = try undoSnapshot(of: id) else {
                throw ServiceError(
                    .wrongState,
                    "There is no revert of the volume '\(volume.name)' to undo: none was made, or its time is over.",
                    subject: .volume(id)
                )
            }
            return [(undo, volume)]
        }
    }
}

extension CatalogReader {
    /// Snapshots with the connected tree that each group of them stands in.
    func groupedByTree(
        _ snapshots: [Snapshot]
    ) throws -> [LayerID: (tree: LayerTree, snapshots: [Snapshot])] {
        var groups: [LayerID: (tree: LayerTree, snapshots: [Snapshot])] = [:]
        var baseByLayer: [LayerID: LayerID] = [:]
        for snapshot in snapshots {
            if let base = baseByLayer[snapshot.layer] {
                groups[base]?.snapshots.append(snapshot)
                continue
            }
            let tree = try layerTree(around: snapshot.layer)
            let base = tree.chain(of: snapshot.layer).last ?? snapshot.layer
            for layer in tree.layers.keys { baseByLayer[layer] = base }
            groups[base] = (tree, [snapshot])
        }
        return groups
    }

    /// A pin with the name that people know it by.
    func named(_ pin: Pin) throws -> TreeNode.NamedPin? {
        switch pin {
        case .volume(let id):
            try findVolume(id).map {
                TreeNode.NamedPin(pin: pin, name: $0.name, environment: $0.environment, createdAt: $0.createdAt)
            }
        case .snapshot(let id):
            try findSnapshot(id).map {
                TreeNode.NamedPin(pin: pin, name: $0.name, environment: $0.environment, createdAt: $0.createdAt)
            }
        case .template(let id):
            try findTemplate(id).map {
                TreeNode.NamedPin(pin: pin, name: $0.name, environment: $0.environment, createdAt: $0.createdAt)
            }
        }
    }
}

extension DeletionPlan {
    /// The plan of another, unconnected tree on top.
    mutating func add(_ other: DeletionPlan) {
        unlinked += other.unlinked
        merges += other.merges
        kept += other.kept
        freedAtLeast += other.freedAtLeast
        freedAtMost += other.freedAtMost
        copied += other.copied
    }
}
