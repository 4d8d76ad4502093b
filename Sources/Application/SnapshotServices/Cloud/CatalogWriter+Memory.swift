import SnapshotDomain
import SnapshotPorts

/// What requests about a machine's memory mean in one state of the catalog.
extension CatalogWriter {
    /// What a snapshot request saves as memory; nil when it does not ask for it.
    func memoryToSave(
        _ request: TakeSnapshotRequest,
        as group: SnapshotGroupID?,
        _ instance: Instance?,
        _ volumes: [Volume]
    ) throws -> MemoryToSave? {
        guard request.consistency.mode == .memory else { return nil }
        guard let group, let instance else {
            throw ServiceError(
                .invalidInput,
                "Memory is saved together with all volumes of an instance: take the snapshot of the instance.",
                subject: .field("consistency")
            )
        }
        guard instance.power == .running else {
            throw ServiceError(
                .wrongState,
                "The instance '\(instance.name)' is off and has no memory to save. Start it, or take the snapshot without memory.",
                subject: .instance(instance.id),
                currentState: instance.power.rawValue
            )
        }
        return MemoryToSave(group: group, shape: MachineShape(of: instance, volumes))
    }

    /// The memory that a revert goes on from; nil when the group has none.
    ///
    /// - Throws: `wrongState` when the machine is not what it was, or the group is not whole any more.
    func memory(of target: RevertTarget, covering volumes: [VolumeID]) throws -> MemoryImage? {
        guard case .group(let group, let id) = target, let image = try findMemoryImage(group), image.instance == id,
            let instance = try findInstance(id)
        else { return nil }
        func refuse(_ reason: String) -> ServiceError {
            ServiceError(
                .wrongState,
                "The memory of this group cannot be used: \(reason). Revert without the memory.",
                subject: .instance(id)
            )
        }
        if let damage = image.damage { throw ServiceError(.damaged, damage, subject: .instance(id)) }
        let present = MachineShape(of: instance, try self.volumes(of: id))
        if let difference = image.shape.difference(from: present) {
            throw refuse("the instance '\(instance.name)' \(difference)")
        }
        guard Set(volumes) == Set(image.shape.disks.values) else {
            throw refuse("a snapshot of the group was deleted")
        }
        return image
    }
}
