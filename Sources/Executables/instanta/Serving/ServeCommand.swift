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

    @Option(help: "A file of settings; a flag beside it wins.")
    var config: String?

    @Option(help: "The folder that holds everything (default: var/instanta).")
    var dataDir: String?

    @Option(help: "Where to listen, as HOST:PORT; port 0 takes a free one (default: 127.0.0.1:8420).")
    var listen: String?

    @Flag(
        inversion: .prefixedNo,
        help: "A proxy before the service does TLS and says who calls in X-Forwarded-For."
    )
    var behindProxy: Bool?

    @Option(help: "A bootable disk (qcow2) of which the first start makes a demo environment.")
    var demoGuest: String?

    @Option(help: "How much to log: trace, debug, info, notice, warning, error or critical (default: notice).")
    var logLevel: Logger.Level?

    func validate() throws {
        guard let listen, ListenAddress(listen) == nil else { return }
        throw ValidationError("'\(listen)' is no HOST:PORT; try 127.0.0.1:8420.")
    }

    func run() async throws {
        let file: ConfigurationFile
        do {
            file = try config.map(ConfigurationFile.read) ?? ConfigurationFile("")
        } catch let fault as SetupFault {
            throw CleanExit(fault.description)
        }
        guard let address = listen.flatMap(ListenAddress.init) ?? file.listen ?? ListenAddress("127.0.0.1:8420") else {
            throw ExitCode.validationFailure
        }
        // A client that goes away must not end the service.
        signal(SIGPIPE, SIG_IGN)
        LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
        var logger = Logger(label: "instanta")
        logger.logLevel = logLevel ?? file.logLevel ?? .notice
        var configuration = ServiceConfiguration(
            dataDirectory: DataDirectory(dataDir ?? file.dataDirectory ?? "var/instanta"),
            listen: address,
            guestGuard: [try Self.ownExecutable(), GuestGuardCommand.configuration.commandName ?? "guest-guard"]
        )
        configuration.isBehindProxy = behindProxy ?? file.isBehindProxy ?? false
        configuration.serviceName = file.serviceName ?? configuration.serviceName
        configuration.serviceCode = file.serviceCode ?? configuration.serviceCode
        configuration.prices = file.prices
        if let depth = file.softDepth { configuration.settings.collection.softDepth = depth }
        if let lifetime = file.destroyedLifetime { configuration.settings.destroyedLifetime = lifetime }
        configuration.pools = file.pools
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
            throw CleanExit(SetupFault(listeningAt: configuration.listen, error)?.description ?? "\(error)")
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
