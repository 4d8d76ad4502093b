import SnapshotDomain
import SnapshotServices

/// Whose page it is: the visitor's own profile, or somebody else's for an operator.
struct Person: Sendable {
    let view: UserView
    /// Where the person's pages begin.
    let root: String
    let isVisitor: Bool

    var user: User { view.user }

    /// Where the API has the person, below its root.
    var call: String { isVisitor ? "/users/me" : "/users/\(user.id)" }
}

extension Visit {
    var accounts: Accounts { console.accounts }

    /// Whether the visitor runs the service itself.
    var isOperator: Bool { session.principal.user.isOperator }

    func visitor() async throws(ServiceError) -> Person {
        let own = session.principal.user.id
        return Person(view: try await accounts.user(own, caller), root: "/profile", isVisitor: true)
    }

    /// The person that a part of the path names.
    ///
    /// For operators: one's own page is another, where the password is changed with the present one.
    func person(_ part: String) async throws(ServiceError) -> Person {
        try requireOperator()
        let id: UserID = try self.id(part, of: "users")
        return Person(view: try await accounts.user(id, caller), root: "/users/\(id)", isVisitor: false)
    }

    /// For pages that would only lead to a refusal.
    func requireOperator() throws(ServiceError) {
        guard isOperator else {
            throw ServiceError(.notAllowed, "Only an operator of this service can do that.")
        }
    }
}
