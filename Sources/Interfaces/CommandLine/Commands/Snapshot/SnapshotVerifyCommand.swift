import ArgumentParser

struct SnapshotVerifyCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Read snapshots whole and compare them with their digests.",
        discussion: """
            The first time the digest is made; from then on it proves that not a byte has changed. It reads everything, \
            as fast as the disk allows.

            Example: instanta snapshot verify before-upgrade
            """
    )

    @Argument(help: "Snapshots, by name or id.", completion: .names(.snapshot))
    var snapshots: [String]

    @OptionGroup var wait: WaitOptions
    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        try await call.changeEach(snapshots, .snapshot, label: { "Verifying \($0)" }, waits: wait.wait) { target in
            try await call.client.change(.post, call.operation("verify", on: .snapshot, target.id))
        } finish: { verified in
            let results = verified.map { target, result in
                JSONValue.object([
                    "id": .text(target.id), "name": .text(target.label), "digest": result["digest"],
                    "verifiedAt": result["verifiedAt"],
                ])
            }
            if snapshots.count == 1, let result = results.first {
                try call.present(result, fields: Self.fields)
            } else {
                try call.present(results, fields: Self.fields)
            }
        }
    }

    private static let fields: [Field] = [
        .name, .text(.digest, "digest", fit: .stays), .instant(.verified, "verifiedAt"),
    ]
}
