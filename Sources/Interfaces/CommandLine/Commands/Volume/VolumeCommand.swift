import ArgumentParser

struct VolumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "volume",
        abstract: "Disks: create, attach, grow, look at their history.",
        subcommands: [
            VolumeListCommand.self, VolumeShowCommand.self, VolumeTreeCommand.self, VolumeCreateCommand.self,
            VolumeAttachCommand.self, VolumeDetachCommand.self, VolumeResizeCommand.self, VolumeMoveCommand.self,
            VolumeUndoRevertCommand.self, VolumeDeleteCommand.self,
        ],
        aliases: ["vol"]
    )
}

struct VolumeListCommand: ServiceCommand {
    enum Role: String, CaseIterable, ExpressibleByArgument {
        case os
        case data
    }

    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the volumes of the environment.",
        discussion: """
            SIZE is what the guest sees, EXCLUSIVE what the volume really takes beyond what it shares with snapshots, \
            templates and clones.

            Example: instanta volume list --instance web01
            """,
        aliases: ["ls"]
    )

    @Option(help: "Only those of this instance.", completion: .names(.instance))
    var instance: String?

    @Option(help: "Only root volumes, or only data volumes.")
    var type: Role?

    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        var query = ["type": type?.rawValue]
        if let instance { query["instance_id"] = try await call.target(instance, .instance).id }
        try call.present(await call.list(.volume, query: query), as: .volume)
    }
}

struct VolumeShowCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show everything about a volume.",
        discussion: "Example: instanta volume show ROOT-web01"
    )

    @Argument(help: "The volume, by name or id.", completion: .names(.volume))
    var volume: String

    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        try call.present(await call.find(volume, .volume), as: .volume)
    }
}

struct VolumeTreeCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "tree",
        abstract: "Draw the history around a volume.",
        discussion: """
            Every branching is a place where something was copied from or gone back to. What is written now goes to the \
            marked place; the bytes beside each step are what it holds of its own.

            Example: instanta volume tree ROOT-web01
            """
    )

    @Argument(help: "The volume, by name or id.", completion: .names(.volume))
    var volume: String

    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        let target = try await call.target(volume, .volume)
        let nodes = try await call.client.get(call.endpoint(.volume, target.id, "tree"))
        try call.write(nodes) {
            TreeDrawing(nodes.elements, reader: call.reader)
                .text(width: call.surroundings.terminal.width, usesColour: call.surroundings.terminal.usesColour)
        }
    }
}

struct VolumeUndoRevertCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "undo-revert",
        abstract: "Bring back what a volume held before its last revert.",
        discussion: """
            Possible until the undo snapshot expires; 'instanta volume show' tells whether there is one. It is a revert \
            itself: it stops and starts the instance, and can be undone.

            Example: instanta volume undo-revert ROOT-web01
            """
    )

    @Argument(help: "The volume, by name or id.", completion: .names(.volume))
    var volume: String

    @OptionGroup var wait: WaitOptions
    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        try await call.operateOnVolume(
            volume,
            "undoRevert",
            label: "Undoing the revert of \(volume)",
            hint: "undo: instanta volume undo-revert \(ShellWord.quote(volume))",
            waits: wait.wait
        )
    }
}

extension Call {
    /// Runs one operation on a volume, and shows the volume and a hint afterwards.
    func operateOnVolume(
        _ reference: String,
        _ operation: String,
        _ body: JSONValue? = nil,
        label: String,
        hint: String? = nil,
        waits: Bool
    ) async throws {
        let target = try await target(reference, .volume)
        let endpoint = try await self.operation(operation, on: .volume, target.id)
        try await change(await client.change(.post, endpoint, body), label, waits: waits) { volume in
            try present(changed: [volume], as: .volume, isList: false)
            if let hint { note(hint) }
        }
    }
}
