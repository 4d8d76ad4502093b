/// One resource of any kind, as what is said about resources of all kinds names it.
package enum ResourceReference: Hashable, Sendable {
    case volume(VolumeID)
    case snapshot(SnapshotID)
    /// All snapshots of one instant.
    case snapshotGroup(SnapshotGroupID)
    case template(TemplateID)
    case instance(InstanceID)

    /// Stored, append-only.
    package enum Kind: String, Sendable, Codable, CaseIterable {
        case volume
        case snapshot
        case snapshotGroup = "snapshot_group"
        case template
        case instance
    }

    package var kind: Kind {
        switch self {
        case .volume: .volume
        case .snapshot: .snapshot
        case .snapshotGroup: .snapshotGroup
        case .template: .template
        case .instance: .instance
        }
    }

    /// The identity, whatever it identifies.
    package var id: Identifier<ResourceReference> {
        switch self {
        case .volume(let id): Identifier(id.uuid)
        case .snapshot(let id): Identifier(id.uuid)
        case .snapshotGroup(let id): Identifier(id.uuid)
        case .template(let id): Identifier(id.uuid)
        case .instance(let id): Identifier(id.uuid)
        }
    }

    package init(_ kind: Kind, _ id: Identifier<ResourceReference>) {
        self =
            switch kind {
            case .volume: .volume(Identifier(id.uuid))
            case .snapshot: .snapshot(Identifier(id.uuid))
            case .snapshotGroup: .snapshotGroup(Identifier(id.uuid))
            case .template: .template(Identifier(id.uuid))
            case .instance: .instance(Identifier(id.uuid))
            }
    }
}
