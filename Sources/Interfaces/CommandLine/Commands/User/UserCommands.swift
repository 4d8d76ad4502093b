import ArgumentParser

struct UserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user",
        abstract: "Who can sign in: list, create, disable, delete. For operators.",
        discussion: """
            A new user has no business anywhere: make them a member of an environment with 'instanta member set'. \
            Passwords are made up by the service and shown once.
            """,
        subcommands: [
            UserListCommand.self, UserShowCommand.self, UserCreateCommand.self, UserPasswordCommand.self,
            UserDisableCommand.self, UserEnableCommand.self, UserPromoteCommand.self, UserDemoteCommand.self,
            UserDeleteCommand.self,
        ]
    )
}

/// What a person needs who is let in: shown once.
private let entrance: [Field] = [.name, .text(.password, "password")]

struct UserListCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List who can sign in.",
        discussion: "Example: instanta user list",
        aliases: ["ls"]
    )

    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        try call.present(await call.list(.user), as: .user)
    }
}

struct UserShowCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show a user and their environments; without a name, yourself.",
        discussion: "Example: instanta user show"
    )

    @Argument(help: "The user, by name or id.", completion: .names(.user))
    var user: String?

    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        let id = try await call.userID(user)
        try call.present(await call.get(.user, id), as: .user)
    }
}

struct UserCreateCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Create a user; the password is shown once.",
        discussion: """
            With --operator they own every environment and the service itself.

            Example: instanta user create eva
            """
    )

    @Argument(help: "What they sign in with.")
    var name: String

    @Flag(help: "Make them an operator of the service.")
    var `operator` = false

    @OptionGroup var shared: SharedOptions

    func validate() throws { try shared.requireShown("password") }

    func perform(_ call: Call) async throws {
        let body: JSONValue = ["userName": .text(name), "isOperator": .bool(`operator`)]
        let made = try await call.client.change(.post, call.endpoint(.user), body).resource
        try call.present(made, fields: entrance)
        call.note("The password is not shown again.")
    }
}

struct UserPasswordCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "set-password",
        abstract: "Give a user a new password, which is shown once, and sign them out.",
        discussion: "Example: instanta user set-password eva"
    )

    @Argument(help: "The user, by name or id.", completion: .names(.user))
    var user: String

    @OptionGroup var confirmation: ConfirmationOptions
    @OptionGroup var shared: SharedOptions

    func validate() throws { try shared.requireShown("password") }

    func perform(_ call: Call) async throws {
        let target = try await call.target(user, .user)
        try await call.confirm(
            "Give \(PlainText.oneLine(user)) a new password and sign them out everywhere?",
            isConfirmed: confirmation.yes
        )
        let made = try await call.client.change(.post, call.operation("setPassword", on: .user, target.id)).resource
        try call.present(made, fields: entrance)
        call.note("The password is not shown again.")
    }
}

struct UserDisableCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "disable",
        abstract: "Shut users out, keys and open sessions included; roles and keys are kept.",
        discussion: "Example: instanta user disable eva"
    )

    @Argument(help: "Users, by name or id.", completion: .names(.user))
    var users: [String]

    @OptionGroup var confirmation: ConfirmationOptions
    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        try await call.confirm("Shut out \(Listing.of(users))?", isConfirmed: confirmation.yes)
        try await call.setUsers(users, "disable")
    }
}

struct UserEnableCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "enable",
        abstract: "Let users in again.",
        discussion: "Example: instanta user enable eva"
    )

    @Argument(help: "Users, by name or id.", completion: .names(.user))
    var users: [String]

    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        try await call.setUsers(users, "enable")
    }
}

struct UserPromoteCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "promote",
        abstract: "Make users operators, who own every environment and the service itself.",
        discussion: "Example: instanta user promote eva"
    )

    @Argument(help: "Users, by name or id.", completion: .names(.user))
    var users: [String]

    @OptionGroup var confirmation: ConfirmationOptions
    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        try await call.confirm("Make \(Listing.of(users)) an operator?", isConfirmed: confirmation.yes)
        try await call.setUsers(users, "promote")
    }
}

struct UserDemoteCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "demote",
        abstract: "Take back that users are operators; they keep their roles.",
        discussion: "Example: instanta user demote eva"
    )

    @Argument(help: "Users, by name or id.", completion: .names(.user))
    var users: [String]

    @OptionGroup var confirmation: ConfirmationOptions
    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        try await call.confirm("Take back that \(Listing.of(users)) is an operator?", isConfirmed: confirmation.yes)
        try await call.setUsers(users, "demote")
    }
}

struct UserDeleteCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete users with their roles, keys and sessions.",
        discussion: """
            What they made stays, and the activity log keeps their names.

            Example: instanta user delete eva
            """,
        aliases: ["rm"]
    )

    @Argument(help: "Users, by name or id.", completion: .names(.user))
    var users: [String]

    @OptionGroup var confirmation: ConfirmationOptions
    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        try await call.confirm("Delete \(Listing.of(users))?", isConfirmed: confirmation.yes)
        try await call.deleteEach(users, .user, waits: true)
    }
}

extension Call {
    /// The id of a user by name or id; nil is the caller.
    ///
    /// Only operators see others than themselves.
    func userID(_ reference: String?) async throws -> String {
        guard let reference else { return "me" }
        return try await target(reference, .user).id
    }

    fileprivate func setUsers(_ users: [String], _ name: String) async throws {
        try await changeEach(users, .user, label: { "Changing \($0)" }, waits: true) { target in
            try await client.change(.post, operation(name, on: .user, target.id))
        } finish: { changed in
            try present(changed: changed.map(\.result), as: .user, isList: users.count > 1)
        }
    }
}

extension SharedOptions {
    /// With ids only, what is shown once would be lost.
    func requireShown(_ secret: String) throws {
        guard !quiet else { throw ValidationError("With --quiet the \(secret) would be lost: leave it out.") }
    }
}
