import SnapshotDomain

/// Sizes of machines and of data disks that can be chosen.
enum OfferingCommands {
    static let all: [Command] = [
        .list(
            "listServiceOfferings",
            "Lists the sizes of machine that can be chosen.",
            access: .anybody,
            [
                Parameter("id", .id(.computeOffering), "The offering's id."), .name, .keyword,
                Parameter("issystem", .flag, "Offerings for the service's own machines: it has none."),
            ],
            of: Shapes.computeOffering
        ) { call in
            let isSystem = call.arguments.flag("issystem") ?? false
            return try call.answer(
                isSystem ? [] : Choices.computeOfferings.filter { call.matches(name: $0.value.name, id: $0.id) },
                Shapes.computeOffering
            )
        },
        .list(
            "listDiskOfferings",
            "Lists the sizes of data disk that can be chosen.",
            access: .anybody,
            [Parameter("id", .id(.diskOffering), "The offering's id."), .name, .keyword, .zone],
            of: Shapes.diskOffering
        ) { call in
            try call.answer(
                Choices.diskOfferings.filter { call.matches(name: $0.value.name, id: $0.id) },
                Shapes.diskOffering
            )
        },
    ]
}
