import ArgumentParser
import Foundation

struct TemplateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "template",
        abstract: "Golden images: make, import, deploy.",
        subcommands: [
            TemplateListCommand.self, TemplateShowCommand.self, TemplateCreateCommand.self, TemplateImportCommand.self,
            TemplateDeployCommand.self, TemplateUpdateCommand.self, TemplateDeleteCommand.self,
        ]
    )
}

struct TemplateListCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the templates of the environment, and public ones.",
        discussion: "Example: instanta template list",
        aliases: ["ls"]
    )

    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        try call.present(await call.list(.template), as: .template)
    }
}

struct TemplateShowCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show everything about a template.",
        discussion: "Example: instanta template show golden"
    )

    @Argument(help: "The template, by name or id.", completion: .names(.template))
    var template: String

    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        try call.present(await call.find(template, .template), as: .template)
    }
}

struct TemplateCreateCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Make a template of a snapshot.",
        discussion: """
            Milliseconds and no space: the template stands on the snapshot's data, and stays when the snapshot is \
            deleted. With --full all bytes are copied at once, and it shares nothing.

            Example: instanta template create --from-snapshot ready-to-ship --name golden
            """
    )

    @Option(help: "The snapshot of a root volume, by name or id.", completion: .names(.snapshot))
    var fromSnapshot: String

    @Option(help: "Its name.")
    var name: String

    @Option(help: "What is on it.")
    var description: String?

    @Option(help: "The id of its operating system's type, such as debian-12.")
    var osType: String?

    @Flag(help: "Copy all bytes of the snapshot.")
    var full = false

    @OptionGroup var wait: WaitOptions
    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        let source = try await call.target(fromSnapshot, .snapshot)
        let body = JSONValue.object(present: [
            "name": .text(name),
            "description": description.map(JSONValue.text),
            "osTypeId": osType.map(JSONValue.text),
            "full": full ? true : nil,
        ])
        let endpoint = try await call.operation("createTemplate", on: .snapshot, source.id)
        let submission = try await call.client.change(.post, endpoint, body)
        try await call.change(submission, "Creating template \(name)", waits: wait.wait) { template in
            try call.present(changed: [template], as: .template, isList: false)
        }
    }
}

struct TemplateDeployCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "deploy",
        abstract: "Create instances from a template.",
        discussion: """
            The short form of 'instanta instance create NAME --template TEMPLATE'.

            Example: instanta template deploy golden web --count 5
            """
    )

    @Argument(help: "The template, by name or id.", completion: .names(.template))
    var template: String

    @Argument(help: "The name. Without one, the template's.")
    var name: String?

    @OptionGroup var deployment: DeploymentOptions
    @OptionGroup var wait: WaitOptions
    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        try await deployment.deploy(.template(template), name: name, call, waits: wait.wait)
    }
}

struct TemplateUpdateCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "update",
        abstract: "Rename a template, or describe it anew.",
        discussion: """
            What it holds never changes, and instances that were deployed from it notice nothing.

            Example: instanta template update golden --description "Debian 12 with the agent"
            """,
        aliases: ["rename"]
    )

    @Argument(help: "The template, by name or id.", completion: .names(.template))
    var template: String

    @OptionGroup var renaming: RenamingOptions
    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        try await call.rename(template, .template, renaming)
    }
}

struct TemplateDeleteCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete templates.",
        discussion: """
            Instances that were deployed from it keep what they read.

            Example: instanta template delete golden
            """,
        aliases: ["rm"]
    )

    @Argument(help: "Templates, by name or id.", completion: .names(.template))
    var templates: [String]

    @OptionGroup var confirmation: ConfirmationOptions
    @OptionGroup var wait: WaitOptions
    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        try await call.confirm("Delete \(Listing.of(templates))?", isConfirmed: confirmation.yes)
        try await call.deleteEach(templates, .template, waits: wait.wait)
    }
}
