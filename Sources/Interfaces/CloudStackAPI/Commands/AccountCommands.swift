import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// Who may come in, and the environments that they see.
///
/// A user and their account are one, and have one id.
enum AccountCommands {
    static let all: [Command] = [
        listAccounts, listUsers, listDomains, listProjects, createAccount, deleteAccount, registerKeys, getKeys,
    ]

    private static let listAccounts = Command.list(
        "listAccounts",
        "Lists accounts: every one for operators, else the caller's own.",
        access: .anybody,
        [Parameter("id", .text, "The account's id."), .name, .keyword],
        of: Shapes.account
    ) { call in
        try call.answer(
            try await call.users().filter { call.matches(name: $0.name, id: $0.id.description) },
            Shapes.account
        )
    }

    private static let listUsers = Command.list(
        "listUsers",
        "Lists users: every one for operators, else the caller.",
        access: .anybody,
        [
            Parameter("id", .text, "The user's id."), .keyword, Parameter("username", .text, "The exact name."),
            Parameter("account", .text, "The account's name."),
        ],
        of: Shapes.user
    ) { call in
        let names = ["username", "account"].compactMap { call.arguments.text($0) }
        return try call.answer(
            try await call.users().filter { user in
                call.matches(name: user.name, id: user.id.description) && names.allSatisfy { $0 == user.name }
            },
            Shapes.user
        )
    }

    private static let listDomains = Command.list(
        "listDomains",
        "Lists the domain: there is one.",
        access: .anybody,
        [Parameter("id", .text, "The domain's id."), .name, .keyword],
        of: Shapes.domain
    ) { call in
        try call.answer([Shapes.domainName].filter { call.matches(name: $0, id: WellKnown.domain) }, Shapes.domain)
    }

    private static let listProjects = Command.list(
        "listProjects",
        "Lists the environments that the caller sees, which projectid can name.",
        access: .anybody,
        [Parameter("id", .text, "The environment's id."), .name, .keyword],
        of: Shapes.project
    ) { call in
        let environments = try await call.cloud.listEnvironments(call.caller)
            .filter { call.matches(name: $0.name.description, id: $0.id.description) }
        return try call.answer(environments, Shapes.project)
    }

    private static let createAccount = Command(
        name: "createAccount",
        summary: "Makes a user, and an environment of the same name that they own.",
        kind: .synchronous,
        access: .operators,
        parameters: [
            Parameter("username", .text, "What they sign in with.").required,
            Parameter("password", .text, "Their password.").required,
            Parameter("account", .text, "The environment's name; left out, the user's."),
            Parameter("accounttype", .integer, "1 for an operator, else a user."),
            Parameter("email", .text, "Read and not kept."), Parameter("firstname", .text, "Read and not kept."),
            Parameter("lastname", .text, "Read and not kept."),
        ],
        result: ResultDescription(Shapes.account),
        deviations: ["The account has the user's name; account names the environment that is made with it."],
        handler: { call in
            let accounts = try call.accounts
            let name = try UserName(call.arguments.text("username") ?? "")
            let password = try NewPassword(call.arguments.text("password") ?? "")
            let place = try EnvironmentName((call.arguments.text("account") ?? name.description).lowercased())
            let user = try await accounts.createUser(
                name,
                password: password,
                isOperator: call.arguments.integer("accounttype") == 1,
                call.caller
            ).user
            do {
                let environment = try await call.cloud.createEnvironment(
                    name: place,
                    description: "The environment of \(name).",
                    call.caller
                )
                _ = try await accounts.setRole(.owner, of: user.id, in: environment.id, call.caller)
            } catch {
                // No half of it is left.
                try await accounts.deleteUser(user.id, call.caller)
                throw error
            }
            return .object(Shapes.account.json(user), named: Shapes.account.name)
        }
    )

    private static let deleteAccount = Command(
        name: "deleteAccount",
        summary: "Forgets a user with their keys; environments stay.",
        kind: .asynchronous,
        access: .operators,
        parameters: [Parameter("id", .text, "The account's id.").required],
        result: .success,
        deviations: ["Environments stay, with all that is in them: they may have other members."],
        handler: { call in
            let user = try await call.user("id")
            try await call.accounts.deleteUser(user.id, call.caller)
            return .job(try await call.receipt("users.delete", user.id.description, in: .some(nil)).job)
        }
    )

    private static let registerKeys = Command(
        name: "registerUserKeys",
        summary: "Makes a key pair for a user, in an environment of theirs; older pairs stay.",
        kind: .synchronous,
        access: .anybody,
        parameters: [
            Parameter("id", .text, "The user's id.").required,
            Parameter("projectid", .text, "The environment; left out, the one of the user's name, or their first."),
        ],
        result: ResultDescription(Shapes.keys),
        deviations: [
            "A pair acts in one environment; operators' pairs act in it unless projectid says another.",
            "Older pairs stay until they are deleted in the console.",
        ],
        handler: { call in
            let user = try await call.user("id")
            let made = try await call.accounts.createKey(
                for: .query(try await call.environment(of: user)),
                of: user.id,
                call.caller
            )
            return .object(Shapes.keys.json(made), named: Shapes.keys.name)
        }
    )
}

extension AccountCommands {
    fileprivate static let getKeys = Command(
        name: "getUserKeys",
        summary: "Tells a user's newest key pair.",
        kind: .synchronous,
        access: .anybody,
        parameters: [Parameter("id", .text, "The user's id.").required],
        result: ResultDescription(Shapes.keys),
        deviations: [
            "Users are told the pair of the environment where they act; pairs of the first versions are not told."
        ],
        handler: { call in
            let user = try await call.user("id")
            // A pair acts in one environment, so it may not hand out that of another one.
            let place = call.caller.principal.user.isOperator ? nil : try call.environment
            let known = try await call.accounts.knownQueryKey(in: place, of: user.id, call.caller)
            return .object(known.map(Shapes.keys.json) ?? .object([:]), named: Shapes.keys.name)
        }
    )
}

extension Call {
    var accounts: Accounts {
        get throws(APIFailure) {
            guard let accounts = configuration.accounts else {
                throw APIFailure(.unsupportedCommand, "This service does not administer accounts.")
            }
            return accounts
        }
    }

    /// Everybody for operators, and the caller for the caller.
    fileprivate func users() async throws -> [User] {
        guard caller.principal.user.isOperator, let accounts = configuration.accounts else {
            return [caller.principal.user]
        }
        return try await accounts.listUsers(caller).map(\.user)
    }

    /// Somebody whom the caller may know of.
    fileprivate func user(_ parameter: String) async throws -> User {
        let text = arguments.text(parameter) ?? ""
        guard let user = try await users().first(where: { $0.id.description == text.lowercased() }) else {
            throw PlaceFinder.unknown(text, parameter, command)
        }
        return user
    }

    /// Where a key of somebody acts.
    fileprivate func environment(of user: User) async throws -> EnvironmentID {
        if case .environment(let environment, isProject: true) = place { return environment.id }
        let roles = try await accounts.user(user.id, caller).roles
        let own = roles.first { $0.environment.name.description == user.name.lowercased() } ?? roles.first
        guard let own else {
            if user.isOperator, case .environment(let environment, _) = place { return environment.id }
            throw refuse("the user is in no environment; make them a member of one first, or give projectid.")
        }
        return own.environment.id
    }
}

extension Shapes {
    static let keys = Shape<NewKey>(
        "userkeys",
        [
            .text("apikey", "The key.") { $0.key },
            .text("secretkey", "The secret that requests are signed with.") { $0.secret },
        ]
    )
}
