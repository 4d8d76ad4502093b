import ArgumentParser

struct SnapshotDeleteCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete snapshots, after saying what that frees.",
        discussion: """
            Nothing that depends on a snapshot is harmed: clones, templates and other snapshots keep what they read. The \
            snapshot is gone at once; its space comes back in the background, where at most the smaller of two layers \
            is copied.

            Example: instanta snapshot delete before-upgrade after-upgrade
            """,
        aliases: ["rm"]
    )

    @Argument(help: "Snapshots, by name or id.", completion: .names(.snapshot))
    var snapshots: [String]

    @Flag(help: "Only say what it would free.")
    var dryRun = false

    @OptionGroup var confirmation: ConfirmationOptions
    @OptionGroup var wait: WaitOptions
    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        // With --yes a name that is wrong must not keep the others from being deleted, so nothing is looked up before.
        if dryRun || !confirmation.yes {
            let plan = try await plan(call)
            guard !dryRun else {
                return try call.write(plan) { DeletionSummary.text(plan) }
            }
            call.note(DeletionSummary.text(plan))
            try await call.confirm("Delete \(Listing.of(snapshots))?", isConfirmed: false)
        }
        try await call.deleteEach(snapshots, .snapshot, waits: wait.wait)
    }

    private func plan(_ call: Call) async throws -> JSONValue {
        var ids = [String]()
        for snapshot in snapshots { ids.append(try await call.target(snapshot, .snapshot).id) }
        let query = ["ids": ids.joined(separator: ",")]
        return try await call.client.get(call.endpoint(.snapshot, "deletionPlan", query: query))
    }
}
