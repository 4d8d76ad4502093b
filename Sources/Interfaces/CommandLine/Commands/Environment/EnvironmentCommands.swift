import ArgumentParser

struct EnvironmentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "environment",
        abstract: "Named spaces of resources: list, create, change, delete.",
        discussion: """
            Everything but the service itself lives in an environment, and every other command acts in one: that of \
            --environment, of INSTANTA_ENVIRONMENT, of the profile, or the only one there is.
            """,
        subcommands: [
            EnvironmentListCommand.self, EnvironmentCreateCommand.self, EnvironmentUpdateCommand.self,
            EnvironmentDeleteCommand.self,
        ],
        aliases: ["env"]
    )
}

struct EnvironmentListCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the environments that you may see.",
        discussion: "Example: instanta environment list",
        aliases: ["ls"]
    )

    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        try call.present(await call.list(.environment), as: .environment)
    }
}

struct EnvironmentCreateCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Create an environment.",
        discussion: """
            It begins empty and costs nothing. A clone for troubleshooting belongs into one of its own, away from \
            production.

            Example: instanta environment create lab --description "Where we break things"
            """
    )

    @Argument(help: "Lower-case letters, digits, '-' and '_'.")
    var name: String

    @Option(help: "What it is for.")
    var description: String?

    @OptionGroup var wait: WaitOptions
    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        let connection = try await call.connection()
        let body = JSONValue.object(present: [
            "name": .text(name),
            "description": description.map(JSONValue.text),
            "serviceConnection": ["id": connection["id"]],
        ])
        let submission = try await call.client.change(.post, call.endpoint(.environment), body)
        try await call.change(submission, "Creating environment \(name)", waits: wait.wait) { result in
            let environment = result.isNull ? try await call.find(name, .environment) : result
            try call.present(changed: [environment], as: .environment, isList: false)
        }
    }
}

struct EnvironmentUpdateCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "update",
        abstract: "Rename an environment, or describe it anew.",
        discussion: """
            Scripts that call it by its name have to follow; its id stays.

            Example: instanta environment update lab --name laboratory
            """,
        aliases: ["rename"]
    )

    @Argument(
        help: ArgumentHelp("The environment, by name or id.", valueName: "environment"),
        completion: .names(.environment)
    )
    var changed: String

    @OptionGroup var renaming: RenamingOptions
    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        let target = try await call.target(changed, .environment)
        let endpoint = try await call.endpoint(.environment, target.id)
        let submission = try await call.client.change(.put, endpoint, renaming.body)
        try await call.change(submission, "Changing \(changed)", waits: true) { result in
            try call.present(changed: [result], as: .environment, isList: false)
        }
    }
}

struct EnvironmentDeleteCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete environments with everything in them.",
        discussion: """
            Instances are stopped, and all their volumes, snapshots and templates are deleted. There is no way back.

            Example: instanta environment delete lab
            """,
        aliases: ["rm"]
    )

    @Argument(help: "Environments, by name or id.", completion: .names(.environment))
    var environments: [String]

    @OptionGroup var confirmation: ConfirmationOptions
    @OptionGroup var wait: WaitOptions
    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        try await call.confirm(
            "Delete \(Listing.of(environments)) with everything in it?",
            isConfirmed: confirmation.yes
        )
        try await call.deleteEach(environments, .environment, waits: wait.wait)
    }
}
