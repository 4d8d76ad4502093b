import ArgumentParser

struct KeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key",
        abstract: "Keys for programs: list, create, delete.",
        discussion: """
            A key may all that its user may. One of kind 'rest' is for this program and CloudMC's API, one of kind \
            'query' for CloudStack's API in one environment. Operators see everybody's with --user.
            """,
        subcommands: [KeyListCommand.self, KeyCreateCommand.self, KeyDeleteCommand.self]
    )
}

/// Which API a key opens.
enum KeyKind: String, CaseIterable, ExpressibleByArgument, Sendable {
    case rest, query
}

struct KeyOwnerOptions: ParsableArguments {
    @Option(help: "Whose, by name or id. (default: you)", completion: .names(.user))
    var user: String?
}

/// How keys are shown.
enum KeyLayout {
    static let list: [Field] = [
        .text(.name, "label"), .text(.kind, "kind"), .text(.environment, "environmentName"),
        Field(title: .key) { key, _ in key["hint"].string.map { Table.Cell("…\($0)") } },
        .instant(.created, "creationDate"), .instant(.lastUsed, "lastUsed", fit: .yields(rank: 2)),
        // Names are for people only, and may be missing: the id is what deletes a key.
        Field(title: .id) { key, _ in Table.Cell(key["id"].string) },
    ]
    /// What a program is given, once.
    static let made: [Field] = [
        .text(.name, "label"), .text(.kind, "kind"), .text(.environment, "environmentName"), .text(.key, "key"),
        .text(.secret, "secret"), .id,
    ]
}

struct KeyListCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List your keys, oldest first.",
        discussion: "Example: instanta key list",
        aliases: ["ls"]
    )

    @OptionGroup var owner: KeyOwnerOptions
    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        try call.present(await call.client.list(call.keys(of: owner.user)), fields: KeyLayout.list)
    }
}

struct KeyCreateCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Create a key, which is shown once.",
        discussion: """
            Example: instanta key create --label backup-script
            Example: instanta key create --kind query --environment lab
            """
    )

    @Option(help: "Which API it opens: rest or query.")
    var kind = KeyKind.rest

    @Option(help: "What you call it.")
    var label: String?

    @OptionGroup var owner: KeyOwnerOptions
    @OptionGroup var shared: SharedOptions

    func validate() throws { try shared.requireShown("key") }

    func perform(_ call: Call) async throws {
        let environment: JSONValue? = kind == .query ? ["id": .text(try await call.environmentName())] : nil
        let body = JSONValue.object(present: [
            "kind": .text(kind.rawValue), "label": label.map(JSONValue.text), "environment": environment,
        ])
        let made = try await call.client.change(.post, call.keys(of: owner.user), body).resource
        try call.present(made, fields: KeyLayout.made)
        call.note("The key is not shown again.")
    }
}

struct KeyDeleteCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete a key; what uses it is shut out at once.",
        discussion: "Example: instanta key delete 5f0c2a9e-…",
        aliases: ["rm"]
    )

    @Argument(help: "The key's id.")
    var key: String

    @OptionGroup var owner: KeyOwnerOptions
    @OptionGroup var confirmation: ConfirmationOptions
    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        try await call.confirm(
            "Delete key \(PlainText.oneLine(key))? What uses it is shut out at once.",
            isConfirmed: confirmation.yes
        )
        _ = try await call.client.change(.delete, call.keys(of: owner.user, key))
        try call.write(["id": .text(key)]) {
            call.note("Deleted key \(key).")
            return ""
        }
    }
}

extension Call {
    /// Somebody's keys, or one of them.
    fileprivate func keys(of user: String?, _ rest: String...) async throws -> APIClient.Endpoint {
        .init(path: ["users", try await userID(user), "keys"] + rest)
    }
}
