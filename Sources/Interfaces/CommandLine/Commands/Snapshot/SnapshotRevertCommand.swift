import ArgumentParser

struct SnapshotRevertCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "revert",
        abstract: "Put a volume back to a snapshot.",
        discussion: """
            Stops the instance if it runs, switches the volume, and starts it again: milliseconds, and the guest's own \
            start. Older and newer snapshots stay. What the volume held until now is kept for a while, and \
            'instanta volume undo-revert' brings it back.

            Example: instanta snapshot revert before-upgrade
            """
    )

    @Argument(help: "The snapshot, by name or id.", completion: .names(.snapshot))
    var snapshot: String

    @Flag(inversion: .prefixedNo, help: "Start the instance again if it ran.")
    var restart = true

    @OptionGroup var wait: WaitOptions
    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        let target = try await call.target(snapshot, .snapshot)
        let endpoint = try await call.operation("revert", on: .snapshot, target.id)
        let submission = try await call.client.change(.post, endpoint, ["restartInstance": .bool(restart)])
        try await call.change(submission, "Reverting to \(snapshot)", waits: wait.wait) { volume in
            try call.present(changed: [volume], as: .volume, isList: false)
            if let name = volume["name"].string {
                call.note("undo: instanta volume undo-revert \(ShellWord.quote(name))")
            }
        }
    }
}
