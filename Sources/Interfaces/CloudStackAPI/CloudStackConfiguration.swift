import Foundation
package import SnapshotDomain
package import SnapshotServices

/// What the API says about the service around its resources, and the parts that the composition root lends it.
package struct CloudStackConfiguration: Sendable {
    /// Finds whose key it is; nil for a key that nobody has, or whose user may not come in.
    package typealias KeyFinder =
        @Sendable (_ apiKey: String, _ address: String?) async throws(ServiceError) -> KeyPair?

    /// A key pair with its owner.
    package struct KeyPair: Sendable {
        package var principal: Principal
        /// What requests are signed with.
        package var secret: String
        /// Where commands act that say no other environment.
        package var environment: EnvironmentID?
        /// Told when a signature was right.
        package var noteUse: @Sendable () async -> Void

        package init(
            principal: Principal,
            secret: String,
            environment: EnvironmentID?,
            noteUse: @escaping @Sendable () async -> Void = {}
        ) {
            self.principal = principal
            self.secret = secret
            self.environment = environment
            self.noteUse = noteUse
        }
    }

    package var findKey: KeyFinder
    /// Nil when accounts are administered elsewhere.
    package var accounts: Accounts?
    package var rateLimit: RateLimit
    package var zoneName: String
    /// How long a command waits that answers without a job and yet takes a moment.
    package var patience: Duration

    package init(findKey: @escaping KeyFinder, accounts: Accounts? = nil) {
        self.findKey = findKey
        self.accounts = accounts
        rateLimit = RateLimit()
        zoneName = "Local"
        patience = .seconds(60)
    }

    /// The version of the protocol that is spoken, as clients compare it.
    static let protocolVersion = "4.19.0.0"
}

/// The ids of things that are the same in every installation: clients store them.
enum WellKnown {
    static let zone = id(.zone, 1)
    static let domain = id(.domain, 1)
    static let network = id(.network, 1)
    static let guestOSCategory = id(.category, 1)

    /// Of the things that a table of the program numbers: its entries keep their place.
    enum Family: UInt8 {
        case zone = 1
        case domain
        case network
        case category
        case computeOffering
        case diskOffering
        case osType
    }

    static func id(_ family: Family, _ number: UInt8) -> String {
        UUID(uuid: (0x1A, 0x57, 0xA1, 0x7A, 0, 0, 0x80, 0, 0x80, 1, 0, 0, 0, 0, family.rawValue, number))
            .uuidString.lowercased()
    }
}

/// What can be chosen from a table of the program, under the ids of this protocol.
struct Choice<Value: Sendable>: Sendable {
    let id: String
    let value: Value

    /// The values with ids by their place.
    ///
    /// Tables grow at their end.
    static func all(_ values: [Value], _ family: WellKnown.Family) -> [Choice] {
        values.enumerated().map { index, value in
            Choice(id: WellKnown.id(family, UInt8(truncatingIfNeeded: index + 1)), value: value)
        }
    }
}

enum Choices {
    static let computeOfferings = Choice.all(ComputeOffering.all, .computeOffering)
    static let diskOfferings = Choice.all(DiskOffering.all, .diskOffering)
    static let osTypes = Choice.all(OSType.all, .osType)

    static func has(_ id: String, _ entity: Entity) -> Bool {
        let id = id.lowercased()
        return switch entity {
        case .zone: id == WellKnown.zone
        case .computeOffering: computeOfferings.contains { $0.id == id }
        case .diskOffering: diskOfferings.contains { $0.id == id }
        case .osType: osTypes.contains { $0.id == id }
        case .volume, .snapshot, .template, .instance, .instanceSnapshot, .job: false
        }
    }
}

extension [Choice<ComputeOffering>] {
    func find(_ id: String?) -> ComputeOffering? { first { $0.id == id?.lowercased() }?.value }
    func id(of name: String) -> String? { first { $0.value.id == name }?.id }
}

extension [Choice<DiskOffering>] {
    func find(_ id: String?) -> DiskOffering? { first { $0.id == id?.lowercased() }?.value }
    func id(of name: String?) -> String? { first { $0.value.id == name }?.id }
}

extension [Choice<OSType>] {
    func find(_ id: String?) -> OSType? { first { $0.id == id?.lowercased() }?.value }
    func id(of name: String) -> String? { first { $0.value.id == name }?.id }
}
