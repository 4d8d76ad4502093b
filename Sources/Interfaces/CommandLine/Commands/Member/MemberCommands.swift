import ArgumentParser

struct MemberCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "member",
        abstract: "Who has business in the environment: list, set a role, remove.",
        discussion: """
            A viewer sees everything, an editor takes snapshots and changes what there is, an owner also reverts, and \
            decides who is a member.
            """,
        subcommands: [MemberListCommand.self, MemberSetCommand.self, MemberRemoveCommand.self]
    )
}

/// What members of an environment may do.
enum MemberRole: String, CaseIterable, ExpressibleByArgument, Sendable {
    case viewer, editor, owner
}

/// How members are shown.
enum MemberLayout {
    static let list: [Field] = [
        Field(title: .user) { member, _ in Table.Cell(name(member)) },
        Field(title: .role) { member, _ in member["role"]["name"].string.map { Table.Cell($0) } },
        .id,
    ]

    static func name(_ member: JSONValue) -> String? { member["user"]["userName"].string }
}

struct MemberListCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the members of the environment.",
        discussion: "Example: instanta member list",
        aliases: ["ls"]
    )

    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        try call.present(await call.client.list(call.members()), fields: MemberLayout.list)
    }
}

struct MemberSetCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "set",
        abstract: "Give a user a role in the environment, whether they are a member already or not.",
        discussion: "Example: instanta member set eva --role editor"
    )

    @Argument(help: "The user, by name or id.", completion: .names(.user))
    var user: String

    @Option(help: "viewer, editor or owner.")
    var role: MemberRole

    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        let body: JSONValue = [
            "user": [UUIDText.isValid(user) ? "id" : "userName": .text(user)], "role": ["id": .text(role.rawValue)],
        ]
        let member = try await call.client.change(.post, call.members(), body).resource
        try call.write(member) {
            let table = Table([member], fields: MemberLayout.list, reader: call.reader)
            let terminal = call.surroundings.terminal
            return table.text(width: terminal.width, usesColour: terminal.usesColour)
        }
    }
}

struct MemberRemoveCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "End a membership; keys of theirs that act in the environment are deleted.",
        discussion: "Example: instanta member remove eva",
        aliases: ["rm"]
    )

    @Argument(help: "The member, by name or id.")
    var user: String

    @OptionGroup var confirmation: ConfirmationOptions
    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        let members = try await call.client.list(call.members())
        let member = members.first { [$0["id"].string, MemberLayout.name($0)].contains(user) }
        guard let member, let id = member["id"].string else {
            let names = members.compactMap(MemberLayout.name)
            throw CommandFailure(
                .notFound,
                "There is no member '\(user)'.",
                remedy: NearMatches.hint(for: user, among: names)
            )
        }
        let environment = PlainText.oneLine(try await call.environmentName())
        try await call.confirm(
            "Remove \(PlainText.oneLine(user)) from \(environment)?",
            isConfirmed: confirmation.yes
        )
        _ = try await call.client.change(.delete, call.members(id))
        try call.write(["id": .text(id)]) {
            call.note("Removed \(user) from \(environment).")
            return ""
        }
    }
}

extension Call {
    /// The members of the environment, or one of them.
    fileprivate func members(_ rest: String...) async throws -> APIClient.Endpoint {
        .init(path: ["environments", try await environmentName(), "members"] + rest)
    }
}
