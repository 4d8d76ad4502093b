import ArgumentParser

struct InstanceDeleteCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete instances with their root volumes.",
        discussion: """
            A running instance is switched off. Its data volumes are detached and stay, unless --delete-volume names \
            them. Its snapshots stay too, and can bring it back, unless --delete-snapshots is given.

            Example: instanta instance delete web03 --delete-snapshots
            """,
        aliases: ["rm"]
    )

    @Argument(help: "Instances, by name or id.", completion: .names(.instance))
    var instances: [String]

    @Flag(help: "Delete the snapshots of all their volumes, too.")
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
        try await call.confirm(
            "Delete \(Listing.of(instances)) with \(losses.joined(separator: ", "))?",
            isConfirmed: confirmation.yes
        )
        var volumes = [JSONValue]()
        for reference in deleteVolume { volumes.append(.text(try await call.target(reference, .volume).id)) }
        let body = JSONValue.object(present: [
            "purgeImmediately": true,
            "deleteSnapshots": deleteSnapshots ? true : nil,
            "volumeIdsToDelete": volumes.isEmpty ? nil : .list(volumes),
        ])
        try await call.deleteEach(instances, .instance, waits: wait.wait) { _ in body }
    }
}
