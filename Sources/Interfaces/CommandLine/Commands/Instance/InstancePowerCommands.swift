import ArgumentParser

struct InstanceStartCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "start",
        abstract: "Start instances.",
        discussion: """
            Done means that the processors run; the guest's system is up a little later ('instanta instance console').

            Example: instanta instance start web01 web02
            """
    )

    @Argument(help: "Instances, by name or id.", completion: .names(.instance))
    var instances: [String]

    @OptionGroup var wait: WaitOptions
    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        try await call.operateEach(instances, "start", label: { "Starting \($0)" }, waits: wait.wait)
    }
}

struct InstanceStopCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop",
        abstract: "Stop instances.",
        discussion: """
            The guest is asked to shut down and gets time for it; if it does not, the command fails and the instance \
            runs on. With --force it is switched off, as by a power cut: what the guest had not written yet is lost.

            Example: instanta instance stop web01
            """
    )

    @Argument(help: "Instances, by name or id.", completion: .names(.instance))
    var instances: [String]

    @Flag(help: "Switch off instead of shutting down.")
    var force = false

    @OptionGroup var wait: WaitOptions
    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        try await call.operateEach(
            instances,
            "stop",
            body: force ? ["forceStop": true] : nil,
            label: { "Stopping \($0)" },
            waits: wait.wait
        )
    }
}

struct InstanceRebootCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "reboot",
        abstract: "Restart the guests of instances.",
        discussion: """
            A running machine is reset; a stopped one is started. Its disks and its console go on.

            Example: instanta instance reboot web01
            """
    )

    @Argument(help: "Instances, by name or id.", completion: .names(.instance))
    var instances: [String]

    @OptionGroup var wait: WaitOptions
    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        try await call.operateEach(instances, "reboot", label: { "Restarting \($0)" }, waits: wait.wait)
    }
}

extension Call {
    /// Runs one operation on each of several instances.
    func operateEach(
        _ references: [String],
        _ operation: String,
        body: JSONValue? = nil,
        label: (String) -> String,
        waits: Bool
    ) async throws {
        try await changeEach(references, .instance, label: label, waits: waits) { target in
            try await client.change(.post, self.operation(operation, on: .instance, target.id), body)
        } finish: { finished in
            try present(changed: finished.map(\.result), as: .instance, isList: references.count > 1)
        }
    }
}
