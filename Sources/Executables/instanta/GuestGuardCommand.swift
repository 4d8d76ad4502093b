import ArgumentParser
import HypervisorQEMU

/// The process that the service starts beside itself while a guest is frozen or stands still.
///
/// Not for people.
struct GuestGuardCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "guest-guard",
        abstract: "Hold a guest still and let it go in time, whatever becomes of the service.",
        shouldDisplay: false
    )

    @Option(help: "The machine's socket for the guest agent: its file systems are frozen.")
    var agent: String?

    @Option(help: "A socket of the machine's monitor: its processors are stopped.")
    var monitor: String?

    @Option(help: "The file that is there while the processors are stopped.")
    var mark: String?

    @Flag(help: "Stop nothing before standard input says 'hold', or the machine stops by itself.")
    var armed = false

    @Option(help: "The longest time the guest may be held.")
    var milliseconds: Int

    func run() throws {
        throw ExitCode(GuestGuard.run(try target(), milliseconds: milliseconds))
    }

    private func target() throws -> GuestGuard.Target {
        if let agent, monitor == nil, mark == nil { return .fileSystems(agentSocket: agent) }
        if let monitor, let mark, agent == nil {
            return .processors(monitorSocket: monitor, mark: mark, isArmed: armed)
        }
        throw ValidationError("Name either the agent's socket, or the monitor's and the mark.")
    }
}
