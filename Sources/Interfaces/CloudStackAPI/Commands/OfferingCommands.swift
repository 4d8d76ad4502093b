import SnapshotDomain
import SnapshotServices

/// Sizes of machines and of data disks that can be chosen.
enum OfferingCommands {
    static let all: [Command] = [
        listCompute, createCompute, deleteCompute, listDisk, createDisk, deleteDisk,
    ]

    private static let names = [
        Parameter("name", .text, "The name, unique among those that can be chosen.").required,
        Parameter("displaytext", .text, "The description.").required,
    ]
    private static let stays = "What was made of it stays as it is, and keeps the offering's name."

    private static let listCompute = Command.list(
        "listServiceOfferings",
        "Lists the sizes of machine that can be chosen.",
        access: .anybody,
        [
            Parameter("id", .id(.computeOffering), "The offering's id."), .name, .keyword,
            Parameter("virtualmachineid", .id(.instance), "Read and not heeded: a machine can be of any size."),
            Parameter("issystem", .flag, "Offerings for the service's own machines: it has none."),
        ],
        of: Shapes.computeOffering
    ) { call in
        let isSystem = call.arguments.flag("issystem") ?? false
        let offerings = isSystem ? [] : try await call.computeOfferings()
        return try call.answer(
            offerings.filter { call.matches(name: $0.name, id: $0.wireID) },
            Shapes.computeOffering
        )
    }

    private static let createCompute = Command(
        name: "createServiceOffering",
        summary: "Adds a size of machine.",
        kind: .synchronous,
        access: .operators,
        parameters: names + [
            Parameter("cpunumber", .integer, "Processors; left out with memory, the caller chooses."),
            Parameter("memory", .integer, "Memory in MiB."),
            Parameter("cpuspeed", .integer, "Read and not heeded: no speed is enforced."),
        ],
        result: ResultDescription(Shapes.computeOffering),
        handler: { call in
            let offering = try await call.cloud.createComputeOffering(
                NewComputeOffering(
                    name: call.arguments.text("name") ?? "",
                    description: call.arguments.text("displaytext") ?? "",
                    cpuCount: call.arguments.integer("cpunumber"),
                    memory: call.arguments.integer("memory").map { .mebibytes(Int64(min(max(0, $0), 1 << 30))) }
                ),
                call.caller
            )
            return .object(Shapes.computeOffering.json(offering), named: Shapes.computeOffering.name)
        }
    )

    private static let deleteCompute = Command(
        name: "deleteServiceOffering",
        summary: "Withdraws a size of machine.",
        kind: .synchronous,
        access: .operators,
        parameters: [Parameter("id", .id(.computeOffering), "The offering's id.").required],
        result: .success,
        deviations: [stays],
        handler: { call in
            let id = try await call.computeOffering("id").id
            try await call.cloud.retireComputeOffering(id, call.caller)
            return .success
        }
    )

    private static let listDisk = Command.list(
        "listDiskOfferings",
        "Lists the sizes of data disk that can be chosen.",
        access: .anybody,
        [Parameter("id", .id(.diskOffering), "The offering's id."), .name, .keyword, .zone],
        of: Shapes.diskOffering
    ) { call in
        try call.answer(
            try await call.diskOfferings().filter { call.matches(name: $0.name, id: $0.wireID) },
            Shapes.diskOffering
        )
    }

    private static let createDisk = Command(
        name: "createDiskOffering",
        summary: "Adds a size of data disk.",
        kind: .synchronous,
        access: .operators,
        parameters: names + [
            Parameter("disksize", .integer, "The size in GiB; or customized=true."),
            Parameter("customized", .flag, "Whether the caller chooses the size."),
            Parameter("storagetype", .text, "Read and not heeded: disks lie on the service's pool."),
            Parameter("provisioningtype", .text, "Read and not heeded: all are thin."),
        ],
        result: ResultDescription(Shapes.diskOffering),
        handler: { call in
            let size = try call.gibibytes("disksize")
            let isCustom = call.arguments.flag("customized") ?? false
            guard (size == nil) == isCustom else {
                throw call.refuse("either disksize is needed, or customized=true, and not both.")
            }
            let offering = try await call.cloud.createDiskOffering(
                NewDiskOffering(
                    name: call.arguments.text("name") ?? "",
                    description: call.arguments.text("displaytext") ?? "",
                    size: size
                ),
                call.caller
            )
            return .object(Shapes.diskOffering.json(offering), named: Shapes.diskOffering.name)
        }
    )

    private static let deleteDisk = Command(
        name: "deleteDiskOffering",
        summary: "Withdraws a size of data disk.",
        kind: .synchronous,
        access: .operators,
        parameters: [Parameter("id", .id(.diskOffering), "The offering's id.").required],
        result: .success,
        deviations: [stays],
        handler: { call in
            guard let id = try await call.diskOffering("id")?.id else {
                throw call.refuse("the parameter id is missing.")
            }
            try await call.cloud.retireDiskOffering(id, call.caller)
            return .success
        }
    )
}

extension Call {
    /// Those that can be chosen.
    func computeOfferings() async throws(ServiceError) -> [ComputeOffering] {
        try await cloud.listComputeOfferings(caller).filter { !$0.isRetired }
    }

    /// Those that can be chosen.
    func diskOfferings() async throws(ServiceError) -> [DiskOffering] {
        try await cloud.listDiskOfferings(caller).filter { !$0.isRetired }
    }

    func computeOffering(_ parameter: String) async throws -> ComputeOffering {
        let id = arguments.text(parameter)?.lowercased()
        guard let offering = try await computeOfferings().first(where: { $0.wireID == id }) else {
            throw refuse("the offering that \(parameter) names can no longer be chosen.")
        }
        return offering
    }

    /// Nil when none is named.
    func diskOffering(_ parameter: String) async throws -> DiskOffering? {
        guard let id = arguments.text(parameter)?.lowercased() else { return nil }
        guard let offering = try await diskOfferings().first(where: { $0.wireID == id }) else {
            throw refuse("the offering that \(parameter) names can no longer be chosen.")
        }
        return offering
    }
}
