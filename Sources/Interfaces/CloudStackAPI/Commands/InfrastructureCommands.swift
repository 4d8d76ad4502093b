import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// What stands behind the zone: one host in one cluster in one pod, and the pools.
enum InfrastructureCommands {
    static let all: [Command] = [pods, clusters, hosts, pools, settings]

    private static let pods = Command.list(
        "listPods",
        "Lists the pod: there is one.",
        access: .operators,
        [Parameter("id", .text, "The pod's id."), .name, .keyword, .zone],
        of: Shapes.pod
    ) { call in
        try call.answer([Place.name].filter { call.matches(name: $0, id: WellKnown.pod) }, Shapes.pod)
    }

    private static let clusters = Command.list(
        "listClusters",
        "Lists the cluster: there is one.",
        access: .operators,
        [Parameter("id", .text, "The cluster's id."), .name, .keyword, .zone],
        of: Shapes.cluster
    ) { call in
        try call.answer([Place.name].filter { call.matches(name: $0, id: WellKnown.cluster) }, Shapes.cluster)
    }

    private static let hosts = Command.list(
        "listHosts",
        "Lists the host: there is one.",
        access: .operators,
        [
            Parameter("id", .text, "The host's id."), .name, .keyword, .zone,
            Parameter("type", .text, "Routing, for hosts that run machines."),
            Parameter("state", .text, "Up."),
        ],
        of: Shapes.host
    ) { call in
        let isRight = ("routing", "up")
        let (type, state) = (call.arguments.text("type")?.lowercased(), call.arguments.text("state")?.lowercased())
        guard type ?? isRight.0 == isRight.0, state ?? isRight.1 == isRight.1 else { return .fields([:]) }
        let host = Place(zone: call.configuration.zoneName, version: try await call.cloud.status(call.caller).version)
        return try call.answer([host].filter { _ in call.matches(name: Place.name, id: WellKnown.host) }, Shapes.host)
    }

    private static let pools = Command.list(
        "listStoragePools",
        "Lists the pools that disks lie on.",
        access: .operators,
        [Parameter("id", .text, "The pool's id."), .name, .keyword, .zone],
        of: Shapes.pool
    ) { call in
        let pools = try await call.cloud.status(call.caller).pools.map {
            PoolEntry(status: $0, zone: call.configuration.zoneName)
        }
        return try call.answer(
            pools.filter { call.matches(name: $0.status.pool.description, id: WellKnown.id(of: $0.status.pool)) },
            Shapes.pool
        )
    }

    private static let settings = Command.list(
        "listConfigurations",
        "Lists those settings that this protocol has a name for.",
        access: .operators,
        [Parameter("name", .text, "The exact name."), Parameter("category", .text, "Read and not heeded."), .keyword],
        of: Shapes.setting,
        deviations: ["Settings are changed in the service's configuration file."]
    ) { call in
        try call.answer(
            Setting.all(call.configuration).filter { call.matches(name: $0.name, id: $0.name) },
            Shapes.setting
        )
    }
}

/// Where the one host stands.
struct Place: Sendable {
    static let name = "instanta"

    let zone: String
    let version: String
}

struct PoolEntry: Sendable {
    let status: PoolStatus
    let zone: String
}

struct Setting: Sendable {
    let name: String
    let value: String
    let summary: String

    static func all(_ configuration: CloudStackConfiguration) -> [Setting] {
        [
            Setting(name: "default.page.size", value: "\(Page.largest)", summary: "Rows of a list without pagesize."),
            Setting(
                name: "expunge.delay",
                value: "\(configuration.destroyedLifetime.components.seconds)",
                summary: "Seconds after which what was destroyed is expunged."
            ),
            Setting(
                name: "expunge.interval",
                value: "60",
                summary: "Seconds between two looks for what is to be expunged."
            ),
            Setting(
                name: "allow.user.expunge.recover.vm",
                value: "true",
                summary: "Whether users expunge and recover."
            ),
            Setting(
                name: "allow.user.view.destroyed.vm",
                value: "true",
                summary: "Whether users see what is destroyed."
            ),
        ]
            + ["hourly", "daily", "weekly", "monthly"].map { interval in
                Setting(
                    name: "snapshot.max.\(interval)",
                    value: "8",
                    summary: "The most snapshots that a policy of this interval keeps."
                )
            }
    }
}

extension Shapes {
    static let pod = Shape<String>(
        "pod",
        [
            .always("id", "The id.", WellKnown.pod),
            .text("name", "The name.") { $0 },
            .always("zoneid", "The zone's id.", WellKnown.zone),
            .always("allocationstate", "Whether machines can be deployed.", "Enabled"),
        ]
    )

    static let cluster = Shape<String>(
        "cluster",
        [
            .always("id", "The id.", WellKnown.cluster),
            .text("name", "The name.") { $0 },
            .always("podid", "The pod's id.", WellKnown.pod),
            .always("zoneid", "The zone's id.", WellKnown.zone),
            .always("hypervisortype", "What runs machines.", hypervisorName),
            .always("clustertype", "The kind.", "CloudManaged"),
            .always("allocationstate", "Whether machines can be deployed.", "Enabled"),
            .always("managedstate", "Whether it is managed.", "Managed"),
        ]
    )

    static let host = Shape<Place>(
        "host",
        [
            .always("id", "The id.", WellKnown.host),
            .always("name", "The name.", Place.name),
            .always("state", "The state.", "Up"),
            .always("type", "The kind.", "Routing"),
            .always("resourcestate", "Whether machines can be deployed.", "Enabled"),
            .always("hypervisor", "What runs machines.", hypervisorName),
            .text("version", "The service's version.") { $0.version },
            .always("clusterid", "The cluster's id.", WellKnown.cluster),
            .always("podid", "The pod's id.", WellKnown.pod),
            .always("zoneid", "The zone's id.", WellKnown.zone),
            .text("zonename", "The zone's name.") { $0.zone },
        ]
    )

    static let pool = Shape<PoolEntry>(
        "storagepool",
        [
            .text("id", "The id.") { WellKnown.id(of: $0.status.pool) },
            .text("name", "The name.") { $0.status.pool.description },
            .text("state", "Up, or Down for one that cannot be reached.") { $0.status.state == .ready ? "Up" : "Down" },
            .always("scope", "Which hosts reach it.", "HOST"),
            .text("type", "The kind: Filesystem or RBD.") { $0.status.kind == "rbd" ? "RBD" : "Filesystem" },
            .integer("disksizetotal", "Bytes in all.") { $0.status.capacity?.total.bytes },
            .integer("disksizeused", "Bytes that are taken, by whatever.") {
                $0.status.capacity.map { ($0.total - $0.free).bytes }
            },
            .always("hypervisor", "What uses it.", hypervisorName),
            .always("clusterid", "The cluster's id.", WellKnown.cluster),
            .always("podid", "The pod's id.", WellKnown.pod),
            .always("zoneid", "The zone's id.", WellKnown.zone),
            .text("zonename", "The zone's name.") { $0.zone },
        ]
    )

    static let setting = Shape<Setting>(
        "configuration",
        [
            .text("name", "The name.") { $0.name },
            .text("value", "The value.") { $0.value },
            .text("description", "What it means.") { $0.summary },
            .always("category", "The group that it stands in.", "Advanced"),
            .always("isdynamic", "Whether it can be changed while the service runs.", false),
        ]
    )
}
