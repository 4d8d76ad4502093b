import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// Snapshots of whole machines.
enum InstanceSnapshotCommands {
    static let all: [Command] = [list, create, delete, revert]

    private static let id = Parameter("vmsnapshotid", .id(.instanceSnapshot), "The machine snapshot.").placing

    private static let list = Command.list(
        "listVMSnapshot",
        "Lists machine snapshots, newest first.",
        [
            id, Parameter("vmsnapshotids", .ids(.instanceSnapshot), "Several, separated by commas.").placing,
            Parameter("virtualmachineid", .id(.instance), "Those of a machine.").placing,
            Parameter("name", .text, "The exact display name."), .keyword, .tags,
            Parameter("state", .text, "Those in a state, such as Ready."),
        ],
        of: Shapes.instanceSnapshot
    ) { call in
        let arguments = call.arguments
        let wanted: Set<SnapshotGroupID> = Set(
            arguments.ids("vmsnapshotids") + (arguments.id("vmsnapshotid").map { [$0] } ?? [])
        )
        let name = arguments.text("name")
        let word = arguments.text("keyword")?.lowercased()
        let state = arguments.text("state")?.lowercased()
        var found: [InstanceSnapshot] = []
        for environment in call.environments {
            found += try await call.instanceSnapshots(
                SnapshotFilter(environment: environment.id, instance: arguments.id("virtualmachineid"), isGrouped: true)
            )
        }
        found = found.filter { snapshot in
            (wanted.isEmpty || wanted.contains(snapshot.id)) && (name == nil || name == snapshot.displayName)
                && (word.map { snapshot.displayName.lowercased().contains($0) } ?? true)
                && (state == nil || state == snapshot.state.lowercased())
        }
        let tags = try await call.cloud.tags(of: found.map(\.reference), call.caller)
        if let conditions = call.wantedTags {
            found = found.filter { snapshot in
                (tags[snapshot.reference] ?? []).contains { tag in
                    conditions.contains { $0.key == tag.key && ($0.value ?? tag.value) == tag.value }
                }
            }
        }
        let rows = try Page(arguments).cut(found).map { snapshot in
            Owned(
                snapshot,
                owner: call.owner(of: snapshot.home),
                tags: tags[snapshot.reference] ?? [],
                zone: call.configuration.zoneName
            )
        }
        return .rows(rows.map(Shapes.instanceSnapshot.json), total: found.count, named: Shapes.instanceSnapshot.name)
    }

    private static let create = Command(
        name: "createVMSnapshot",
        summary: "Takes snapshots of all volumes of a machine at one instant.",
        kind: .creation,
        access: .may(.create),
        parameters: [
            Parameter("virtualmachineid", .id(.instance), "The machine.").required.placing,
            Parameter("name", .text, "The display name; left out, one is made."),
            Parameter("description", .text, "A description."),
            Parameter("snapshotmemory", .flag, "Save the memory of the running machine, too."),
            Parameter("quiescevm", .flag, "Freeze the guest's file systems around the instant, by its agent."),
            .project,
        ],
        result: ResultDescription(Shapes.instanceSnapshot),
        deviations: [
            "Of running machines, disks can be taken without memory.",
            "quiescevm does not matter with snapshotmemory: the machine goes on where it was.",
            "Volume snapshots do not stand in the way, and any number is allowed.",
        ],
        handler: { call in
            let isQuiet = call.arguments.flag("quiescevm") ?? false
            let consistency =
                call.arguments.flag("snapshotmemory") == true
                ? ConsistencyRequest(mode: .memory, onMiss: .fail)
                : ConsistencyRequest(mode: isQuiet ? .filesystem : .crash)
            let submitted = try await call.cloud.takeSnapshots(
                TakeSnapshotRequest(
                    target: .instance(try call.requiredID("virtualmachineid")),
                    name: try call.newName(),
                    description: call.arguments.text("description") ?? "",
                    consistency: consistency
                ),
                in: try call.environment,
                call.caller
            )
            return .job(submitted.job, creating: submitted.resource.first?.snapshot.group?.description)
        }
    )

    private static let delete = Command(
        name: "deleteVMSnapshot",
        summary: "Deletes a machine snapshot; no other one loses anything.",
        kind: .asynchronous,
        access: .may(.change),
        parameters: [id.required, .project],
        result: .success,
        handler: { call in
            let snapshot = try await find(call)
            var jobs: [JobID] = []
            for member in snapshot.members where member.snapshot.state != .available {
                throw call.refuse("its snapshot '\(member.snapshot.name)' is \(member.shownState.rawValue).")
            }
            for member in snapshot.members {
                jobs.append(
                    try await call.cloud.deleteSnapshot(member.snapshot.id, in: try call.environment, call.caller)
                )
            }
            // One job stands for all, so the others have to be over.
            for job in jobs.dropLast() { try await call.finish(job) }
            guard let last = jobs.last else { throw call.refuse("it is gone.") }
            return .job(last)
        }
    )

    private static let revert = Command(
        name: "revertToVMSnapshot",
        summary: "Puts a machine back to a machine snapshot: a stopped one, or a running one with its memory.",
        kind: .asynchronous,
        access: .may(.revert),
        parameters: [id.required, .project],
        result: ResultDescription(Shapes.instance),
        deviations: ["What is replaced is kept for a week as a snapshot of each volume, with undo=true."],
        handler: { call in
            let snapshot = try await find(call)
            let environment = try call.environment
            guard let instance = snapshot.instance else { throw call.refuse("its machine is not known.") }
            let isStopped = try await call.instance(instance, in: environment).status.isStopped
            guard isStopped != snapshot.hasMemory else {
                throw call.refuse(
                    isStopped
                        ? "it holds the memory of a running machine; start the machine first."
                        : "the machine must be stopped first."
                )
            }
            return .job(
                try await call.cloud
                    .revert(.group(snapshot.id, of: instance), restarts: false, in: environment, call.caller).job
            )
        }
    )

    private static func find(_ call: Call) async throws -> InstanceSnapshot {
        let id: SnapshotGroupID = try call.requiredID("vmsnapshotid")
        let filter = SnapshotFilter(environment: try call.environment, group: id)
        guard let snapshot = try await call.instanceSnapshots(filter).first else {
            throw call.refuse("the machine snapshot \(id) is gone.")
        }
        return snapshot
    }
}

extension Call {
    func instanceSnapshots(_ filter: SnapshotFilter) async throws(ServiceError) -> [InstanceSnapshot] {
        var members: [SnapshotView] = []
        var page = PageRequest.all
        while true {
            let found = try await cloud.listSnapshots(filter, order: .newestFirst, page: page, caller)
            members += found.rows
            page.offset += found.rows.count
            guard page.offset < found.total, !found.rows.isEmpty else { return InstanceSnapshot.all(of: members) }
        }
    }
}
