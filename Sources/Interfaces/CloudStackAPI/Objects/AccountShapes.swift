import SnapshotDomain

extension Shapes {
    /// A user's account.
    ///
    /// The two are one here, and have one id.
    static let account = Shape<User>(
        "account",
        [
            .text("id", "The id.") { $0.id.description },
            .text("name", "The name.") { $0.name },
            .integer("accounttype", "1 for operators, 0 for others.") { $0.isOperator ? 1 : 0 },
            .text("roletype", "Admin or User.") { $0.isOperator ? "Admin" : "User" },
            .text("rolename", "What operators may do, or what users may.") { $0.isOperator ? "Root Admin" : "User" },
            .always("state", "The state.", "enabled"),
            .instant("created", "When it was made.") { $0.createdAt },
            .always("domainid", "The domain's id.", WellKnown.domain),
            .always("domain", "The domain's name.", domainName),
            .list("user", "Its one user.") { [user.json($0)] },
        ]
    )

    static let user = Shape<User>(
        "user",
        [
            .text("id", "The id.") { $0.id.description },
            .text("username", "The name.") { $0.name },
            .text("firstname", "The name.") { $0.name },
            .always("lastname", "Nothing.", ""),
            .always("email", "Nothing.", ""),
            .text("account", "The account's name.") { $0.name },
            .text("accountid", "The account's id.") { $0.id.description },
            .integer("accounttype", "1 for operators, 0 for others.") { $0.isOperator ? 1 : 0 },
            .text("roletype", "Admin or User.") { $0.isOperator ? "Admin" : "User" },
            .always("state", "The state.", "enabled"),
            .instant("created", "When it was made.") { $0.createdAt },
            .always("domainid", "The domain's id.", WellKnown.domain),
            .always("domain", "The domain's name.", domainName),
        ]
    )

    /// From its name.
    static let domain = Shape<String>(
        "domain",
        [
            .always("id", "The id.", WellKnown.domain),
            .text("name", "The name.") { $0 },
            .text("path", "The path.") { $0 },
            .integer("level", "How deep it is.") { _ in 0 },
            .always("haschild", "Whether there are others below.", false),
            .always("state", "The state.", "Active"),
        ]
    )

    static let project = Shape<Environment>(
        "project",
        [
            .text("id", "The id.") { $0.id.description },
            .text("name", "The name.") { $0.name.description },
            .text("displaytext", "The description.") { $0.description.isEmpty ? $0.name.description : $0.description },
            .always("state", "The state.", "Active"),
            .instant("created", "When it was made.") { $0.createdAt },
            .always("domainid", "The domain's id.", WellKnown.domain),
            .always("domain", "The domain's name.", domainName),
            .list("tags", "Always empty.") { _ in [] },
        ]
    )
}
