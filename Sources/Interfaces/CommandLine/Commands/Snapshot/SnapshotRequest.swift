import ArgumentParser

/// What a new snapshot is called.
struct SnapshotNaming: ParsableArguments {
    @Option(help: "Its name. (default: INSTANCE_VOLUME_yyyyMMddHHmmss)")
    var name: String?

    @Option(help: "What it is for.")
    var description: String?
}

/// How the guest is brought to rest.
struct ConsistencyOptions: ParsableArguments {
    enum Mode: String, CaseIterable, ExpressibleByArgument {
        case crash
        case filesystem
        case memory
    }

    @Option(
        help: """
            crash: as after a power cut, without asking the guest. filesystem: the guest's agent freezes its file \
            systems around the instant. memory: of a whole running instance, its memory is saved, too, and a revert goes \
            on from there; takes as much space as the memory that is in use.
            """
    )
    var consistency: Mode?

    @Option(
        help: ArgumentHelp(
            "The longest time the guest may stay frozen, or stand still. (default: 2000)",
            valueName: "ms"
        )
    )
    var maxFreezeMs: Int?

    @Flag(help: "Fail when the guest cannot be held in time, instead of settling for crash consistency.")
    var failOnMissedFreeze = false

    func validate() throws {
        guard maxFreezeMs ?? 1 > 0 else { throw ValidationError("--max-freeze-ms must be at least 1.") }
        guard consistency == .filesystem || consistency == .memory || (maxFreezeMs == nil && !failOnMissedFreeze) else {
            throw ValidationError(
                "--max-freeze-ms and --fail-on-missed-freeze need --consistency filesystem or memory."
            )
        }
    }

    /// The members of a request's body that these options fill.
    var body: [String: JSONValue?] {
        [
            "consistency": (consistency?.rawValue).map(JSONValue.text),
            "maxFreezeMilliseconds": maxFreezeMs.map { .integer(Int64($0)) },
            "onMiss": failOnMissedFreeze ? "fail" : nil,
        ]
    }
}

/// Takes snapshots of a volume or of a whole instance.
struct SnapshotRequest {
    var naming: SnapshotNaming
    var consistency: ConsistencyOptions
    var waits: Bool

    func take(ofVolume reference: String, _ call: Call) async throws {
        let volume = try await call.target(reference, .volume)
        var members = body
        members["volumeId"] = .text(volume.id)
        let endpoint = try await call.endpoint(.snapshot, query: ["operation": "create"])
        try await take(endpoint, members, of: reference, call)
    }

    func take(ofInstance reference: String, _ call: Call) async throws {
        let instance = try await call.target(reference, .instance)
        let endpoint = try await call.operation("createSnapshots", on: .instance, instance.id)
        try await take(endpoint, body, of: reference, call)
    }

    private var body: [String: JSONValue?] {
        consistency.body.merging([
            "name": naming.name.map(JSONValue.text),
            "description": naming.description.map(JSONValue.text),
        ]) { $1 }
    }

    private func take(
        _ endpoint: APIClient.Endpoint,
        _ members: [String: JSONValue?],
        of reference: String,
        _ call: Call
    ) async throws {
        let submission = try await call.client.change(.post, endpoint, .object(present: members))
        try await call.change(submission, "Taking a snapshot of \(reference)", waits: waits) { result in
            let group = result["snapshots"].elements
            let snapshots = group.isEmpty ? [result] : group
            try call.present(changed: snapshots, as: .snapshot, isList: !group.isEmpty)
            noteMissedFreeze(snapshots, call)
            if let id = result["groupId"].string, !group.isEmpty {
                call.note("revert all: instanta instance revert \(ShellWord.quote(reference)) --group \(id)")
            }
        }
    }

    /// Whoever asked for more than was possible has to know.
    private func noteMissedFreeze(_ snapshots: [JSONValue], _ call: Call) {
        guard consistency.consistency == .filesystem || consistency.consistency == .memory else { return }
        for snapshot in snapshots where snapshot["consistency"].string == "crash" {
            let reason = snapshot["agentAnswer"].string.map { ": \($0)" } ?? ""
            call.note("warning: \(snapshot["name"].string ?? "the snapshot") is only crash-consistent\(reason)")
        }
    }
}
