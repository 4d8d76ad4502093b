package import Foundation

/// A disk: one writable active layer, and all that stands below it.
package struct Volume: Hashable, Sendable, Codable, Identifiable {
    /// What the disk is to its instance.
    ///
    /// Stored.
    package enum Role: String, Sendable, Codable, CaseIterable {
        case root
        case data
    }

    /// A place in an instance.
    ///
    /// Slot 0 is the root disk.
    package struct Attachment: Hashable, Sendable, Codable {
        package var instance: InstanceID
        package var slot: Int

        package init(instance: InstanceID, slot: Int) {
            self.instance = instance
            self.slot = slot
        }
    }

    package let id: VolumeID
    package let environment: EnvironmentID
    package var name: ResourceName
    package var role: Role
    package var pool: PoolID
    package var size: ByteCount
    package var activeLayer: LayerID
    package var attachment: Attachment?
    package var state: ResourceState
    package var diskOffering: String?
    /// The template it was deployed from, as a fact of history: the template may be gone.
    package var template: TemplateID?
    package var createdAt: Date

    package init(
        id: VolumeID,
        environment: EnvironmentID,
        name: ResourceName,
        role: Role,
        pool: PoolID,
        size: ByteCount,
        activeLayer: LayerID,
        attachment: Attachment? = nil,
        state: ResourceState,
        diskOffering: String? = nil,
        template: TemplateID? = nil,
        createdAt: Date
    ) {
        self.id = id
        self.environment = environment
        self.name = name
        self.role = role
        self.pool = pool
        self.size = size
        self.activeLayer = activeLayer
        self.attachment = attachment
        self.state = state
        self.diskOffering = diskOffering
        self.template = template
        self.createdAt = createdAt
    }
}
