import SnapshotDomain
import SnapshotServices

/// What the service is, and what it can do.
enum ServiceCommands {
    static let all: [Command] = [
        .list(
            "listZones",
            "Lists the zone.",
            access: .anybody,
            [
                Parameter("id", .id(.zone), "The zone's id."), .name, .keyword,
                Parameter(
                    "available",
                    .flag,
                    "Whether machines can be deployed in it: there is one zone, and they can."
                ),
            ],
            of: Shapes.zone
        ) { call in
            try call.answer(
                [call.configuration.zoneName].filter { call.matches(name: $0, id: WellKnown.zone) },
                Shapes.zone
            )
        },
        .list("listHypervisors", "Lists the hypervisor.", access: .anybody, [.zone], of: Shapes.hypervisor) { call in
            try call.answer([Shapes.hypervisorName], Shapes.hypervisor)
        },
        Command(
            name: "listCapabilities",
            summary: "Says what the service can do.",
            kind: .synchronous,
            access: .anybody,
            parameters: [],
            result: ResultDescription(Shapes.capability),
            handler: { call in .object(Shapes.capability.json(call.caller.principal), named: Shapes.capability.name) }
        ),
        .list(
            "listOsTypes",
            "Lists the kinds of operating system that a template can name.",
            access: .anybody,
            [
                Parameter("id", .id(.osType), "The kind's id."), .keyword,
                Parameter("description", .text, "The exact description."),
            ],
            of: Shapes.osType
        ) { call in
            let description = call.arguments.text("description")
            return try call.answer(
                Choices.osTypes.filter { type in
                    call.matches(name: type.value.name, id: type.id)
                        && (description == nil || description == type.value.name)
                },
                Shapes.osType
            )
        },
        .list(
            "listApis",
            "Lists the commands with their parameters and answers.",
            access: .anybody,
            [Parameter("name", .text, "The exact name of a command.")],
            of: Shapes.api
        ) { call in
            let name = call.arguments.text("name")
            return try call.answer(CommandTable.all.filter { name == nil || name == $0.name }, Shapes.api)
        },
    ]
}

extension Call {
    /// Whether a row of a list that is whole in memory fits the parameters id, name and keyword, as far as the command has
    /// them.
    func matches(name: String, id: String) -> Bool {
        func value(_ parameter: String) -> String? {
            command.parameter(parameter) == nil ? nil : arguments.text(parameter)
        }
        return (value("id").map { $0.lowercased() == id } ?? true)
            && (value("name").map { $0.lowercased() == name.lowercased() } ?? true)
            && (value("keyword").map { name.lowercased().contains($0.lowercased()) } ?? true)
    }
}
