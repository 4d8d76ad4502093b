import ArgumentParser

struct InstanceDeleteCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete instances with their root volumes.",
        discussion: """
            A running instance is shut down. It is kept for a while (a day, unless the operator says otherwise), and \
            'instanta instance recover' brings it back; its name is free at once, its space only afterwards. With \
            --purge it is gone at once, and so it is with --delete-snapshots.

            Its data volumes are detached and stay, unless --delete-volume names them. Its snapshots stay too, unless \
            --delete-snapshots is given.

            Example: instanta instance delete web03
            """,
        aliases: ["rm"]
    )

    @Argument(help: "Instances, by name or id.", completion: .names(.instance))
    var instances: [String]

    @Flag(help: "Delete for good, at once.")
    var purge = false

    @Flag(help: "Delete the snapshots of all their volumes, too, and all of it for good.")
    var deleteSnapshots = false

    @Option(
        help: ArgumentHelp("Delete this attached data volume, too. Can be repeated.", valueName: "volume"),
        completion: .names(.volume)
    )
    var deleteVolume: [String] = []

    @OptionGroup var confirmation: ConfirmationOptions
    @OptionGroup var wait: WaitOptions
    @OptionGroup var shared: SharedOptions

    func validate() throws {
        guard deleteVolume.isEmpty || instances.count == 1 else {
            throw ValidationError("--delete-volume is for one instance at a time.")
        }
    }

    func perform(_ call: Call) async throws {
        var losses = ["its root volume"]
        if !deleteVolume.isEmpty { losses.append(Listing.of(deleteVolume)) }
        if deleteSnapshots { losses.append("all its snapshots") }
        let isLasting = purge || deleteSnapshots
        try await call.confirm(
            "\(isLasting ? "Delete for good" : "Delete") \(Listing.of(instances)) with \(losses.joined(separator: ", "))?",
            isConfirmed: confirmation.yes
        )
        var volumes = [JSONValue]()
        for reference in deleteVolume { volumes.append(.text(try await call.target(reference, .volume).id)) }
        let body = JSONValue.object(present: [
            "purgeImmediately": .bool(isLasting),
            "deleteSnapshots": deleteSnapshots ? true : nil,
            "volumeIdsToDelete": volumes.isEmpty ? nil : .list(volumes),
        ])
        try await call.deleteEach(instances, .instance, waits: wait.wait) { _ in body }
        guard !isLasting else { return }
        call.note("undo: instanta instance recover \(instances.map(ShellWord.quote).joined(separator: " "))")
    }
}
