/// Which facts of a resource people see: a few in lists, all of them when one is shown.
struct Layout: Sendable {
    var list: [Field]
    var sheet: [Field]
}

extension Layout {
    static func of(_ kind: ResourceKind) -> Layout {
        switch kind {
        case .environment: environment
        case .instance: instance
        case .volume: volume
        case .snapshot: snapshot
        case .template: template
        case .computeOffering: computeOffering
        case .diskOffering: diskOffering
        case .user: user
        }
    }

    private static let environment = Layout(
        list: [
            .name, .state(of: .environment), .text(.description, "description"), .instant(.created, "creationDate"),
            .id,
        ],
        sheet: [
            .name, .state(of: .environment), .text(.description, "description"), serviceCode,
            .instant(.created, "creationDate"), .id,
        ]
    )

    private static let serviceCode = Field(title: .service) { resource, _ in
        resource["serviceConnection"]["serviceCode"].string.map { Table.Cell($0) }
    }

    private static let instance = Layout(
        list: [
            .name, .state(of: .instance), .text(.address, "ipAddress", fit: .yields(rank: 4)),
            .number(.cpus, "cpuCount", fit: .yields(rank: 1)), memory,
            .text(.template, "imageName"), .id,
        ],
        sheet: [
            .name, .state(of: .instance), .text(.address, "ipAddress"), .text(.network, "networkName"), ssh,
            .number(.cpus, "cpuCount"), memory, .text(.offering, "computeOfferingName"), .text(.template, "imageName"),
            agent, volumes, .text(.failure, "stateReason"), .progress, .failure,
            .instant(.created, "creationDate"), .id,
        ]
    )

    private static let memory = Field(title: .memory, alignment: .trailing, fit: .yields(rank: 2)) { resource, _ in
        resource["memoryInMB"].int64.map { Table.Cell(HumanText.size($0 << 20)) }
    }

    private static let ssh = Field(title: .sshPort) { resource, _ in
        resource["sshPort"].int64.map { Table.Cell("ssh -p \($0) …@127.0.0.1") }
    }

    private static let agent = Field(title: .agent) { resource, reader in
        reader.truth(resource["isAgentAnswering"]).map { Table.Cell($0) }
    }

    private static let volumes = Field(title: .volumes) { resource, _ in
        let names = resource["volumes"].elements.compactMap { $0["name"].string }
        return names.isEmpty ? nil : Table.Cell(names.joined(separator: ", "))
    }

    private static let volume = Layout(
        list: [
            .name, .state(of: .volume), role, .diskSize, .text(.instance, "instanceName"),
            .bytes(.exclusive, "exclusiveBytes", fit: .yields(rank: 2)),
            .instant(.created, "creationDate", fit: .yields(rank: 1)),
            .id,
        ],
        sheet: [
            .name, .state(of: .volume), role, .diskSize, .text(.instance, "instanceName"),
            .bytes(.exclusive, "exclusiveBytes"), .bytes(.shared, "sharedBytes"),
            .text(.diskOffering, "diskOfferingName"), .text(.pool, "poolId"),
            depth, undo, .progress, .failure, .instant(.created, "creationDate"), .id,
        ]
    )

    private static let role = Field(title: .kind) { resource, reader in
        roleCell(resource["type"], reader)
    }

    private static func roleCell(_ value: JSONValue, _ reader: Reader) -> Table.Cell? {
        switch value.string?.lowercased() {
        case "os": Table.Cell(reader.word(.systemDisk))
        case "data": Table.Cell(reader.word(.dataDisk))
        default: value.string.map { Table.Cell($0) }
        }
    }

    private static let depth = Field(title: .depth) { resource, _ in
        guard let depth = resource["chainDepth"].int64 else { return nil }
        guard let missing = resource["chainMissingBytes"].int64 else { return Table.Cell("\(depth)") }
        let advice = "too deep for fast reads; to shorten it, the pool needs \(HumanText.size(missing)) more free space"
        return Table.Cell("\(depth): \(advice)", .bad)
    }

    private static let undo = Field(title: .undo) { resource, _ in
        guard resource["undoSnapshotId"].string != nil, let name = resource["name"].string else { return nil }
        return Table.Cell("instanta volume undo-revert \(ShellWord.quote(name))")
    }

