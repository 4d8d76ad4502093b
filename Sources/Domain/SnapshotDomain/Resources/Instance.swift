package import Foundation

/// A virtual machine with a root volume and any number of data volumes.
package struct Instance: Hashable, Sendable, Codable, Identifiable {
    package let id: InstanceID
    package let environment: EnvironmentID
    package var name: ResourceName
    package var computeOffering: String
    package var cpuCount: Int
    package var memory: ByteCount
    package var network: NetworkMode
    /// What the owner wants: the reconciler tells when the machine does otherwise.
    package var power: Power
    package var template: TemplateID?
    package var state: ResourceState
    package var createdAt: Date

    /// Stored.
    package enum Power: String, Sendable, Codable, CaseIterable {
        case running
        case stopped
    }

    package init(
        id: InstanceID,
        environment: EnvironmentID,
        name: ResourceName,
        computeOffering: String,
        cpuCount: Int,
        memory: ByteCount,
        network: NetworkMode,
        power: Power,
        template: TemplateID?,
        state: ResourceState,
        createdAt: Date
    ) {
        self.id = id
        self.environment = environment
        self.name = name
        self.computeOffering = computeOffering
        self.cpuCount = cpuCount
        self.memory = memory
        self.network = network
        self.power = power
        self.template = template
        self.state = state
        self.createdAt = createdAt
    }

    /// A hardware address that is the same after every start: locally administered, from the identity.
    package var macAddress: String {
        let bytes = id.uuid.uuid
        return [0x52, 0x54, bytes.12, bytes.13, bytes.14, bytes.15]
            .map { byte in
                let digits = String(byte, radix: 16)
                return digits.count == 1 ? "0\(digits)" : digits
            }
            .joined(separator: ":")
    }
}

/// Which network a machine sees.
///
/// Stored.
package enum NetworkMode: String, Sendable, Codable, CaseIterable {
    /// None at all: the default of a clone into another environment.
    case isolated
    /// Out through the host's user-mode network, in through one forwarded SSH port on loopback.
    case user
}
