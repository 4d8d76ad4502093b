package import Foundation
package import SnapshotDomain

/// What the API says about the service around its resources, and the parts that the composition root lends it.
package struct CloudMCConfiguration: Sendable {
    /// One of the values that `apiInfo` hands out.
    package struct APIField: Sendable {
        package var key: String
        package var value: String
        package var isSensitive: Bool

        package init(key: String, value: String, isSensitive: Bool) {
            self.key = key
            self.value = value
            self.isSensitive = isSensitive
        }
    }

    /// The one organization that owns everything.
    package struct Organization: Sendable {
        package var id: UUID
        package var name: String
        package var entryPoint: String
    }

    /// What stands in paths: `/services/<code>/…`.
    package var serviceCode: String
    package var serviceName: String
    package var connectionID: UUID
    package var organization: Organization
    package var zoneID: String
    package var zoneName: String
    /// When this service first started, as far as it is known.
    package var createdAt: Date
    /// What `apiInfo` shows a caller about an environment: never another user's secrets.
    package var apiFields: @Sendable (Principal, EnvironmentID) async throws(ServiceError) -> [APIField]
    package var largestUpload: ByteCount
    /// How long a change is waited for, so that what takes milliseconds is answered as done.
    package var patience: Duration
    /// The most that a caller can ask to wait.
    package var longestWait: Duration

    package init(
        serviceCode: String = "compute",
        serviceName: String = "Compute",
        createdAt: Date = Date(),
        apiFields: @escaping @Sendable (Principal, EnvironmentID) async throws(ServiceError) -> [APIField] = { _, _ in
            []
        }
    ) {
        self.serviceCode = serviceCode
        self.serviceName = serviceName
        self.createdAt = createdAt
        self.apiFields = apiFields
        connectionID = Self.wellKnown(1)
        organization = Organization(id: Self.wellKnown(2), name: "Instanta", entryPoint: "instanta")
        zoneID = "zone-1"
        zoneName = "Local"
        largestUpload = .gibibytes(4 * 1_024)
        patience = .milliseconds(50)
        longestWait = .seconds(60)
    }

    /// The same in every installation: there is one organization and one connection, and clients store their ids.
    private static func wellKnown(_ number: UInt8) -> UUID {
        UUID(uuid: (0x1A, 0x57, 0xA1, 0x7A, 0, 0, 0x80, 0, 0x80, 0, 0, 0, 0, 0, 0, number))
    }
}
