import Foundation
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

enum InstanceCommands {
    static let all: [Command] = [list, deploy, start, stop, reboot, destroy, recover, restore, update]

    private static let id = Parameter("id", .id(.instance), "The machine.").placing

    private static let list = Command.list(
        "listVirtualMachines",
        "Lists machines, newest first.",
        [
            id, Parameter("ids", .ids(.instance), "Several, separated by commas; not with id.").placing, .name,
            .keyword, .tags,
            .zone,
            Parameter("state", .text, "Those in a state, such as Running."),
            Parameter("templateid", .id(.template), "Those of a template."),
            Parameter("hostid", .text, "Those on a host: there is one."),
            Parameter("details", .list, "Read and not heeded: everything is told."),
        ],
        of: Shapes.instance
    ) { call in
        let filter = InstanceFilter(
            states: Set(ResourceState.Word.allCases),
            text: call.arguments.text("keyword"),
            ids: try call.wantedIDs(),
            name: try call.wantedName(),
            tags: call.wantedTags
        )
        let state = call.arguments.text("state")?.lowercased()
        let template: TemplateID? = call.arguments.id("templateid")
        if let host = call.arguments.text("hostid"), host.lowercased() != WellKnown.host { return .fields([:]) }
        let isSelective = state != nil || template != nil
        return try await call.list(
            Shapes.instance,
            where: isSelective
                ? { view in
                    (template == nil || template == view.instance.template)
                        && (state == nil || state == StateWords.word(view.shownState).lowercased())
                } : nil
        ) { environment, page throws(ServiceError) in
            var filter = filter
            filter.environment = environment
            return try await call.cloud.listInstances(filter, order: .newestFirst, page: page, call.caller)
        }
    }

    private static let deploy = Command(
        name: "deployVirtualMachine",
        summary: "Deploys a machine from a template, a snapshot or a root volume.",
        kind: .creation,
        access: .may(.create),
        parameters: [
            Parameter("serviceofferingid", .id(.computeOffering), "The size.").required,
            Parameter("templateid", .id(.template), "The template; or snapshotid, or volumeid."),
            Parameter("snapshotid", .id(.snapshot), "A snapshot of a root volume, or of a whole machine's."),
            Parameter("volumeid", .id(.volume), "A root volume, as it is now, also of a machine that runs."),
            Parameter("zoneid", .id(.zone), "The zone; there is one.").required,
            Parameter("name", .text, "A host name: letters, digits and dashes; left out, one is made."),
            Parameter("displayname", .text, "The name, when name is left out."),
            Parameter("startvm", .flag, "Whether it starts; it does by default."),
            Parameter("diskofferingid", .id(.diskOffering), "A blank data volume of this size, too."),
            Parameter("size", .integer, "The data volume's size in GiB, with an offering of custom size."),
            Parameter("rootdisksize", .integer, "The root volume's size in GiB, at least the template's."),
            Parameter("details", .map, "details[0].cpuNumber and details[0].memory (MiB), for the custom offering."),
            .project,
        ],
        result: ResultDescription(Shapes.instance),
        deviations: [
            "Names are unique in an environment, and a machine has one name.",
            "volumeid copies the volume and leaves it where it is.",
            "Networks, addresses, keys, user data and groups are not heeded: every machine has the user-mode network.",
        ],
        handler: { call in
            let environment = try call.environment
            let submitted = try await call.deploymentSource { source in
                try await call.cloud.deploy(
                    try await DeployRequest.read(call, from: source),
                    in: environment,
                    call.caller
                )
            }
            guard let instance = submitted.resource.first else { throw call.refuse("what it made is gone.") }
            return .job(submitted.job, creating: instance.instance.id.description)
        }
    )

    private static func power(
        _ name: String,
        _ summary: String,
        _ more: [Parameter] = [],
        _ act:
            @escaping @Sendable (Call, InstanceID, EnvironmentID) async throws(ServiceError) -> Submitted<InstanceView>
    ) -> Command {
        Command(
            name: name,
            summary: summary,
            kind: .asynchronous,
            access: .may(.change),
            parameters: [id.required] + more + [.project],
            result: ResultDescription(Shapes.instance),
            handler: { call in .job(try await act(call, try call.requiredID("id"), try call.environment).job) }
        )
    }

    private static let start = power("startVirtualMachine", "Starts a machine.") {
        call,
        id,
        environment throws(ServiceError) in
        try await call.cloud.startInstance(id, in: environment, call.caller)
    }

    private static let stop = power(
        "stopVirtualMachine",
        "Stops a machine: asks it to shut down, and pulls the plug if it does not.",
        [Parameter("forced", .flag, "Pull the plug at once.")]
    ) { call, id, environment throws(ServiceError) in
        try await call.cloud.stopInstance(
            id,
            isForced: call.arguments.flag("forced") ?? false,
            in: environment,
            call.caller
        )
    }

    private static let reboot = power("rebootVirtualMachine", "Restarts a machine.") {
        call,
        id,
        environment throws(ServiceError) in
        try await call.cloud.rebootInstance(id, in: environment, call.caller)
    }

