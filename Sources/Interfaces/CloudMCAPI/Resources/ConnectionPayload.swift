import Foundation
import SnapshotDomain

/// The service connection on the wire.
struct ConnectionPayload: Encodable, Sendable {
    let id: String
    let serviceCode: String
    let name: String
    let type = "CloudCA"
    let creationDate: String
    let status: StatusPayload
    let organization: OrganizationReferencePayload
    let metricsEnabled = false
    let brownfield = false
    let supportsQuotas = false
    let supportsPricingV2 = false
    let supportsPolicies = false
    let supportsUsage = false
    let supportsInfra = false
    let hasWidgets = false
    let lastUsageRecord = ""
    let quotas: [IdentityPayload] = []

    struct StatusPayload: Encodable, Sendable {
        let lastUpdated: String
        let reachable = true
    }

    init(_ configuration: CloudMCConfiguration) {
        id = configuration.connection
        serviceCode = configuration.serviceCode
        name = configuration.serviceName
        creationDate = UTCStamp.iso8601(configuration.createdAt)
        // The connection leads to this very program, which is reachable now: it answers.
        status = StatusPayload(lastUpdated: UTCStamp.iso8601(Date()))
        organization = OrganizationReferencePayload(configuration.organization)
    }
}

/// How else an environment can be reached.
struct APIInfoPayload: Encodable, Sendable {
    let canRegenerateCredentials = false
    let fields: [FieldPayload]

    struct FieldPayload: Encodable, Sendable {
        let key: String
        let value: String
        let sensitive: Bool
        let environmentSpecific = true
    }

    init(_ fields: [CloudMCConfiguration.APIField]) {
        self.fields = fields.map { FieldPayload(key: $0.key, value: $0.value, sensitive: $0.isSensitive) }
    }
}