    private static let snapshot = Layout(
        list: [
            .name, snapshotState, .text(.volume, "volume"), .diskSize,
            .bytes(.exclusive, "exclusiveBytes", fit: .yields(rank: 2)),
            Field(title: .consistency, fit: .yields(rank: 1)) { resource, _ in
                resource["consistency"].string.map { Table.Cell($0) }
            },
            .instant(.created, "creationDate"), .id,
        ],
        sheet: [
            .name, snapshotState, .text(.description, "description"), .text(.volume, "volume"),
            Field(title: .kind) { resource, reader in roleCell(resource["volumeType"], reader) },
            .text(.instance, "instanceName"), .diskSize, .bytes(.exclusive, "exclusiveBytes"),
            .bytes(.shared, "sharedBytes"), .text(.pool, "poolId"),
            .text(.requested, "consistencyRequested"), .text(.achieved, "consistency"), frozen,
            .bytes(.memory, "memoryBytes"), .text(.agent, "agentAnswer"), .text(.group, "groupId"),
            .text(.parent, "parentId"), dependents,
            .text(.digest, "digest"), .instant(.verified, "verifiedAt"),
            .instant(.damageFound, "damagedAt"), .progress, .failure,
            .instant(.created, "creationDate"), .id,
        ]
    )

    /// Damage is no state of its own on the wire: the snapshot is there, and not to be relied on.
    private static let snapshotState = Field(title: .state) { resource, reader in
        guard resource["damagedAt"].string == nil else { return Table.Cell(reader.word(.damaged), .bad) }
        return resource["state"].string.map { reader.state($0, of: .snapshot) }
    }

    private static let frozen = Field(title: .frozen) { resource, _ in
        resource["freezeMilliseconds"].int64.map { Table.Cell("\($0) ms") }
    }

    private static let dependents = Field(title: .dependents) { resource, _ in
        let names = resource["dependents"].elements.compactMap(DeletionSummary.dependent)
        return names.isEmpty ? nil : Table.Cell(names.joined(separator: ", "))
    }

    private static let template = Layout(
        list: [
            .name, templateState, .bytes(.size, "size"), .text(.operatingSystem, "osTypeName"),
            .bytes(.exclusive, "exclusiveBytes", fit: .yields(rank: 2)), .instant(.created, "created"), .id,
        ],
        sheet: [
            .name, templateState, .text(.description, "description"), .bytes(.size, "size"),
            .bytes(.exclusive, "exclusiveBytes"), .bytes(.shared, "sharedBytes"), .text(.operatingSystem, "osTypeName"),
            pools, .progress, .failure, .instant(.created, "created"), .id,
        ]
    )

    /// The contract has no state for templates, only whether they are ready.
    private static let templateState = Field(title: .state) { resource, reader in
        if let state = resource["state"].string { return reader.state(state, of: .template) }
        return resource["ready"].bool.map { reader.state($0 ? "Ready" : "Creating", of: .template) }
    }

    private static let pools = Field(title: .pool) { resource, _ in
        let pools = resource["pools"].elements.compactMap(\.string)
        return pools.isEmpty ? nil : Table.Cell(pools.joined(separator: ", "))
    }

    private static let computeOffering = Layout(
        list: [.name, .number(.cpus, "cpuCount"), memory, .id],
        sheet: [.name, .number(.cpus, "cpuCount"), memory, .id]
    )

    private static let diskOffering = Layout(
        list: [.name, gibibytes, .id],
        sheet: [.name, gibibytes, .id]
    )

    private static let user = Layout(
        list: [
            .name, isOperator, isDisabled, environments, .instant(.created, "creationDate", fit: .yields(rank: 1)), .id,
        ],
        sheet: [.name, isOperator, isDisabled, environments, .instant(.created, "creationDate"), .id]
    )

    private static let isOperator = Field(title: .operator) { user, reader in
        reader.truth(user["isOperator"]).map { Table.Cell($0) }
    }

    private static let isDisabled = Field(title: .disabled) { user, reader in
        reader.truth(user["isDisabled"]).map { Table.Cell($0) }
    }

    private static let environments = Field(title: .environments, fit: .shrinks) { user, _ in
        let places = user["environments"].elements.compactMap { place -> String? in
            guard let name = place["name"].string, let role = place["role"].string else { return nil }
            return "\(name) (\(role))"
        }
        return places.isEmpty ? nil : Table.Cell(places.joined(separator: ", "))
    }

    private static let gibibytes = Field(title: .size, alignment: .trailing) { resource, _ in
        resource["gbSize"].int64.map { Table.Cell(HumanText.size($0 << 30)) }
    }
}
