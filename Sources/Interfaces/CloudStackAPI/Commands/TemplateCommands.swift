import Foundation
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

enum TemplateCommands {
    static let all: [Command] = [list, create, register, update, updatePermissions, delete]

    private static let id = Parameter("id", .id(.template), "The template.").placing
    private static let filters = [
        "featured", "self", "selfexecutable", "sharedexecutable", "executable", "community", "all",
    ]
    private static let properties = [
        Parameter("ostypeid", .id(.osType), "The kind of system; left out, another Linux."),
        Parameter("ispublic", .flag, "Whether every environment can use it; heeded for operators."),
        Parameter("passwordenabled", .flag, "Whether its machines ask for a password."),
        Parameter("sshkeyenabled", .flag, "Whether its machines ask for an SSH key."),
        Parameter("isdynamicallyscalable", .flag, "Whether its machines can grow while they run."),
    ]

    private static let list = Command.list(
        "listTemplates",
        "Lists templates, newest first: the environment's own and public ones.",
        [
            Parameter("templatefilter", .word(filters), "Which.").required,
            Parameter("id", .id(.template), "The template."),
            Parameter("ids", .ids(.template), "Several, separated by commas; not with id."), .name, .keyword, .tags,
            .zone,
            Parameter("hypervisor", .text, "KVM."),
        ],
        of: Shapes.template
    ) { call in
        let ids: Set<TemplateID>? = try call.wantedIDs()
        let (name, word) = (call.arguments.text("name"), call.arguments.text("keyword")?.lowercased())
        let filter = call.arguments.word("templatefilter") ?? "all"
        let isElsewhere = call.arguments.text("hypervisor").map { $0.lowercased() != "kvm" } ?? false
        let own = Set(call.environments.map(\.id))
        let wanted = call.wantedTags
        var tagged: Set<ResourceReference> = []
        if let wanted {
            for environment in own {
                for condition in wanted {
                    let filter = TagFilter(
                        environment: environment,
                        kind: .template,
                        key: condition.key,
                        value: condition.value
                    )
                    tagged.formUnion(
                        try await call.cloud.listTags(filter, page: .all, call.caller).rows.map(\.resource)
                    )
                }
            }
        }
        var seen: Set<TemplateID> = []
        return try await call.list(
            Shapes.template,
            where: { view in
                let template = view.template
                guard !isElsewhere, ids?.contains(template.id) ?? true,
                    name.map({ $0 == template.name.description }) ?? true,
                    word.map({ template.name.description.lowercased().contains($0) }) ?? true,
                    wanted == nil || tagged.contains(view.reference),
                    view.fits(filter, own)
                else { return false }
                // A public one is visible in every environment.
                return seen.insert(template.id).inserted
            }
        ) { environment, page throws(ServiceError) in
            try await call.cloud.listTemplates(
                TemplateFilter(visibleIn: environment),
                order: .newestFirst,
                page: page,
                call.caller
            )
        }
    }

    private static let create = Command(
        name: "createTemplate",
        summary: "Makes a template from a root volume or a snapshot of one, which may be deleted afterwards.",
        kind: .creation,
        access: .may(.create),
        parameters: [
            Parameter("name", .text, "The name, unique in the environment.").required,
            Parameter("displaytext", .text, "The description."),
            Parameter("snapshotid", .id(.snapshot), "The snapshot; or volumeid.").placing,
            Parameter("volumeid", .id(.volume), "The volume, as it is now.").placing,
            Parameter("tags", .map, "Its tags."), .project,
        ] + properties,
        result: ResultDescription(Shapes.template),
        deviations: [
            "A volume may be that of a running machine: the template holds what a snapshot of it would.",
            "ostypeid may be left out. Featured and public are the same here.",
        ],
        handler: { call in
            let environment = try call.environment
            let make = { (snapshot: SnapshotID) async throws in
                let request = try CreateTemplateRequest(.snapshot(snapshot, isFull: false), call)
                return try await call.cloud.createTemplate(request, in: environment, call.caller)
            }
            let submitted: Submitted<TemplateView>
            switch (call.arguments.id("snapshotid") as SnapshotID?, call.arguments.id("volumeid") as VolumeID?) {
            case (let snapshot?, nil): submitted = try await make(snapshot)
            case (nil, let volume?): submitted = try await call.passing(volume, make)
            default: throw call.refuse("one of snapshotid and volumeid is needed.")
            }
            try await call.tag(submitted.resource.reference)
            return .job(submitted.job, creating: submitted.resource.template.id.description)
        }
    )

