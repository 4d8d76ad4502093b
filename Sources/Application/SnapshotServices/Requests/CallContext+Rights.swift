import SnapshotDomain

// The one place where rights are checked.
extension CallContext {
    /// Refuses a caller whose role in the environment lacks a right, and tells strangers nothing of it.
    func require(_ permission: Permission, in environment: EnvironmentID) throws(ServiceError) {
        guard let role = principal.role(in: environment) else {
            throw ServiceError(
                .notFound,
                "There is no such environment among those that you can see.",
                subject: .environment(environment)
            )
        }
        guard role >= permission.leastRole else {
            throw ServiceError(
                .notAllowed,
                """
                This needs the role \(permission.leastRole.rawValue), and yours in this environment is \(role.rawValue). \
                Ask an owner of the environment.
                """,
                subject: .environment(environment)
            )
        }
    }

    func requireOperator() throws(ServiceError) {
        guard principal.user.isOperator else {
            throw ServiceError(.notAllowed, "Only an operator of this service can do that.")
        }
    }

    /// Refuses everybody but the person it is about, and operators.
    func requireSelfOrOperator(_ user: UserID) throws(ServiceError) {
        guard principal.user.id == user || principal.user.isOperator else {
            throw ServiceError(.notAllowed, "Only its owner or an operator of this service can do that.")
        }
    }
}
