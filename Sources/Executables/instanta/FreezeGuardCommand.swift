import ArgumentParser
import HypervisorQEMU

/// The process that the service starts beside itself while a guest is frozen.
///
/// Not for people.
struct FreezeGuardCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "freeze-guard",
        abstract: "Freeze a guest and thaw it in time, whatever becomes of the service.",
        shouldDisplay: false
    )

    @Option(help: "The machine's socket for the guest agent.")
    var agent: String

    @Option(help: "The longest time the guest may stay frozen.")
    var milliseconds: Int

    func run() throws {
        throw ExitCode(FreezeGuard.run(agentSocket: agent, milliseconds: milliseconds))
    }
}
