import ArgumentParser
import Foundation

struct ActivityCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "activity",
        abstract: "Who did what, from where, and how it ended.",
        discussion: """
            Of the environment, newest first; with --all of all environments that you may see.

            Example: instanta activity --limit 20
            """
    )

    @Option(help: "At most this many.")
    var limit = 50

    @Flag(help: "Only what you did.")
    var mine = false

    @Flag(help: "Of all environments. For operators.")
    var all = false

    @OptionGroup var shared: SharedOptions

    func validate() throws {
        guard limit >= 1 else { throw ValidationError("--limit must be at least 1.") }
    }

    func perform(_ call: Call) async throws {
        var endpoint = APIClient.Endpoint(path: ["activity_log"])
        if !all { endpoint.query["environmentId"] = try await call.environmentName() }
        if mine { endpoint.query["only_mine"] = "true" }
        try call.present(await call.client.list(endpoint, atMost: limit), fields: Self.fields)
    }

    private static let fields: [Field] = [
        .instant(.when, "created", fit: .stays), .text(.user, "username"), .text(.event, "eventCode", fit: .stays),
        subject, status, .text(.message, "message"), .text(.address, "requesterIp", fit: .yields(rank: 1)),
    ]

    private static let status = Field(title: .state) { entry, reader in
        entry["status"].string.map(reader.taskStatus)
    }

    /// The contract wraps the subject as JSON into a string.
    private static let subject = Field(title: .subject, fit: .shrinks) { entry, _ in
        guard let text = entry["eventContext"].string,
            let context = try? JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
        else { return nil }
        return DeletionSummary.dependent(context).map { Table.Cell($0) }
    }
}

struct OfferingCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "offering",
        abstract: "The sizes of machines and disks that can be chosen.",
        subcommands: [OfferingListCommand.self]
    )
}

struct OfferingListCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List compute offerings, or disk offerings with --disk.",
        discussion: "Example: instanta offering list",
        aliases: ["ls"]
    )

    @Flag(help: "Disk offerings.")
    var disk = false

    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        let kind = disk ? ResourceKind.diskOffering : .computeOffering
        try call.present(await call.list(kind), as: kind)
    }
}

struct StatusCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "What the service runs on, and how full it is.",
        discussion: """
            EXCLUSIVE and SHARED are what volumes, snapshots and templates hold, alone and together; COLLECTABLE is on \
            its way back to FREE.

            Example: instanta status
            """
    )

    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        let status = try await call.client.get(.init(path: ["status"]))
        try call.write(status) {
            let reader = call.reader
            let colour = call.surroundings.terminal.usesColour
            let sheet = Sheet(status, fields: Self.service, reader: reader).text(usesColour: colour)
            let pools = Table(status["pools"].elements, fields: Self.pool, reader: reader)
            return sheet + "\n" + pools.text(width: call.surroundings.terminal.width, usesColour: colour)
        }
    }

    private static let service: [Field] = [
        .text(.version, "version"),
        Field(title: .accelerator) { status, _ in
            let accelerator = status["accelerator"]
            let parts = [accelerator["kind"].string?.uppercased(), accelerator["reason"].string].compactMap { $0 }
            return parts.isEmpty ? nil : Table.Cell(parts.joined(separator: ": "))
        },
        .number(.runningTasks, "runningTasks"),
        .number(.queuedTasks, "queuedTasks"),
        Field(title: .damagedSnapshots) { status, _ in
            guard let count = status["damagedSnapshots"].int64, count > 0 else { return nil }
            return Table.Cell("\(count)", .bad)
        },
    ]

    private static let pool: [Field] = [
        .text(.pool, "id"), .bytes(.total, "totalBytes"), .bytes(.free, "freeBytes"), .bytes(.used, "layerBytes"),
        .bytes(.exclusive, "exclusiveBytes", fit: .yields(rank: 2)),
        .bytes(.shared, "sharedBytes", fit: .yields(rank: 1)),
        .bytes(.collectable, "collectableBytes", fit: .yields(rank: 0)),
        Field(title: .trouble) { pool, _ in pool["trouble"].string.map { Table.Cell($0, .bad) } },
    ]
}
