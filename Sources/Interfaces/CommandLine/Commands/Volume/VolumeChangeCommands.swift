import ArgumentParser

struct VolumeCreateCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Create a volume, blank or from a snapshot.",
        discussion: """
            Blank volumes and those from a snapshot are thin: milliseconds and no space, whatever the size. With --full \
            all bytes are copied at once, and the volume shares nothing with the snapshot.

            Examples:
              instanta volume create scratch --size 20G --attach web01
              instanta volume create forensics --from-snapshot before-upgrade --to lab
            """
    )

    @Argument(help: "Its name.")
    var name: String

    @Option(help: "The size of a blank volume, such as 20G.")
    var size: SizeArgument?

    @Option(help: "The snapshot to copy, by name or id.", completion: .names(.snapshot))
    var fromSnapshot: String?

    @Flag(help: "Copy all bytes of the snapshot.")
    var full = false

    @Option(
        help: ArgumentHelp("The environment to create it in, when not this one.", valueName: "environment"),
        completion: .names(.environment)
    )
    var to: String?

    @Option(help: ArgumentHelp("Attach it to this instance.", valueName: "instance"), completion: .names(.instance))
    var attach: String?

    @OptionGroup var place: PoolOptions
    @OptionGroup var wait: WaitOptions
    @OptionGroup var shared: SharedOptions

    func validate() throws {
        guard (size == nil) != (fromSnapshot == nil) else {
            throw ValidationError("Say what to create: --size for a blank volume, or --from-snapshot.")
        }
        guard fromSnapshot != nil || (!full && to == nil) else {
            throw ValidationError("--full and --to need --from-snapshot.")
        }
        guard fromSnapshot == nil || attach == nil else {
            throw ValidationError("Attach it afterwards: instanta volume attach \(name) --instance INSTANCE.")
        }
        _ = try size?.gibibytes("--size")
    }

    func perform(_ call: Call) async throws {
        let submission =
            if let fromSnapshot {
                try await copy(fromSnapshot, call)
            } else {
                try await create(call)
            }
        try await call.change(submission, "Creating volume \(name)", waits: wait.wait) { volume in
            try call.present(changed: [volume], as: .volume, isList: false)
        }
    }

    private func copy(_ reference: String, _ call: Call) async throws -> Submission {
        let source = try await call.target(reference, .snapshot)
        let body = JSONValue.object(present: [
            "name": .text(name), "environment": to.map(JSONValue.text), "full": full ? true : nil,
            "poolId": place.pool.map(JSONValue.text),
        ])
        let endpoint = try await call.operation("createVolume", on: .snapshot, source.id)
        return try await call.client.change(.post, endpoint, body)
    }

    private func create(_ call: Call) async throws -> Submission {
        var instance: Call.Target?
        if let attach { instance = try await call.target(attach, .instance) }
        let body = JSONValue.object(present: [
            "name": .text(name),
            "diskOfferingId": "custom",
            "sizeInGb": try size.map { .integer(try $0.gibibytes("--size")) },
            "instanceId": (instance?.id).map(JSONValue.text),
            "poolId": place.pool.map(JSONValue.text),
        ])
        return try await call.client.change(.post, call.endpoint(.volume), body)
    }
}

struct VolumeAttachCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "attach",
        abstract: "Attach a data volume to an instance.",
        discussion: """
            A running guest sees the disk at once.

            Example: instanta volume attach scratch --instance web01
            """
    )

    @Argument(help: "The volume, by name or id.", completion: .names(.volume))
    var volume: String

    @Option(help: "The instance, by name or id.", completion: .names(.instance))
    var instance: String

    @OptionGroup var wait: WaitOptions
    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        let target = try await call.target(instance, .instance)
        try await call.operateOnVolume(
            volume,
            "attachToInstance",
            ["instanceId": .text(target.id)],
            label: "Attaching \(volume) to \(instance)",
            waits: wait.wait
        )
    }
}

struct VolumeDetachCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "detach",
        abstract: "Detach a data volume from its instance.",
        discussion: """
            Unmount it in the guest first: to a running guest it is as if the disk were pulled out.

            Example: instanta volume detach scratch
            """
    )

    @Argument(help: "The volume, by name or id.", completion: .names(.volume))
    var volume: String

    @OptionGroup var wait: WaitOptions
    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        try await call.operateOnVolume(volume, "detachFromInstance", label: "Detaching \(volume)", waits: wait.wait)
    }
}

struct VolumeResizeCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "resize",
        abstract: "Grow a volume.",
        discussion: """
            It takes milliseconds and no space. A running guest sees the new size; its file system must be grown there. \
            Volumes do not shrink: that would cut what is on them.

            Example: instanta volume resize scratch --size 40G
            """
    )

    @Argument(help: "The volume, by name or id.", completion: .names(.volume))
    var volume: String

    @Option(help: "The new size, such as 40G.")
    var size: SizeArgument

    @OptionGroup var wait: WaitOptions
    @OptionGroup var shared: SharedOptions

    func validate() throws {
        _ = try size.gibibytes("--size")
    }

    func perform(_ call: Call) async throws {
        try await call.operateOnVolume(
            volume,
            "resize",
            ["sizeInGb": .integer(try size.gibibytes("--size"))],
            label: "Resizing \(volume)",
            waits: wait.wait
        )
    }
}

struct VolumeMoveCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "move",
        abstract: "Move a volume to another pool.",
        discussion: """
            All bytes are copied and read back before the old ones go; until then nothing has changed, and the task can be \
            cancelled. The volume is detached, or its instance stopped. Its snapshots stay in their pool and stay \
            usable: going back to one takes the volume back there.

            Example: instanta volume move scratch --pool fast
            """
    )

    @Argument(help: "The volume, by name or id.", completion: .names(.volume))
    var volume: String

    @Option(help: "The pool to move it to; 'instanta pool list' shows them.")
    var pool: String

    @OptionGroup var wait: WaitOptions
    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        try await call.operateOnVolume(
            volume,
            "move",
            ["poolId": .text(pool)],
            label: "Moving \(volume) to \(pool)",
            waits: wait.wait
        )
    }
}

struct VolumeDeleteCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete data volumes that are not attached.",
        discussion: """
            Its snapshots stay, and can bring it back ('instanta volume create --from-snapshot').

            Example: instanta volume delete scratch
            """,
        aliases: ["rm"]
    )

    @Argument(help: "Volumes, by name or id.", completion: .names(.volume))
    var volumes: [String]

    @OptionGroup var confirmation: ConfirmationOptions
    @OptionGroup var wait: WaitOptions
    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        try await call.confirm("Delete \(Listing.of(volumes))?", isConfirmed: confirmation.yes)
        try await call.deleteEach(volumes, .volume, waits: wait.wait)
    }
}
