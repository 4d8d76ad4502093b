import ArgumentParser

struct InstanceRecoverCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "recover",
        abstract: "Bring back instances that were deleted.",
        discussion: """
            They come back as they were, stopped. Data volumes that were detached then stay where they are. \
            'instanta instance list --deleted' shows what can be recovered.

            Example: instanta instance recover web03
            """
    )

    @Argument(help: "Deleted instances, by name or id.")
    var instances: [String]

    @OptionGroup var wait: WaitOptions
    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        var ids: [String] = []
        for reference in instances {
            guard !UUIDText.isValid(reference) else {
                ids.append(reference)
                continue
            }
            let deleted = try await call.list(.instance, query: InstanceListCommand.deleted)
            guard let id = try NameResolution.pick(reference, .instance, from: deleted)["id"].string else {
                throw CommandFailure(.failed, "The service sent an instance without an id.")
            }
            ids.append(id)
        }
        try await call.operateEach(ids, "recover", label: { "Recovering \($0)" }, waits: wait.wait)
    }
}
