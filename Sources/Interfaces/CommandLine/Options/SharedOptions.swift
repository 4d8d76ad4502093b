import ArgumentParser

/// Which service, and which environment in it.
struct ConnectionOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The service's address. (default: INSTANTA_URL, or \(ConnectionFinder.defaultURL))"))
    var url: String?

    @Option(help: "The name of a profile in ~/.config/instanta/profiles.json. (default: INSTANTA_PROFILE)")
    var profile: String?

    @Option(
        help: ArgumentHelp("A service's credentials.json.", valueName: "file"),
        completion: .file(extensions: ["json"])
    )
    var credentials: String?

    @Option(
        name: [.short, .long],
        help: "The environment, by name or id. (default: INSTANTA_ENVIRONMENT)",
        completion: .names(.environment)
    )
    var environment: String?

    @Option(help: "The service connection's code. (default: INSTANTA_SERVICE, or the only one)")
    var service: String?

    var choice: ConnectionChoice {
        ConnectionChoice(
            url: url,
            profile: profile,
            credentials: credentials,
            environment: environment,
            service: service
        )
    }
}

/// Whether to wait for the end of what was started.
struct WaitOptions: ParsableArguments {
    @Flag(
        inversion: .prefixedNo,
        help:
            "Wait until it is done, or write the task's id and leave it running. Ctrl-C stops the waiting, not the task."
    )
    var wait = true
}

/// Whether to ask before something is lost.
struct ConfirmationOptions: ParsableArguments {
    @Flag(name: [.short, .long], help: "Do not ask. Needed where nobody can answer.")
    var yes = false
}

/// What every command that talks to the service takes: where it is, and how results are written.
protocol ServiceOptions: ParsableArguments {
    var connection: ConnectionOptions { get }
    var format: OutputFormat { get }
    var quiet: Bool { get }
}

struct SharedOptions: ServiceOptions {
    @OptionGroup(title: "Connection")
    var connection: ConnectionOptions

    @OptionGroup(title: "Output")
    var output: OutputOptions

    var format: OutputFormat { output.format }
    var quiet: Bool { output.quiet }

    struct OutputOptions: ParsableArguments {
        @Option(help: "How to write results.")
        var format = OutputFormat.table

        @Flag(name: [.short, .long], help: "Write ids only.")
        var quiet = false
    }
}

/// The same for commands whose `--format` is that of a disk image.
struct ImageSharedOptions: ServiceOptions {
    @OptionGroup(title: "Connection")
    var connection: ConnectionOptions

    @OptionGroup(title: "Output")
    var output: OutputOptions

    var format: OutputFormat { output.outputFormat }
    var quiet: Bool { output.quiet }

    struct OutputOptions: ParsableArguments {
        @Option(help: "How to write results.")
        var outputFormat = OutputFormat.table

        @Flag(name: [.short, .long], help: "Write ids only.")
        var quiet = false
    }
}
