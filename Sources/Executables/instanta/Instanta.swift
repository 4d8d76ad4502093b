import ArgumentParser
import CommandLine

/// The one binary: the service, and every verb of its client.
@main
struct Instanta: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "instanta",
        abstract: "Snapshots of virtual machines: take one, go back, make golden images, clone to find a fault.",
        discussion: """
            'instanta serve' runs the service; everything else talks to one. Verbs find the service through INSTANTA_URL \
            and INSTANTA_API_KEY, a profile, or the credentials file that the service wrote.

            A snapshot is not a backup: it lives on the pool of its volume, and is lost with that pool.
            """,
        version: Version.text,
        subcommands: [ServeCommand.self, DoctorCommand.self] + ClientCommands.all + [GuestGuardCommand.self]
    )
}
