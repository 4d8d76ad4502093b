import ArgumentParser

struct SnapshotCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "snapshot",
        abstract: "The state of a volume at an instant: take, go back to, copy, delete.",
        discussion: """
            A snapshot is not a backup: it lives on the same disks as its volume. 'instanta snapshot export' makes a \
            file that can be kept elsewhere.
            """,
        subcommands: [
            SnapshotListCommand.self, SnapshotShowCommand.self, SnapshotCreateCommand.self, SnapshotRevertCommand.self,
            SnapshotDeleteCommand.self, SnapshotUpdateCommand.self, SnapshotVerifyCommand.self,
            SnapshotExportCommand.self, SnapshotCloneCommand.self,
        ],
        aliases: ["snap"]
    )
}

struct SnapshotListCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the snapshots of the environment.",
        discussion: """
            EXCLUSIVE is what only this snapshot holds. Several together can hold more: what a deletion frees, it says \
            beforehand.

            Example: instanta snapshot list --volume ROOT-web01
            """,
        aliases: ["ls"]
    )

    @Option(help: "Only those of this volume.", completion: .names(.volume))
    var volume: String?

    @Option(help: "Only those of this instance's volumes.", completion: .names(.instance))
    var instance: String?

    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        var query = [String: String?]()
        if let volume { query["volume_id"] = try await call.target(volume, .volume).id }
        if let instance { query["instance_id"] = try await call.target(instance, .instance).id }
        try call.present(await call.list(.snapshot, query: query), as: .snapshot)
    }
}

struct SnapshotShowCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show everything about a snapshot.",
        discussion: """
            Also what really happened when it was taken: which consistency was achieved, and how long the guest was frozen.

            Example: instanta snapshot show before-upgrade
            """
    )

    @Argument(help: "The snapshot, by name or id.", completion: .names(.snapshot))
    var snapshot: String

    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        try call.present(await call.find(snapshot, .snapshot), as: .snapshot)
    }
}

struct SnapshotCreateCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Take a snapshot of a volume, or of an instance's volumes at one instant.",
        discussion: """
            A running instance goes on; it takes milliseconds, whatever the size, and no space until something is \
            written again.

            Examples:
              instanta snapshot create --volume ROOT-web01 --name before-upgrade
              instanta snapshot create --instance db01 --consistency filesystem --fail-on-missed-freeze
            """
    )

    @Option(help: "The volume, by name or id.", completion: .names(.volume))
    var volume: String?

    @Option(help: "The instance, by name or id: all its volumes.", completion: .names(.instance))
    var instance: String?

    @OptionGroup var naming: SnapshotNaming
    @OptionGroup var consistency: ConsistencyOptions
    @OptionGroup var wait: WaitOptions
    @OptionGroup var shared: SharedOptions

    func validate() throws {
        guard (volume == nil) != (instance == nil) else {
            throw ValidationError("Say what to take a snapshot of: --volume or --instance.")
        }
    }

    func perform(_ call: Call) async throws {
        let request = SnapshotRequest(naming: naming, consistency: consistency, waits: wait.wait)
        if let volume { try await request.take(ofVolume: volume, call) }
        if let instance { try await request.take(ofInstance: instance, call) }
    }
}

struct SnapshotUpdateCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "update",
        abstract: "Rename a snapshot, or describe it anew.",
        discussion: "Example: instanta snapshot update web01_ROOT-web01_20261122143001 --name before-upgrade",
        aliases: ["rename"]
    )

    @Argument(help: "The snapshot, by name or id.", completion: .names(.snapshot))
    var snapshot: String

    @OptionGroup var renaming: RenamingOptions
    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        try await call.rename(snapshot, .snapshot, renaming)
    }
}

struct SnapshotCloneCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "clone",
        abstract: "Create an instance from a snapshot, here or in another environment.",
        discussion: """
            To look for a fault in an identical machine, away from production: the clone takes milliseconds and no \
            space, and in another environment it gets no network unless --network says so.

            Example: instanta snapshot clone before-upgrade trouble --to lab
            """
    )

    @Argument(help: "The snapshot of a root volume, by name or id.", completion: .names(.snapshot))
    var snapshot: String

    @Argument(help: "The name of the instance.")
    var name: String

    @Option(
        help: ArgumentHelp("The environment to create it in, when not this one.", valueName: "environment"),
        completion: .names(.environment)
    )
    var to: String?

    @OptionGroup var machine: MachineOptions
    @OptionGroup var wait: WaitOptions
    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        let clone = Deployment(source: .snapshot(snapshot), name: name, to: to, machine: machine)
        try await call.change(await clone.submit(call), "Cloning \(snapshot)", waits: wait.wait) { result in
            try call.present(changed: [result], as: .instance, isList: false)
        }
    }
}
