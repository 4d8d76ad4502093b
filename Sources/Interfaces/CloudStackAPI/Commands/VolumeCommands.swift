import SnapshotDomain
import SnapshotPorts
import SnapshotServices

enum VolumeCommands {
    static let all: [Command] = [list, create, attach, detach, delete, destroy, recover, resize]

    private static let id = Parameter("id", .id(.volume), "The volume.").placing

    private static let list = Command.list(
        "listVolumes",
        "Lists volumes, newest first.",
        [
            id, Parameter("ids", .ids(.volume), "Several, separated by commas; not with id.").placing, .name, .keyword,
            .tags,
            .zone,
            Parameter("type", .word(["ROOT", "DATADISK"]), "Root or data volumes."),
            Parameter("virtualmachineid", .id(.instance), "Those of a machine.").placing,
            Parameter("state", .text, "Those in a state, such as Ready."),
            Parameter("storageid", .text, "Those on a pool."),
        ],
        of: Shapes.volume
    ) { call in
        let filter = VolumeFilter(
            instance: call.arguments.id("virtualmachineid"),
            role: call.arguments.word("type").map { $0 == "ROOT" ? .root : .data },
            states: Set(ResourceState.Word.allCases),
            text: call.arguments.text("keyword"),
            ids: try call.wantedIDs(),
            name: try call.wantedName(),
            tags: call.wantedTags
        )
        let state = call.arguments.text("state")?.lowercased()
        let pool = call.arguments.text("storageid")?.lowercased()
        let isSelective = state != nil || pool != nil
        return try await call.list(
            Shapes.volume,
            where: isSelective
                ? { view in
                    (state == nil || state == StateWords.word(view.shownState).lowercased())
                        && (pool == nil || pool == WellKnown.id(of: view.volume.pool))
                } : nil
        ) { environment, page throws(ServiceError) in
            var filter = filter
            filter.environment = environment
            return try await call.cloud.listVolumes(filter, order: .newestFirst, page: page, call.caller)
        }
    }

    private static let create = Command(
        name: "createVolume",
        summary: "Creates a data volume, blank or from a snapshot.",
        kind: .creation,
        access: .may(.create),
        parameters: [
            Parameter("name", .text, "The name, unique in the environment.").required,
            Parameter("diskofferingid", .id(.diskOffering), "The size that it gets; not with snapshotid."),
            Parameter("snapshotid", .id(.snapshot), "What it is made from; its size is the snapshot's.").placing,
            Parameter("size", .integer, "The size in GiB, always and only with an offering of custom size."),
            Parameter("virtualmachineid", .id(.instance), "Attach it at once to this machine."),
            .zone, .project, Parameter("tags", .map, "Its tags."),
        ],
        result: ResultDescription(Shapes.volume),
        deviations: [
            "Names are unique in an environment.",
            "A blank volume is Ready at once, never Allocated, and snapshots of it can be taken before it was attached.",
            "A volume from a snapshot has the snapshot's size, and can be resized afterwards.",
        ],
        handler: { call in
            let name = try ResourceName(call.arguments.text("name") ?? "")
            let offering = try await call.diskOffering("diskofferingid")
            let submitted = try await call.cloud.createVolume(
                CreateVolumeRequest(
                    source: try source(call, offering),
                    name: name,
                    diskOffering: offering?.id,
                    instance: call.arguments.id("virtualmachineid")
                ),
                in: try call.environment,
                call.caller
            )
            try await call.tag(submitted.resource.reference)
            return .job(submitted.job, creating: submitted.resource.volume.id.description)
        }
    )

    private static func source(_ call: Call, _ offering: DiskOffering?) throws -> CreateVolumeRequest.Source {
        let size = try call.gibibytes("size")
        if let snapshot: SnapshotID = call.arguments.id("snapshotid") {
            guard size == nil else {
                throw call.refuse("a volume from a snapshot has the snapshot's size; resize it afterwards.")
            }
            return .snapshot(snapshot, isFull: false)
        }
        guard let offering else { throw call.refuse("one of diskofferingid and snapshotid is needed.") }
        return .blank(try offering.size(size, call))
    }

    private static let attach = Command(
        name: "attachVolume",
        summary: "Attaches a volume to a machine, running or stopped.",
        kind: .asynchronous,
        access: .may(.change),
        parameters: [
            id.required, Parameter("virtualmachineid", .id(.instance), "The machine.").required,
            Parameter("deviceid", .integer, "Read and not heeded: the first free place is taken."), .project,
        ],
        result: ResultDescription(Shapes.volume),
        deviations: [
            "The first free place is taken, whatever deviceid says.",
            "Machine snapshots do not stand in the way.",
        ],
        handler: { call in
            let submitted = try await call.cloud.attachVolume(
                try call.requiredID("id"),
                to: try call.requiredID("virtualmachineid"),
                in: try call.environment,
                call.caller
            )
            return .job(submitted.job)
        }
    )

