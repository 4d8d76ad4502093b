import ArgumentParser

struct InstanceSnapshotCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "snapshot",
        abstract: "Take a snapshot of all volumes of an instance, at one instant.",
        discussion: """
            The instance goes on; it takes milliseconds, whatever the sizes. The snapshots share a group, by which \
            'instanta instance revert' brings all volumes back together. With --consistency memory the machine itself is \
            saved, too: it stands still for a moment, and a revert goes on from there without a boot.

            Example: instanta instance snapshot db01 --consistency memory
            """
    )

    @Argument(help: "The instance, by name or id.", completion: .names(.instance))
    var instance: String

    @OptionGroup var naming: SnapshotNaming
    @OptionGroup var consistency: ConsistencyOptions
    @OptionGroup var wait: WaitOptions
    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        let snapshots = SnapshotRequest(naming: naming, consistency: consistency, waits: wait.wait)
        try await snapshots.take(ofInstance: instance, call)
    }
}

struct InstanceRevertCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "revert",
        abstract: "Put all volumes of an instance back to one instant.",
        discussion: """
            Stops the instance, switches its volumes to the snapshots of the group, and starts it again if it ran. If its \
            memory was saved with them, it goes on from there, and runs afterwards; --no-memory lets it boot instead. What \
            the volumes held until now is kept for a while: 'instanta volume undo-revert' brings it back, volume by volume.

            Example: instanta instance revert db01 --group 0d9c5a6e-…
            """
    )

    @Argument(help: "The instance, by name or id.", completion: .names(.instance))
    var instance: String

    @Option(
        help: ArgumentHelp("The group's id, or one of its snapshots by name.", valueName: "group"),
        completion: .names(.snapshot)
    )
    var group: String

    @Flag(inversion: .prefixedNo, help: "Start the instance again if it ran.")
    var restart = true

    @Flag(inversion: .prefixedNo, help: "Go on from the memory that was saved with the group.")
    var memory = true

    @OptionGroup var wait: WaitOptions
    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        let target = try await call.target(instance, .instance)
        let body = JSONValue.object(present: [
            "groupId": .text(try await groupID(call)),
            "restartInstance": restart ? nil : false,
            "resume": memory ? nil : false,
        ])
        let endpoint = try await call.operation("revert", on: .instance, target.id)
        let submission = try await call.client.change(.post, endpoint, body)
        try await call.change(submission, "Reverting \(instance)", waits: wait.wait) { result in
            try call.present(changed: [result], as: .instance, isList: false)
            for volume in result["volumes"].elements.compactMap({ $0["name"].string }) {
                call.note("undo: instanta volume undo-revert \(ShellWord.quote(volume))")
            }
        }
    }

    private func groupID(_ call: Call) async throws -> String {
        if UUIDText.isValid(group) { return group.lowercased() }
        guard let id = try await call.find(group, .snapshot)["groupId"].string else {
            throw CommandFailure(
                .conflict,
                "Snapshot '\(group)' was taken of one volume alone.",
                remedy: "Revert that volume with 'instanta snapshot revert \(ShellWord.quote(group))'."
            )
        }
        return id
    }
}