    private static let register = Command(
        name: "registerTemplate",
        summary: "Makes a template from an image at an address.",
        kind: .synchronous,
        access: .may(.create),
        parameters: [
            Parameter("name", .text, "The name, unique in the environment.").required,
            Parameter("displaytext", .text, "The description."),
            Parameter("url", .text, "Where the image is; operators may name a file of the host with file://.").required,
            Parameter("format", .word(["QCOW2", "RAW"]), "The image's format.").required,
            Parameter("hypervisor", .text, "KVM.").required,
            Parameter("zoneid", .text, "The zone; there is one."), Parameter("zoneids", .list, "The same."),
            Parameter("tags", .map, "Its tags."), .project,
        ] + properties,
        result: ResultDescription(Shapes.template),
        deviations: [
            "No checksum is compared."
        ],
        handler: { call in
            let url = try address(call)
            let environment = try call.environment
            guard !url.isFileURL else {
                guard call.caller.principal.user.isOperator else {
                    throw APIFailure(
                        .permissionDenied,
                        "Only an operator can register a file of the service's machine."
                    )
                }
                let file = CreateTemplateRequest.Source.file(path: url.path, format: format(call), isUpload: false)
                return try await submit(call, file, in: environment)
            }
            return try await submit(call, .address(url, format: format(call)), in: environment)
        }
    )

    private static func address(_ call: Call) throws -> URL {
        guard let url = URL(string: call.arguments.text("url") ?? ""), let scheme = url.scheme?.lowercased(),
            ["file", "http", "https"].contains(scheme)
        else { throw call.refuse("url is no address of scheme http, https or file.") }
        return url
    }

    private static func format(_ call: Call) -> String { (call.arguments.word("format") ?? "").lowercased() }

    private static func submit(
        _ call: Call,
        _ source: CreateTemplateRequest.Source,
        in environment: EnvironmentID
    ) async throws -> Answer {
        let request = try CreateTemplateRequest(source, call)
        let submitted = try await call.cloud.createTemplate(request, in: environment, call.caller)
        try await call.tag(submitted.resource.reference)
        let object = Shapes.template.json(try await call.owned(submitted.resource))
        return .rows([object], total: 1, named: Shapes.template.name)
    }

    private static let update = Command(
        name: "updateTemplate",
        summary: "Changes a template's name or description.",
        kind: .synchronous,
        access: .may(.change),
        parameters: [
            id.required, Parameter("name", .text, "The new name."),
            Parameter("displaytext", .text, "The new description."),
            .project,
        ],
        result: ResultDescription(Shapes.template),
        deviations: ["Only its name and description can change."],
        handler: { call in
            let view = try await call.cloud.updateTemplate(
                try call.requiredID("id"),
                name: try call.newName(),
                description: call.arguments.text("displaytext"),
                in: try call.environment,
                call.caller
            )
            return try await call.answer(view, Shapes.template)
        }
    )

    private static let updatePermissions = Command(
        name: "updateTemplatePermissions",
        summary: "Says whether every environment can use a template.",
        kind: .synchronous,
        access: .operators,
        parameters: [
            id.required, Parameter("ispublic", .flag, "Whether every environment can use it."),
            Parameter("isfeatured", .flag, "The same: there is no other rank."),
            Parameter("isextractable", .flag, "Read and not heeded: templates are not downloaded here."), .project,
        ],
        result: .success,
        deviations: ["Templates are not shared with single accounts."],
        handler: { call in
            let wanted = call.arguments.flag("ispublic") ?? call.arguments.flag("isfeatured")
            if let wanted {
                _ = try await call.cloud.setTemplate(
                    try call.requiredID("id"),
                    isPublic: wanted,
                    in: try call.environment,
                    call.caller
                )
            }
            return .success
        }
    )

    private static let delete = Command(
        name: "deleteTemplate",
        summary: "Deletes a template; machines made from it keep working.",
        kind: .asynchronous,
        access: .may(.change),
        parameters: [
            id.required, .zone, Parameter("forced", .flag, "Read and not heeded: it never needs force."), .project,
        ],
        result: .success,
        deviations: ["Machines made from it do not stand in the way: they keep working."],
        handler: { call in
            .job(try await call.cloud.deleteTemplate(try call.requiredID("id"), in: try call.environment, call.caller))
        }
    )
}

extension TemplateView {
    /// Whether a filter of the protocol has it, seen from some environments.
    fileprivate func fits(_ filter: String, _ own: Set<EnvironmentID>) -> Bool {
        let (isOwn, isReady) = (own.contains(template.environment), shownState == .ready)
        return switch filter {
        case "self": isOwn
        case "selfexecutable": isOwn && isReady
        case "featured", "community": template.options.isPublic && isReady
        case "sharedexecutable": !isOwn && isReady
        case "executable": isReady
        default: true
        }
    }
}

extension CreateTemplateRequest {
    fileprivate init(_ source: Source, _ call: Call) throws {
        let arguments = call.arguments
        self.init(
            source: source,
            name: try ResourceName(arguments.text("name") ?? ""),
            description: arguments.text("displaytext") ?? "",
            options: TemplateOptions(
                osType: Choices.osTypes.find(arguments.text("ostypeid"))?.id ?? OSType.otherLinux.id,
                isSSHKeyEnabled: arguments.flag("sshkeyenabled") ?? false,
                isPasswordEnabled: arguments.flag("passwordenabled") ?? false,
                isDynamicallyScalable: arguments.flag("isdynamicallyscalable") ?? false,
                isPublic: (arguments.flag("ispublic") ?? false) && call.caller.principal.user.isOperator
            )
        )
    }
}
