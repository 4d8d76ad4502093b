import ArgumentParser

struct PoolCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pool",
        abstract: "Where volumes, snapshots and templates lie: look, and check.",
        discussion: """
            Pools are made in the service's configuration ([[pools]] in the file of 'instanta serve --config'). One that is \
            down keeps no other from working; what lies in it is shown with the reason, and is back when it is.
            """,
        subcommands: [PoolListCommand.self, PoolShowCommand.self, PoolCheckCommand.self]
    )
}

/// How pools are shown.
enum PoolLayout {
    static let list: [Field] = [
        .text(.pool, "id", fit: .stays), state, .text(.kind, "kind"), .bytes(.total, "totalBytes"),
        .bytes(.free, "freeBytes"), .bytes(.used, "layerBytes"), isDefault,
        Field(title: .trouble) { pool, _ in pool["trouble"].string.map { Table.Cell($0, .bad) } },
    ]
    static let sheet: [Field] = [
        .text(.pool, "id"), state, .text(.kind, "kind"), .text(.address, "place"), isDefault,
        .bytes(.total, "totalBytes"), .bytes(.free, "freeBytes"), .bytes(.reserve, "reserveBytes"),
        .bytes(.limit, "maxBytes"), .number(.depth, "layers"), .bytes(.used, "layerBytes"),
        .bytes(.exclusive, "exclusiveBytes"), .bytes(.shared, "sharedBytes"), .bytes(.collectable, "collectableBytes"),
        .instant(.when, "since"),
        Field(title: .trouble) { pool, _ in pool["trouble"].string.map { Table.Cell($0, .bad) } },
    ]
    static let check: [Field] = [
        Field(title: .event) { step, reader in word(step["step"]).map { Table.Cell(reader.word($0)) } },
        Field(title: .duration, alignment: .trailing) { step, _ in
            guard let time = step["milliseconds"].string else { return nil }
            return Table.Cell("\(time) ms", step["slow"].bool == true ? .bad : .plain)
        },
        Field(title: .state) { step, reader in
            if step["error"]["message"].string != nil { return Table.Cell(reader.word(.failed), .bad) }
            if step["slow"].bool == true { return Table.Cell(reader.word(.slow), .bad) }
            return Table.Cell(reader.word(.succeeded), .good)
        },
        .failure,
    ]

    private static let state = Field(title: .state) { pool, reader in
        switch pool["state"].string {
        case "ready": Table.Cell(reader.word(.ready), .good)
        case "starting": Table.Cell(reader.word(.starting), .working)
        case "down": Table.Cell(reader.word(.down), .bad)
        case "not_configured": Table.Cell(reader.word(.notConfigured), .bad)
        case let other: other.map { Table.Cell($0) }
        }
    }

    private static let isDefault = Field(title: .standard) { pool, reader in
        reader.truth(pool["isDefault"]).map { Table.Cell($0) }
    }

    private static func word(_ step: JSONValue) -> Word? {
        switch step.string {
        case "answer": .stepAnswer
        case "create": .stepCreate
        case "write": .stepWrite
        case "read": .stepRead
        case "delete": .stepDelete
        default: nil
        }
    }
}

struct PoolOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The pool to make it in; 'instanta pool list' shows them.", valueName: "pool"))
    var pool: String?
}

struct PoolListCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the pools, how they are and how full.",
        discussion: "Example: instanta pool list",
        aliases: ["ls"]
    )

    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        try call.present(await call.client.list(.init(path: ["pools"])), fields: PoolLayout.list)
    }
}

struct PoolShowCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show everything about a pool.",
        discussion: "Example: instanta pool show local"
    )

    @Argument(help: "The pool.")
    var pool: String

    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        let found = try await call.client.get(.init(path: ["pools", pool]))
        try call.write(found) {
            Sheet(found, fields: PoolLayout.sheet, reader: call.reader)
                .text(usesColour: call.surroundings.terminal.usesColour)
        }
    }
}

struct PoolCheckCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Try a pool: write, read and delete a small layer, and say how long it takes. For operators.",
        discussion: """
            Nothing else in the pool is touched. Ends with 1 when something failed; what is slow is said and is no failure.

            Example: instanta pool check fast
            """
    )

    @Argument(help: "The pool.")
    var pool: String

    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        let endpoint = APIClient.Endpoint(path: ["pools", pool], query: ["operation": "check"])
        let check = try await call.client.send(.post, endpoint)["data"]
        try call.write(check) {
            Table(check["steps"].elements, fields: PoolLayout.check, reader: call.reader)
                .text(
                    width: call.surroundings.terminal.width,
                    usesColour: call.surroundings.terminal.usesColour
                )
        }
        if check["good"].bool != true { throw CommandFailure(.failed, "The pool '\(pool)' did not pass.") }
    }
}
