import Foundation
import SnapshotDomain
import Testing

@Suite("Access")
struct AccessTests {
    /// Who may do what, written out.
    static let table: [(Permission, [Role])] = [
        (.read, [.viewer, .editor, .owner]),
        (.create, [.editor, .owner]),
        (.change, [.editor, .owner]),
        (.revert, [.editor, .owner]),
        (.administer, [.owner]),
    ]

    private let environment = EnvironmentID.random()

    private func principal(_ roles: [EnvironmentID: Role], isOperator: Bool = false) -> Principal {
        let user = User(id: .random(), name: "ada", isOperator: isOperator, createdAt: Date(timeIntervalSince1970: 0))
        return Principal(user: user, roles: roles, address: "192.0.2.7")
    }

    @Test("every permission in every role is as the table says")
    func roles() {
        #expect(Self.table.map(\.0) == Permission.allCases)
        for (permission, allowed) in Self.table {
            for role in Role.allCases {
                #expect(principal([environment: role]).may(permission, in: environment) == allowed.contains(role))
            }
        }
    }

    @Test("a role counts in its own environment only, and none allows nothing")
    func environments() {
        for permission in Permission.allCases {
            #expect(!principal([environment: .owner]).may(permission, in: .random()))
            #expect(!principal([:]).may(permission, in: environment))
        }
    }

    @Test("operators, and the service itself, own every environment")
    func operators() {
        for permission in Permission.allCases {
            #expect(principal([:], isOperator: true).may(permission, in: environment))
            #expect(principal([environment: .viewer], isOperator: true).may(permission, in: environment))
            #expect(Principal.service.may(permission, in: environment))
        }
    }

    @Test("more power never allows less")
    func order() {
        #expect(Role.allCases.sorted() == [.viewer, .editor, .owner])
        for permission in Permission.allCases {
            let allowed = Role.allCases.sorted().map { principal([environment: $0]).may(permission, in: environment) }
            #expect(allowed.firstIndex(of: true).map { allowed[$0...].allSatisfy(\.self) } == true)
        }
    }
}
