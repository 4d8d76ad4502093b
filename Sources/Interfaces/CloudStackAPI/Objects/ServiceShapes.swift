import SnapshotDomain

/// The objects of this protocol.
enum Shapes {
    static let hypervisorName = "KVM"
    static let domainName = "ROOT"

    /// From the zone's name.
    static let zone = Shape<String>(
        "zone",
        [
            .always("id", "The id.", WellKnown.zone),
            .text("name", "The name.") { $0 },
            .always("networktype", "Basic or Advanced.", "Advanced"),
            .always("allocationstate", "Whether machines can be deployed.", "Enabled"),
            .always("securitygroupsenabled", "Whether there are security groups.", false),
            .always("localstorageenabled", "Whether disks lie on the host.", true),
            .always("dhcpprovider", "What gives machines their addresses.", "User mode network"),
            .always("zonetoken", "The zone's token.", WellKnown.zone),
            .list("tags", "Always empty.") { _ in [] },
        ]
    )

    static let hypervisor = Shape<String>("hypervisor", [.text("name", "The name.") { $0 }])

    static let capability = Shape<Principal>(
        "capability",
        [
            .always("cloudstackversion", "The version of the protocol.", CloudStackConfiguration.protocolVersion),
            .always("securitygroupsenabled", "Whether there are security groups.", false),
            .always("kvmsnapshotenabled", "Whether snapshots of running machines can be taken.", true),
            .flag("userpublictemplateenabled", "Whether the caller's templates can be public.") { $0.user.isOperator },
            // A string by the protocol.
            .always("supportELB", "Whether there are elastic load balancers.", "false"),
            .always("projectinviterequired", "Whether members must accept an invitation.", false),
            .flag("allowusercreateprojects", "Whether the caller can create environments.") { $0.user.isOperator },
            .integer("customdiskofferingminsize", "The smallest custom disk, in GiB.") { _ in 1 },
            .integer("customdiskofferingmaxsize", "The largest custom disk, in GiB.") { _ in
                VolumeLimits.largest.wholeGibibytes
            },
            .integer("defaultuipagesize", "Rows on a page.") { _ in 50 },
            .always("dynamicrolesenabled", "Whether roles can be made.", false),
            .always("allowuserviewdestroyedvm", "Whether destroyed machines are seen.", true),
            .always("allowuserexpungerecovervm", "Whether users expunge and recover machines.", true),
            .always("snapshotshowchainsize", "Whether snapshots say the size of their chain.", false),
        ]
    )

    static let osType = Shape<Choice<OSType>>(
        "ostype",
        [
            .text("id", "The id.") { $0.id },
            .always("oscategoryid", "The category's id.", WellKnown.guestOSCategory),
            .text("name", "The name.") { $0.value.name },
            .text("description", "The name.") { $0.value.name },
            .always("isuserdefined", "Whether a user made it.", false),
        ]
    )

    static let computeOffering = Shape<ComputeOffering>(
        "serviceoffering",
        [
            .text("id", "The id.") { $0.wireID },
            .text("name", "The name.") { $0.name },
            .text("displaytext", "The description, or the name.") {
                $0.description.isEmpty ? $0.name : $0.description
            },
            // Clients need numbers also where the caller chooses them: then these are the least.
            .integer("cpunumber", "Processors.") { Int64($0.cpuCount ?? ComputeOffering.cpuBounds.lowerBound) },
            .integer("memory", "Memory in MiB.") {
                $0.memory.map { $0.bytes >> 20 } ?? Int64(ComputeOffering.memoryBoundsInMebibytes.lowerBound)
            },
            .integer("cpuspeed", "A nominal speed in MHz: none is enforced.") { _ in nominalSpeed },
            .flag("iscustomized", "Whether the caller chooses processors and memory.") { $0.isCustom },
            .always("storagetype", "Where disks lie.", "local"),
            .always("provisioningtype", "How disks take space.", "thin"),
            .always("offerha", "Whether machines start elsewhere when a host fails.", false),
            .always("limitcpuuse", "Whether the speed is enforced.", false),
            .always("isvolatile", "Whether the root disk is new at each start.", false),
            .always("issystem", "Whether it is for the service's own machines.", false),
            .always("defaultuse", "Whether it is the default of such.", false),
            .always("state", "The state.", "Active"),
        ]
    )

    static let nominalSpeed: Int64 = 2_000

    static let diskOffering = Shape<DiskOffering>(
        "diskoffering",
        [
            .text("id", "The id.") { $0.wireID },
            .text("name", "The name.") { $0.name },
            .text("displaytext", "The description, or the name.") {
                $0.description.isEmpty ? $0.name : $0.description
            },
            .integer("disksize", "The size in GiB; 0 when the caller chooses it.") {
                $0.size?.wholeGibibytes ?? 0
            },
            .flag("iscustomized", "Whether the caller chooses the size.") { $0.isCustom },
            .always("iscustomizediops", "Whether the caller chooses a rate.", false),
            .always("displayoffering", "Whether users see it.", true),
            .always("provisioningtype", "How disks take space.", "thin"),
            .always("storagetype", "Where disks lie.", "local"),
            .always("state", "The state.", "Active"),
        ]
    )

    static let api = Shape<Command>(
        "api",
        [
            .text("name", "The command.") { $0.name },
            .text("description", "What it does.") { $0.summary },
            .flag("isasync", "Whether it answers with a job.") { $0.kind != .synchronous },
            .always("since", "Since when.", ""),
            .always("related", "Related commands.", ""),
            .list("params", "The parameters.") { $0.parameters.map(parameter.json) },
            .list("response", "The fields of what it answers with.") { $0.result.fields.map(field.json) },
        ]
    )

    private static let parameter = Shape<Parameter>(
        "params",
        [
            .text("name", "The name.") { $0.name },
            .text("description", "What it means.") { $0.summary },
            .text("type", "The kind of value.") { $0.kind.word },
            .integer("length", "The longest value.") { _ in 255 },
            .flag("required", "Whether it must be sent.") { $0.isRequired },
            .always("related", "Related commands.", ""),
        ]
    )

    private static let field = Shape<ResultDescription.Field>(
        "response",
        [
            .text("name", "The name.") { $0.name },
            .text("type", "The kind of value.") { $0.type },
            .text("description", "What it means.") { $0.summary },
        ]
    )
}
