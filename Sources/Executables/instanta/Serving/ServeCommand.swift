public import ArgumentParser
import CommandLine
import Foundation
import Glibc
import Logging
import SnapshotDomain
import SnapshotServices

/// Runs the service.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run the service.",
        discussion: """
            The first start makes the data folder with a first user and environment, and writes how to get in to \
            credentials.json there. Machines go on when the service ends, and are found again when it starts.

            Example: instanta serve --data-dir /srv/instanta --listen 127.0.0.1:8420
            """
    )

    @Option(help: "The folder that holds everything.")
    var dataDir: String = "var/instanta"

    @Option(help: "Where to listen, as HOST:PORT; port 0 takes a free one.")
    var listen: String = "127.0.0.1:8420"

    @Flag(help: "A proxy before the service does TLS and says who calls in X-Forwarded-For.")
    var behindProxy = false

    @Option(help: "A bootable disk (qcow2) of which the first start makes a demo environment.")
    var demoGuest: String?

    @Option(help: "How much to log: trace, debug, info, notice, warning, error or critical.")
    var logLevel: Logger.Level = .notice

    func validate() throws {
        guard ListenAddress(listen) != nil else {
            throw ValidationError("'\(listen)' is no HOST:PORT; try 127.0.0.1:8420.")
        }
    }

    func run() async throws {
        guard let address = ListenAddress(listen) else { throw ExitCode.validationFailure }
        // A client that goes away must not end the service.
        signal(SIGPIPE, SIG_IGN)
        LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
        var logger = Logger(label: "instanta")
        logger.logLevel = logLevel
        var configuration = ServiceConfiguration(
            dataDirectory: DataDirectory(dataDir),
            listen: address,
            freezeGuard: [try Self.ownExecutable(), FreezeGuardCommand.configuration.commandName ?? "freeze-guard"]
        )
        configuration.isBehindProxy = behindProxy
        configuration.demoGuest = demoGuest
        try await serve(configuration, logger)
    }

    private func serve(_ configuration: ServiceConfiguration, _ logger: Logger) async throws {
        do {
            let service = try await Service.build(configuration, logger: logger)
            let demo = demoGuest.map { DemoEnvironment(cloud: service.room.cloud, disk: $0) }
            try await service.run { port in
                await Announcement(service, configuration, port: port).print()
                await demo?.ensure(logger: logger)
            }
        } catch let fault as SetupFault {
            throw CleanExit(fault.description)
        } catch {
            throw CleanExit("\(error)")
        }
    }

    /// The path of this program, for the guard that it starts beside itself.
    private static func ownExecutable() throws -> String {
        try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    }
}

/// Ends the program with one line on standard error.
private struct CleanExit: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}

/// What the person who started the service needs to know.
private struct Announcement {
    let text: String

    init(_ service: Service, _ configuration: ServiceConfiguration, port: Int) async {
        var address = configuration.listen
        address.port = port
        let credentials = service.credentials
        let password = await service.isFirstPasswordValid ? credentials.password : "(changed since the first start)"
        text = """
            Instanta \(Version.text) serves \(configuration.dataDirectory.path)
              URL       http://\(address)
              user      \(credentials.user)
              password  \(password)
              API key   in \(configuration.dataDirectory.credentials)
            Stop with Ctrl-C; machines go on.
            """
    }

    func print() {
        Swift.print(text)
        fflush(nil)
    }
}