    private static let destroy = Command(
        name: "destroyVirtualMachine",
        summary:
            "Stops a machine and puts it aside with its root volume; other volumes are detached, and snapshots stay.",
        kind: .asynchronous,
        access: .may(.change),
        parameters: [
            id.required, Parameter("expunge", .flag, "Delete it for good, at once, also one that was destroyed."),
            Parameter("volumeids", .ids(.volume), "Data volumes that go with it."), .project,
        ],
        result: ResultDescription(Shapes.instance),
        deviations: [
            "The name of a destroyed machine is free. Its policies rest, and come back with it.",
            "The data volumes that stay are detached at once, and not when it is expunged.",
        ],
        handler: { call in
            let id: InstanceID = try call.requiredID("id")
            let volumes: Set<VolumeID> = Set(call.arguments.ids("volumeids"))
            let environment = try call.environment
            guard call.arguments.flag("expunge") == true else {
                return .job(try await call.cloud.destroyInstance(id, with: volumes, in: environment, call.caller))
            }
            let request = DeleteInstanceRequest(volumesToDelete: volumes)
            return .job(try await call.cloud.deleteInstance(id, request, in: environment, call.caller))
        }
    )

    private static let recover = Command(
        name: "recoverVirtualMachine",
        summary: "Brings back a machine that was destroyed, stopped.",
        kind: .synchronous,
        access: .may(.change),
        parameters: [id.required, .project],
        result: ResultDescription(Shapes.instance),
        deviations: ["Refused when another machine has its name by now, or another volume that of its root volume."],
        handler: { call in
            let view = try await call.cloud.recoverInstance(
                try call.requiredID("id"),
                in: try call.environment,
                call.caller
            )
            return try await call.answer(view, Shapes.instance)
        }
    )

    private static let restore = Command(
        name: "restoreVirtualMachine",
        summary: "Puts a machine's root volume back to its template, or to another; what it held is kept for a while.",
        kind: .asynchronous,
        access: .may(.revert),
        parameters: [
            Parameter("virtualmachineid", .id(.instance), "The machine.").required.placing,
            Parameter("templateid", .id(.template), "The template; left out, the machine's own."), .project,
        ],
        result: ResultDescription(Shapes.instance),
        deviations: [
            "The root volume keeps its identity, its size and its snapshots.",
            "What is replaced is kept for a week as a snapshot, with undo=true.",
        ],
        handler: { call in
            .job(
                try await call.cloud.restoreInstance(
                    try call.requiredID("virtualmachineid"),
                    to: call.arguments.id("templateid"),
                    in: try call.environment,
                    call.caller
                ).job
            )
        }
    )

    private static let update = Command(
        name: "updateVirtualMachine",
        summary: "Renames a machine.",
        kind: .synchronous,
        access: .may(.change),
        parameters: [
            id.required, Parameter("name", .text, "The new name."),
            Parameter("displayname", .text, "The new name, when name is left out."), .project,
        ],
        result: ResultDescription(Shapes.instance),
        deviations: ["A machine has one name. Groups, details and user data are not heeded."],
        handler: { call in
            let id: InstanceID = try call.requiredID("id")
            let environment = try call.environment
            guard let name = try call.newName() ?? call.newName("displayname") else {
                return try await call.answer(try await call.instance(id, in: environment), Shapes.instance)
            }
            return try await call.answer(
                try await call.cloud.renameInstance(id, to: name, in: environment, call.caller),
                Shapes.instance
            )
        }
    )
}

extension Call {
    /// What a machine is deployed from, for as long as that takes to be asked for.
    fileprivate func deploymentSource<Made>(
        _ deploy: (DeploymentSource) async throws -> Submitted<Made>
    ) async throws -> Submitted<Made> {
        let sources: (TemplateID?, SnapshotID?, VolumeID?) = (
            arguments.id("templateid"), arguments.id("snapshotid"), arguments.id("volumeid")
        )
        switch sources {
        case (let template?, nil, nil): return try await deploy(.template(template))
        case (nil, let snapshot?, nil): return try await deploy(.snapshot(snapshot))
        case (nil, nil, let volume?): return try await passing(volume) { try await deploy(.snapshot($0)) }
        default: throw refuse("one of templateid, snapshotid and volumeid is needed.")
        }
    }
}

extension DeployRequest {
    fileprivate static func read(_ call: Call, from source: DeploymentSource) async throws -> DeployRequest {
        let arguments = call.arguments
        let details = Dictionary(arguments.map("details").map { ($0.lowercased(), $1) }) { first, _ in first }
        return DeployRequest(
            source: source,
            name: try name(call),
            computeOffering: try await call.computeOffering("serviceofferingid").id,
            cpuCount: details["cpunumber"].flatMap { Int($0) },
            memory: details["memory"].flatMap { Int64($0) }.map { .mebibytes(min($0, 1 << 30)) },
            rootVolumeSize: try call.gibibytes("rootdisksize"),
            dataVolumeSize: try await call.diskOffering("diskofferingid")?
                .size(try call.gibibytes("size"), call),
            startsInstances: arguments.flag("startvm") ?? true
        )
    }

    private static func name(_ call: Call) throws -> ResourceName {
        if let name = call.arguments.text("name") {
            let isHostName =
                (1...63).contains(name.utf8.count) && !name.hasPrefix("-") && !name.hasSuffix("-")
                && name.utf8.allSatisfy { byte in
                    switch byte {
                    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                        true
                    default: false
                    }
                }
            guard isHostName else {
                throw call.refuse(
                    "Invalid name. Vm name can only contain ASCII letters 'a' through 'z', the digits '0' through '9', and "
                        + "the hyphen ('-'), must be between 1 and 63 characters long, and can't start or end with \"-\"."
                )
            }
            return try ResourceName(name)
        }
        return try call.newName("displayname") ?? ResourceName("VM-\(UUID().uuidString.lowercased())")
    }
}
