package import Foundation

/// A golden image: a frozen content with what is needed to deploy instances from it.
package struct Template: Hashable, Sendable, Codable, Identifiable {
    package let id: TemplateID
    package let environment: EnvironmentID
    package var name: ResourceName
    package var description: String
    package var pool: PoolID
    package var layer: LayerID
    package var size: ByteCount
    package var options: TemplateOptions
    package var state: ResourceState
    package var createdAt: Date

    package init(
        id: TemplateID,
        environment: EnvironmentID,
        name: ResourceName,
        description: String,
        pool: PoolID,
        layer: LayerID,
        size: ByteCount,
        options: TemplateOptions,
        state: ResourceState,
        createdAt: Date
    ) {
        self.id = id
        self.environment = environment
        self.name = name
        self.description = description
        self.pool = pool
        self.layer = layer
        self.size = size
        self.options = options
        self.state = state
        self.createdAt = createdAt
    }
}

/// The content of a template in another pool than its own, where something was deployed from it.
package struct TemplateCopy: Hashable, Sendable {
    package let template: TemplateID
    package let pool: PoolID
    package let layer: LayerID

    package init(template: TemplateID, pool: PoolID, layer: LayerID) {
        self.template = template
        self.pool = pool
        self.layer = layer
    }
}

/// What a template says about the system on it.
package struct TemplateOptions: Hashable, Sendable, Codable {
    /// One of ``OSType/all``.
    package var osType: String
    package var isSSHKeyEnabled: Bool
    package var isPasswordEnabled: Bool
    package var isDynamicallyScalable: Bool
    /// Every environment may deploy from it.
    package var isPublic: Bool

    package init(
        osType: String = OSType.otherLinux.id,
        isSSHKeyEnabled: Bool = false,
        isPasswordEnabled: Bool = false,
        isDynamicallyScalable: Bool = false,
        isPublic: Bool = false
    ) {
        self.osType = osType
        self.isSSHKeyEnabled = isSSHKeyEnabled
        self.isPasswordEnabled = isPasswordEnabled
        self.isDynamicallyScalable = isDynamicallyScalable
        self.isPublic = isPublic
    }
}

/// The kind of operating system, as templates name it.
package struct OSType: Hashable, Sendable {
    package let id: String
    package let name: String

    package static let otherLinux = OSType(id: "other-linux-64", name: "Other Linux (64-bit)")

    package static let all: [OSType] = [
        otherLinux,
        OSType(id: "debian-12", name: "Debian GNU/Linux 12 (64-bit)"),
        OSType(id: "ubuntu-24.04", name: "Ubuntu 24.04 LTS (64-bit)"),
        OSType(id: "rhel-9", name: "Red Hat Enterprise Linux 9 (64-bit)"),
        OSType(id: "windows-server-2022", name: "Windows Server 2022 (64-bit)"),
        OSType(id: "other-64", name: "Other (64-bit)"),
    ]
}
