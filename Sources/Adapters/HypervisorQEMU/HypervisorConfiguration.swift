import Foundation
package import QEMU

/// Where machines live, what runs them, and how long things may take.
package struct HypervisorConfiguration: Sendable {
    /// Everything that waits for QEMU or a guest has a bound.
    package struct Limits: Sendable {
        /// From starting QEMU until its monitor answers.
        package var start: Duration = .seconds(20)
        /// One question to a machine.
        package var answer: Duration = .seconds(5)
        /// Until a guest has let go of a disk.
        package var detach: Duration = .seconds(20)
        /// From asking QEMU to end until it has.
        package var end: Duration = .seconds(10)
        /// One question to the agent in the guest, when nothing depends on it.
        package var guestFacts: Duration = .milliseconds(500)
        /// How long facts about a guest are good for.
        package var factsAge: Duration = .seconds(5)
        /// Waiting for another call on the same machine.
        package var turn: Duration = .seconds(120)

        package init() {}
    }

    /// The absolute path of the folder that holds one folder for each machine.
    package var machines: String
    /// The absolute path of the folder for saved memory, and of the one for what nobody knows.
    package var memory: String
    package var quarantine: String
    /// Where what was found out about KVM is kept.
    package var acceleratorCache: String
    /// The command that runs ``GuestGuard``: an executable, and the words before the guard's own options.
    package var guestGuard: [String]
    /// Where links to deep machine folders are made.
    package var runtimeFolder: String
    package var programs: QEMUPrograms
    package var limits: Limits

    /// - Parameters:
    ///   - dataDirectory: The service's data directory; need not exist.
    ///   - guestGuard: The command that runs ``GuestGuard``, such as `["/usr/bin/instanta", "guest-guard"]`.
    ///   - runtimeFolder: A folder with a short path, for links; by default the session's own, or one in `/tmp`.
    ///   - programs: Where to look for QEMU.
    ///   - limits: How long things may take.
    package init(
        dataDirectory: String,
        guestGuard: [String],
        runtimeFolder: String? = nil,
        programs: QEMUPrograms = QEMUPrograms(),
        limits: Limits = Limits()
    ) {
        let absolute = URL(fileURLWithPath: dataDirectory).resolvingSymlinksInPath().path
        machines = "\(absolute)/machines"
        memory = "\(absolute)/memory"
        quarantine = "\(absolute)/quarantine"
        acceleratorCache = "\(absolute)/accelerator.json"
        self.guestGuard = guestGuard
        self.runtimeFolder =
            runtimeFolder ?? SocketAlias.defaultRuntimeFolder(environment: ProcessInfo.processInfo.environment)
        self.programs = programs
        self.limits = limits
    }
}
