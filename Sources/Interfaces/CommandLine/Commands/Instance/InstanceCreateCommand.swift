import ArgumentParser

struct InstanceCreateCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Create instances from a template or a snapshot.",
        discussion: """
            The disks are thin: they take milliseconds and no space, however large they are, and grow with what is \
            written. With --count N the instances are called NAME-1 to NAME-N.

            From a snapshot that was taken of a whole instance all its volumes come along. With --to the clone is made \
            in another environment, where it gets no network unless --network says so: a copy of a machine is not \
            harmless near the original.

            Examples:
              instanta instance create web --template golden --count 5
              instanta instance create trouble --snapshot before-upgrade --to lab
            """
    )

    @Argument(help: "The name. Without one, that of the template or the snapshot.")
    var name: String?

    @Option(help: "The template, by name or id.", completion: .names(.template))
    var template: String?

    @Option(help: "The snapshot, by name or id.", completion: .names(.snapshot))
    var snapshot: String?

    @OptionGroup var deployment: DeploymentOptions
    @OptionGroup var wait: WaitOptions
    @OptionGroup var shared: SharedOptions

    func validate() throws {
        guard (template == nil) != (snapshot == nil) else {
            throw ValidationError("Say what to create it from: --template or --snapshot.")
        }
    }

    func perform(_ call: Call) async throws {
        let source = template.map(Deployment.Source.template) ?? .snapshot(snapshot ?? "")
        try await deployment.deploy(source, name: name, call, waits: wait.wait)
    }
}
