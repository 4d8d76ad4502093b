import SnapshotDomain
import SnapshotServices

/// Who the caller is, and the environments that they see.
enum AccountCommands {
    static let all: [Command] = [
        .list(
            "listAccounts",
            "Lists the caller's account: each user has one.",
            access: .anybody,
            [Parameter("id", .text, "The account's id."), .name, .keyword],
            of: Shapes.account
        ) { call in
            try call.answer([call.caller.principal.user].filter { call.matches($0) }, Shapes.account)
        },
        .list(
            "listUsers",
            "Lists the caller.",
            access: .anybody,
            [
                Parameter("id", .text, "The user's id."), .keyword,
                Parameter("username", .text, "The exact name."),
            ],
            of: Shapes.user
        ) { call in
            let name = call.arguments.text("username")
            return try call.answer(
                [call.caller.principal.user].filter { call.matches($0) && (name == nil || name == $0.name) },
                Shapes.user
            )
        },
        .list(
            "listDomains",
            "Lists the domain: there is one.",
            access: .anybody,
            [Parameter("id", .text, "The domain's id."), .name, .keyword],
            of: Shapes.domain
        ) { call in
            try call.answer(
                [Shapes.domainName].filter { call.matches(name: $0, id: WellKnown.domain) },
                Shapes.domain
            )
        },
        .list(
            "listProjects",
            "Lists the environments that the caller sees, which projectid can name.",
            access: .anybody,
            [Parameter("id", .text, "The environment's id."), .name, .keyword],
            of: Shapes.project
        ) { call in
            let environments = try await call.cloud.listEnvironments(call.caller)
                .filter { call.matches(name: $0.name.description, id: $0.id.description) }
            return try call.answer(environments, Shapes.project)
        },
    ]
}

extension Call {
    fileprivate func matches(_ user: User) -> Bool {
        matches(name: user.name, id: user.id.description)
    }
}
