import SnapshotDomain
import SnapshotPorts
import SnapshotServices

enum SnapshotCommands {
    static let all: [Command] = [list, create, delete, revert]

    private static let id = Parameter("id", .id(.snapshot), "The snapshot.").placing
    private static let types = ["MANUAL", "RECURRING", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "GROUP", "TEMPLATE"]

    private static let list = Command.list(
        "listSnapshots",
        "Lists snapshots, newest first.",
        [
            id, Parameter("ids", .ids(.snapshot), "Several, separated by commas; not with id.").placing, .name,
            .keyword, .tags,
            .zone,
            Parameter("volumeid", .id(.volume), "Those of a volume, which may be gone.").placing,
            Parameter("snapshottype", .word(types), "Those of a type."),
            Parameter("intervaltype", .word(types), "The same, with volumeid; snapshottype comes first."),
            Parameter("locationtype", .word(["PRIMARY", "SECONDARY"]), "Where they lie: all on the pool."),
            Parameter("showunique", .flag, "Read and not heeded: each is in one place."),
        ],
        of: Shapes.snapshot,
        deviations: ["The member of a machine snapshot is listed with the type GROUP."]
    ) { call in
        let arguments = call.arguments
        var type = arguments.word("snapshottype")
        if type == nil, let interval = arguments.word("intervaltype") {
            guard arguments.text("volumeid") != nil else { throw call.refuse("intervaltype needs volumeid.") }
            type = interval
        }
        let isNone = !["MANUAL", "GROUP", nil].contains(type) || arguments.word("locationtype") == "SECONDARY"
        let filter = SnapshotFilter(
            volume: arguments.id("volumeid"),
            isGrouped: type.map { $0 == "GROUP" },
            text: arguments.text("keyword"),
            ids: isNone ? [] : try call.wantedIDs(),
            name: try call.wantedName(),
            tags: call.wantedTags
        )
        return try await call.list(Shapes.snapshot) { environment, page throws(ServiceError) in
            var filter = filter
            filter.environment = environment
            return try await call.cloud.listSnapshots(filter, order: .newestFirst, page: page, call.caller)
        }
    }

    private static let create = Command(
        name: "createSnapshot",
        summary: "Takes a snapshot of a volume, also of one that a running machine writes.",
        kind: .creation,
        access: .may(.create),
        parameters: [
            Parameter("volumeid", .id(.volume), "The volume.").required.placing,
            Parameter("name", .text, "The name, unique in the environment; left out, one is made."),
            Parameter("quiescevm", .flag, "Freeze the guest's file systems around the instant, by its agent."),
            Parameter(
                "locationtype",
                .word(["primary", "secondary"]),
                "Where it lies: primary, the volume's own pool."
            ),
            Parameter("asyncbackup", .flag, "Read and not heeded: nothing is copied."),
            Parameter("tags", .map, "Its tags."), .project,
        ],
        result: ResultDescription(Shapes.snapshot),
        deviations: [
            "A snapshot of a volume with which something is going on waits for its turn; it is not refused.",
            "Machine snapshots do not stand in the way.",
            "It goes from Creating to BackedUp, within milliseconds; nothing is copied.",
            "locationtype=secondary is refused: there is no secondary storage.",
            "A volume that never was attached can have snapshots.",
            "Names are unique in an environment.",
        ],
        handler: { call in
            guard call.arguments.word("locationtype") != "secondary" else {
                throw call.refuse("there is no secondary storage; leave out locationtype.")
            }
            let isQuiet = call.arguments.flag("quiescevm") ?? false
            let submitted = try await call.cloud.takeSnapshots(
                TakeSnapshotRequest(
                    target: .volume(try call.requiredID("volumeid")),
                    name: try call.newName(),
                    consistency: ConsistencyRequest(mode: isQuiet ? .filesystem : .crash)
                ),
                in: try call.environment,
                call.caller
            )
            guard let snapshot = submitted.resource.first else { throw call.refuse("what it made is gone.") }
            try await call.tag(snapshot.reference)
            return .job(submitted.job, creating: snapshot.snapshot.id.description)
        }
    )

    private static let delete = Command(
        name: "deleteSnapshot",
        summary: "Deletes a snapshot; no other one, no volume and no template loses anything.",
        kind: .asynchronous,
        access: .may(.change),
        parameters: [id.required, .zone, .project],
        result: .success,
        handler: { call in
            let id: SnapshotID = try call.requiredID("id")
            try await requireAlone(id, call)
            return .job(try await call.cloud.deleteSnapshot(id, in: try call.environment, call.caller))
        }
    )

    private static let revert = Command(
        name: "revertSnapshot",
        summary: "Puts a volume back to a snapshot; what it held is kept for a while as a snapshot of its own.",
        kind: .asynchronous,
        access: .may(.revert),
        parameters: [id.required, .project],
        result: ResultDescription(Shapes.snapshot),
        deviations: [
            "What is replaced is kept for a week as a snapshot, with undo=true.",
            "Machine snapshots do not stand in the way.",
        ],
        handler: { call in
            let id: SnapshotID = try call.requiredID("id")
            let environment = try call.environment
            let snapshot = try await requireAlone(id, call)
            // Others stop and start the machine for it; by this protocol that is the caller's to do.
            if let volume = try? await call.volume(snapshot.snapshot.source.volume, in: environment),
                volume.isInstanceRunning
            {
                throw call.refuse("the machine '\(volume.instance?.name.description ?? "")' must be stopped first.")
            }
            return .job(
                try await call.cloud.revert(.snapshot(id), restarts: false, in: environment, call.caller).job
            )
        }
    )

    /// Refuses the member of a group, which lives and dies with it.
    @discardableResult
    private static func requireAlone(_ id: SnapshotID, _ call: Call) async throws -> SnapshotView {
        let view = try await call.snapshot(id, in: try call.environment)
        guard view.snapshot.group == nil else {
            throw call.refuse("the snapshot belongs to a machine snapshot; use deleteVMSnapshot or revertToVMSnapshot.")
        }
        return view
    }
}
