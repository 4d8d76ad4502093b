import ArgumentParser

struct InstanceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "instance",
        abstract: "Virtual machines: create, start, stop, look at, roll back.",
        subcommands: [
            InstanceListCommand.self, InstanceShowCommand.self, InstanceCreateCommand.self, InstanceStartCommand.self,
            InstanceStopCommand.self, InstanceRebootCommand.self, InstanceDeleteCommand.self,
            InstanceRecoverCommand.self, InstanceRenameCommand.self, InstanceConsoleCommand.self,
            InstanceScreenshotCommand.self, InstanceSnapshotCommand.self, InstanceRevertCommand.self,
        ],
        aliases: ["vm"]
    )
}

struct InstanceListCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the instances of the environment.",
        discussion: "Example: instanta instance list --format json",
        aliases: ["ls"]
    )

    /// What asks for those that were deleted and can be recovered.
    static let deleted = ["state": "Destroyed"]

    @Flag(help: "Those that were deleted and can be recovered.")
    var deleted = false

    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        try call.present(await call.list(.instance, query: deleted ? Self.deleted : [:]), as: .instance)
    }
}

struct InstanceShowCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show everything about an instance.",
        discussion: """
            Also what only its guest knows: whether its agent answers, and where its SSH can be reached.

            Example: instanta instance show web01
            """
    )

    @Argument(help: "The instance, by name or id.", completion: .names(.instance))
    var instance: String

    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        // The list that a name is looked up in knows less than the resource itself.
        let target = try await call.target(instance, .instance)
        try call.present(await call.get(.instance, target.id), as: .instance)
    }
}

struct InstanceRenameCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "rename",
        abstract: "Give an instance another name.",
        discussion: """
            Its volumes, snapshots and the name that its system knows stay as they are.

            Example: instanta instance rename web01 web02
            """
    )

    @Argument(help: "The instance, by name or id.", completion: .names(.instance))
    var instance: String

    @Argument(help: "Its new name.")
    var name: String

    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        let target = try await call.target(instance, .instance)
        let body = JSONValue.object(present: ["name": .text(name)])
        let submission = try await call.client.change(.put, call.endpoint(.instance, target.id), body)
        try await call.change(submission, "Changing \(instance)", waits: true) { result in
            try call.present(changed: [result], as: .instance, isList: false)
        }
    }
}
