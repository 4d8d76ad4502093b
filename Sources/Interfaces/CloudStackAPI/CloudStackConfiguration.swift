import Crypto
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
    /// How long what was destroyed can be recovered, for those who ask.
    package var destroyedLifetime: Duration
    /// How long a command waits that answers without a job and yet takes a moment.
    package var patience: Duration

    package init(findKey: @escaping KeyFinder, accounts: Accounts? = nil) {
        self.findKey = findKey
        self.accounts = accounts
        rateLimit = RateLimit()
        zoneName = "Local"
        destroyedLifetime = .seconds(86_400)
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
    static let pod = id(.pod, 1)
    static let cluster = id(.cluster, 1)
    static let host = id(.host, 1)

    /// A pool's, made from its name.
    static func id(of pool: PoolID) -> String {
        var bytes = Array(SHA256.hash(data: Data("pool \(pool)".utf8)).prefix(16))
        bytes[6] = bytes[6] & 0x0F | 0x80
        bytes[8] = bytes[8] & 0x3F | 0x80
        var uuid: uuid_t = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        withUnsafeMutableBytes(of: &uuid) { $0.copyBytes(from: bytes) }
        return UUID(uuid: uuid).uuidString.lowercased()
    }

    /// Of the things that a table of the program numbers: its entries keep their place.
    enum Family: UInt8 {
        case zone = 1
        case domain
        case network
        case category
        case computeOffering
        case diskOffering
        case osType
        case pod
        case cluster
        case host
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
    static let osTypes = Choice.all(OSType.all, .osType)
}

extension [Choice<OSType>] {
    func find(_ id: String?) -> OSType? { first { $0.id == id?.lowercased() }?.value }
    func id(of name: String) -> String? { first { $0.value.id == name }?.id }
}

extension ComputeOffering {
    /// The id under which this protocol knows an offering: those of every installation have numbers, others the id that they have.
    static func wireID(of id: String) -> String {
        builtIn.firstIndex { $0.id == id }.map { WellKnown.id(.computeOffering, UInt8($0 + 1)) } ?? id
    }

    var wireID: String { Self.wireID(of: id) }
}

extension DiskOffering {
    static func wireID(of id: String) -> String {
        builtIn.firstIndex { $0.id == id }.map { WellKnown.id(.diskOffering, UInt8($0 + 1)) } ?? id
    }

    var wireID: String { Self.wireID(of: id) }
}
