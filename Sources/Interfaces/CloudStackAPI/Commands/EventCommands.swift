import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// The activity log, in the protocol's words.
enum EventCommands {
    static let all: [Command] = [list, types]

    private static let list = Command.list(
        "listEvents",
        "Lists what happened and what goes on, newest first.",
        [
            Parameter("id", .text, "One event."),
            Parameter("type", .text, "Those of a type, such as SNAPSHOT.CREATE."),
            Parameter("level", .word(["INFO", "WARN", "ERROR"]), "ERROR for what failed."),
            Parameter(
                "state",
                .word(EventStage.allCases.map(\.rawValue) + ["Created"]),
                "Those that say this of a job."
            ),
            Parameter("startdate", .date, "Those since then."), Parameter("enddate", .date, "Those before then."),
            Parameter("startid", .text, "That event, and those whose parentid it is."),
            Parameter("resourceid", .text, "Those about one thing."),
            Parameter("resourcetype", .text, "Those about a kind of thing, such as Volume."), .keyword,
        ],
        of: Shapes.event,
        deviations: [
            "No event has the state Created: Scheduled says the same.",
            "The events of a machine snapshot are those of its volumes' snapshots.",
            "What was done with an earlier version of the service has one event, Completed.",
        ]
    ) { call in
        let wanted = EventFilter(call.arguments)
        var events: [Event] = []
        for environment in call.environments {
            var filter = wanted.lines
            filter.environment = environment.id
            events += Event.all(of: try await lines(filter, call))
            let tasks = try await call.cloud.overview(of: environment.id, call.caller).openTasks
            events += tasks.flatMap { Event.all(of: $0.job) }
        }
        events = events.filter(wanted.fits).sorted(by: Event.isNewer)
        return try call.answer(events, Shapes.event)
    }

    private static func lines(_ filter: ActivityFilter, _ call: Call) async throws -> [ActivityEntry] {
        var lines: [ActivityEntry] = []
        var request = PageRequest.all
        while true {
            let found = try await call.cloud.listActivity(filter, page: request, call.caller)
            lines += found.rows
            request.offset += found.rows.count
            guard request.offset < found.total, !found.rows.isEmpty else { return lines }
        }
    }

    private static let types = Command.list(
        "listEventTypes",
        "Lists the types of events.",
        access: .anybody,
        [],
        of: Shapes.eventType
    ) { call in
        try call.answer(EventWords.all, Shapes.eventType)
    }
}

extension Shapes {
    static let event = Shape<Event>(
        "event",
        [
            .text("id", "The id.") { $0.id.description },
            .text("type", "The type.") { $0.type },
            .text("level", "INFO, or ERROR for what failed.") { $0.level },
            .text("state", "Scheduled, Started or Completed.") { $0.stage.rawValue },
            .text("description", "What happened.") { $0.text },
            .instant("created", "When.") { $0.createdAt },
            .text("parentid", "The event that scheduled it.") { $0.parent?.description },
            .text("username", "Who asked.") { $0.actor.name },
            .text("account", "Their account.") { $0.actor.name },
            .text("resourceid", "What it is about.") { $0.subjectID },
            .text("resourcetype", "The kind of that.") { EventWords.kind($0.subjectKind) },
            .text("resourcename", "The name of that.") { $0.subjectName },
            .text("jobid", "The job; beyond the protocol.") { $0.job?.description },
            .always("domainid", "The domain's id.", WellKnown.domain),
            .always("domain", "The domain's name.", domainName),
        ]
    )

    static let eventType = Shape<String>("eventtype", [.text("name", "The name.") { $0 }])
}

/// The protocol's words for what happens.
enum EventWords {
    /// By the codes of the activity log.
    static let types: [String: String] = [
        "snapshots.create": "SNAPSHOT.CREATE", "snapshots.delete": "SNAPSHOT.DELETE",
        "snapshots.update": "SNAPSHOT.UPDATE", "snapshots.verify": "SNAPSHOT.VERIFY",
        "volumes.revert": "SNAPSHOT.REVERT", "volumes.create": "VOLUME.CREATE", "volumes.delete": "VOLUME.DELETE",
        "volumes.attach": "VOLUME.ATTACH", "volumes.detach": "VOLUME.DETACH", "volumes.resize": "VOLUME.RESIZE",
        "templates.create": "TEMPLATE.CREATE", "templates.import": "TEMPLATE.CREATE",
        "templates.update": "TEMPLATE.UPDATE", "templates.delete": "TEMPLATE.DELETE", "instances.create": "VM.CREATE",
        "instances.destroy": "VM.DESTROY", "instances.recover": "VM.RECOVER", "instances.restore": "VM.RESTORE",
        "volumes.destroy": "VOLUME.DESTROY", "volumes.recover": "VOLUME.RECOVER",
        "instances.start": "VM.START", "instances.stop": "VM.STOP", "instances.reboot": "VM.REBOOT",
        "instances.update": "VM.UPDATE", "instances.delete": "VM.EXPUNGE", "tags.create": "CREATE_TAGS",
        "tags.delete": "DELETE_TAGS", "policies.create": "SNAPSHOTPOLICY.CREATE",
        "policies.update": "SNAPSHOTPOLICY.UPDATE", "policies.delete": "SNAPSHOTPOLICY.DELETE",
    ]

    /// Of a whole machine's going back.
    private static let instanceRevert = "VMSNAPSHOT.REVERTTO"

    /// What the protocol has no word for keeps its code, in its letter case.
    static func type(of code: String, _ subjectKind: String) -> String {
        if code == "volumes.revert", subjectKind == "instances" { return instanceRevert }
        return types[code] ?? code.uppercased()
    }

    static let all = (Set(types.values).union([instanceRevert])).sorted()

    /// The codes that can have a type.
    static func codes(of type: String) -> [String] {
        guard type.uppercased() != instanceRevert else { return ["volumes.revert"] }
        let known = types.filter { $0.value.lowercased() == type.lowercased() }.keys.sorted()
        return known.isEmpty ? [type.lowercased()] : known
    }

    static func kind(_ plural: String) -> String {
        switch plural {
        case "volumes": "Volume"
        case "snapshots": "Snapshot"
        case "templates": "Template"
        case "instances": "VirtualMachine"
        case "environments": "Project"
        default: plural
        }
    }
}
