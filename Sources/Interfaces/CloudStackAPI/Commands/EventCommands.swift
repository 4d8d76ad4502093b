import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// The activity log, in the protocol's words.
enum EventCommands {
    static let all: [Command] = [list, types]

    private static let list = Command.list(
        "listEvents",
        "Lists what happened, newest first.",
        [
            Parameter("type", .text, "Those of a type, such as SNAPSHOT.CREATE."),
            Parameter("level", .word(["INFO", "WARN", "ERROR"]), "ERROR for what failed."),
            Parameter("state", .word(["Created", "Scheduled", "Started", "Completed"]), "All are Completed."),
            Parameter("startdate", .date, "Those since then."), Parameter("enddate", .date, "Those before then."),
            Parameter("resourceid", .text, "Those about one thing."),
        ],
        of: Shapes.event,
        deviations: ["A command has one event, Completed, when it has ended."]
    ) { call in
        let arguments = call.arguments
        let level = arguments.word("level")
        let codes = arguments.text("type").map { EventWords.codes(of: $0) }
        if level == "WARN" || (arguments.word("state") ?? "Completed") != "Completed" || codes?.isEmpty == true {
            return .fields([:])
        }
        let page = try Page(arguments)
        var filter = ActivityFilter(
            event: codes?.count == 1 ? codes?.first : nil,
            status: level == "ERROR" ? .failed : nil,
            from: arguments.date("startdate"),
            until: arguments.date("enddate"),
            subject: arguments.text("resourceid")?.lowercased()
        )
        let isWanted: ((ActivityEntry) -> Bool)? =
            level == "INFO" || (codes?.count ?? 1) > 1
            ? { entry in
                (level != "INFO" || entry.status != .failed) && (codes.map { $0.contains(entry.event) } ?? true)
            } : nil
        var rows: [ActivityEntry] = []
        var total = 0
        for environment in call.environments {
            filter.environment = environment.id
            var request = PageRequest(
                offset: isWanted == nil ? max(0, page.offset - total) : 0,
                limit: PageRequest.largest
            )
            while true {
                let found = try await call.cloud.listActivity(filter, page: request, call.caller)
                rows += isWanted.map { found.rows.filter($0) } ?? found.rows
                request.offset += found.rows.count
                let isEnough = isWanted == nil && rows.count >= page.limit ?? .max
                guard !isEnough, request.offset < found.total, !found.rows.isEmpty else {
                    total += found.total
                    break
                }
            }
        }
        if isWanted != nil {
            total = rows.count
            rows = page.cut(rows)
        } else if let limit = page.limit {
            rows = Array(rows.prefix(limit))
        }
        return .rows(rows.map(Shapes.event.json), total: total, named: Shapes.event.name)
    }

    private static let types = Command.list(
        "listEventTypes",
        "Lists the types of events.",
        access: .anybody,
        [],
        of: Shapes.eventType
    ) { call in
        try call.answer(Set(EventWords.types.map(\.value)).sorted(), Shapes.eventType)
    }
}

extension Shapes {
    static let event = Shape<ActivityEntry>(
        "event",
        [
            .text("id", "The id.") { Receipt(line: $0.id).job.description },
            .text("type", "The type.") { EventWords.type(of: $0.event) },
            .text("level", "INFO, or ERROR for what failed.") { $0.status == .failed ? "ERROR" : "INFO" },
            .always("state", "The state.", "Completed"),
            .text("description", "What happened.") { entry in
                let what = "\(entry.event) \(entry.subjectName): \(entry.status.rawValue)"
                return entry.message.map { "\(what). \($0)" } ?? what
            },
            .instant("created", "When.") { $0.createdAt },
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
        "instances.start": "VM.START", "instances.stop": "VM.STOP", "instances.reboot": "VM.REBOOT",
        "instances.update": "VM.UPDATE", "instances.delete": "VM.DESTROY", "tags.create": "CREATE_TAGS",
        "tags.delete": "DELETE_TAGS", "policies.create": "SNAPSHOTPOLICY.CREATE",
        "policies.update": "SNAPSHOTPOLICY.UPDATE", "policies.delete": "SNAPSHOTPOLICY.DELETE",
    ]

    /// What the protocol has no word for keeps its code, in its letter case.
    static func type(of code: String) -> String {
        types[code] ?? code.uppercased()
    }

    static func codes(of type: String) -> [String] {
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