    private static let detach = Command(
        name: "detachVolume",
        summary: "Detaches a data volume from its machine.",
        kind: .asynchronous,
        access: .may(.change),
        parameters: [
            id, Parameter("virtualmachineid", .id(.instance), "The machine, with deviceid instead of id.").placing,
            Parameter("deviceid", .integer, "The place in the machine."), .project,
        ],
        result: ResultDescription(Shapes.volume),
        deviations: ["Machine snapshots do not stand in the way."],
        handler: { call in
            let submitted = try await call.cloud.detachVolume(
                try await named(call),
                in: try call.environment,
                call.caller
            )
            return .job(submitted.job)
        }
    )

    /// The volume by its id, or by its machine and place.
    private static func named(_ call: Call) async throws -> VolumeID {
        if let id: VolumeID = call.arguments.id("id") { return id }
        guard let instance: InstanceID = call.arguments.id("virtualmachineid"),
            let slot = call.arguments.integer("deviceid")
        else { throw call.refuse("either id is needed, or virtualmachineid with deviceid.") }
        let volumes = try await call.instance(instance, in: try call.environment).volumes
        guard let volume = volumes.first(where: { $0.attachment?.slot == slot }) else {
            throw call.refuse("the machine has no volume at the place \(slot).")
        }
        return volume.id
    }

    private static let delete = Command(
        name: "deleteVolume",
        summary: "Deletes a detached volume; its snapshots stay.",
        kind: .synchronous,
        access: .may(.change),
        parameters: [id.required, .project],
        result: .success,
        handler: { call in
            try await call.finish(
                try await call.cloud.deleteVolume(try call.requiredID("id"), in: try call.environment, call.caller)
            )
            return .success
        }
    )

    private static let destroy = Command(
        name: "destroyVolume",
        summary: "Puts a detached volume aside, from where it can be recovered for a while; its snapshots stay.",
        kind: .asynchronous,
        access: .may(.change),
        parameters: [id.required, Parameter("expunge", .flag, "Delete it for good, at once."), .project],
        result: ResultDescription(Shapes.volume),
        deviations: ["A volume of a machine is detached first, or destroyed with its machine."],
        handler: { call in
            let id: VolumeID = try call.requiredID("id")
            guard call.arguments.flag("expunge") == true else {
                _ = try await call.cloud.destroyVolume(id, in: try call.environment, call.caller)
                return .job(try await call.receipt("volumes.destroy", id.description).job)
            }
            return .job(try await call.cloud.deleteVolume(id, in: try call.environment, call.caller))
        }
    )

    private static let recover = Command(
        name: "recoverVolume",
        summary: "Brings back a volume that was destroyed.",
        kind: .synchronous,
        access: .may(.change),
        parameters: [id.required, .project],
        result: ResultDescription(Shapes.volume),
        deviations: [
            "Refused when another volume has its name by now.",
            "One that was destroyed with its machine comes back with it.",
        ],
        handler: { call in
            let view = try await call.cloud.recoverVolume(
                try call.requiredID("id"),
                in: try call.environment,
                call.caller
            )
            return try await call.answer(view, Shapes.volume)
        }
    )

    private static let resize = Command(
        name: "resizeVolume",
        summary: "Grows a volume, also under a running machine.",
        kind: .asynchronous,
        access: .may(.change),
        parameters: [
            id.required, Parameter("size", .integer, "The new size in GiB."),
            Parameter("diskofferingid", .id(.diskOffering), "An offering of the new size."),
            Parameter("shrinkok", .flag, "Read and not heeded: volumes only grow."), .project,
        ],
        result: ResultDescription(Shapes.volume),
        deviations: ["Volumes only grow.", "Machine snapshots do not stand in the way."],
        handler: { call in
            let asked = try call.gibibytes("size")
            let offering = try await call.diskOffering("diskofferingid")
            guard
                let size = try offering.map({ offering throws(APIFailure) in try offering.size(asked, call) }) ?? asked
            else { throw call.refuse("one of size and diskofferingid is needed.") }
            let submitted = try await call.cloud.resizeVolume(
                try call.requiredID("id"),
                to: size,
                in: try call.environment,
                call.caller
            )
            return .job(submitted.job)
        }
    )
}

extension DiskOffering {
    /// The size of a volume of this offering, where the caller asks for one or does not.
    func size(_ asked: ByteCount?, _ call: Call) throws(APIFailure) -> ByteCount {
        switch (size, asked) {
        case (let size?, nil):
            return size
        case (nil, let asked?):
            return asked
        case (_?, _?):
            throw call.refuse("the offering '\(name)' has a size; leave out the parameter size.")
        case (nil, nil):
            throw call.refuse("the offering '\(name)' needs the parameter size, in GiB.")
        }
    }
}
