import Foundation
import Logging
import Platform
import QEMU
import SnapshotDomain
import SnapshotPorts

/// What a guest said about itself, and when.
struct TimedFacts: Sendable {
    var facts: GuestFacts
    var at: ContinuousClock.Instant
}

// All that goes through the agent inside the guest. It is a stranger's program: it may be missing, hang, or lie.
extension QEMUMachine {
    /// What the guest says about itself, a few seconds old at most unless the agent is busy.
    ///
    /// Lists ask for this of every machine: it takes no time when nobody in the guest listens, and never waits for another
    /// call's talk with the agent.
    func guestFacts() async -> GuestFacts {
        var silent = GuestFacts(isAgentAnswering: false, addresses: [], hostname: nil, sshPort: nil)
        guard await living() != nil else { return silent }
        if record?.network == .user { silent.sshPort = record?.sshPort }
        if let lastFacts, ContinuousClock.now - lastFacts.at < host.limits.factsAge { return lastFacts.facts }
        guard let pass = await agentTurn.pass(within: .zero) else { return lastFacts?.facts ?? silent }
        defer { pass.leave() }
        let facts = await askForFacts() ?? silent
        lastFacts = TimedFacts(facts: facts, at: .now)
        return facts
    }

    private func askForFacts() async -> GuestFacts? {
        guard await isAgentListening() else { return nil }
        let limit = host.limits.guestFacts
        do {
            try await agent.ping(timeout: limit)
        } catch {
            return nil
        }
        let interfaces = (try? await agent.networkInterfaces(timeout: limit)) ?? []
        let name = try? await agent.execute("guest-get-host-name", timeout: limit)["host-name"]?.string
        return GuestFacts(
            isAgentAnswering: true,
            addresses: interfaces.filter { $0.name != "lo" }.flatMap(\.addresses).filter { !$0.hasPrefix("fe80:") },
            hostname: name ?? nil,
            sshPort: record?.network == .user ? record?.sshPort : nil
        )
    }

    /// Whether a program in the guest has the agent's channel open, which QEMU knows without asking the guest.
    private func isAgentListening() async -> Bool {
        let channels = try? await ask("query-chardev", to: "see whether an agent listens")
        let channel = channels?.array?.first { $0["label"]?.string == MachineCommandLine.agentChannel }
        return channel?["frontend-open"]?.bool == true
    }

    /// Asks the guest to power off: through its agent, else as the power button does.
    func askGuestToPowerOff() async throws(HypervisorFault) {
        if await isAgentListening(), let pass = await agentTurn.pass(within: .seconds(2)) {
            defer { pass.leave() }
            do {
                return try await agent.shutdown(timeout: host.limits.answer)
            } catch {
                logger.info("The guest agent does not power off; pressing the button", metadata: ["cause": "\(error)"])
            }
        }
        try await ask("system_powerdown", to: "press the machine's power button")
    }

    // MARK: Freezing

    func freeze(atMost limit: Duration) async throws(HypervisorFault) -> any FreezeLease {
        try await requireLiving(to: "freeze its file systems")
        guard await isAgentListening() else {
            throw HypervisorFault(
                .guestUnresponsive,
                .notDone,
                "No guest agent listens in this machine; install qemu-guest-agent in it, or wait until it is up."
            )
        }
        guard let pass = await agentTurn.pass(within: host.limits.answer) else {
            throw HypervisorFault(
                Task.isCancelled ? .cancelled : .guestUnresponsive,
                .notDone,
                "The guest agent is busy with another call; try again."
            )
        }
        let keeper = try await GuardedHold.begin(
            .fileSystems(agent, socket: folder.agent, logger: logger),
            command: host.configuration.guestGuard,
            limit: limit,
            pass: pass,
            logger: logger
        )
        lastFacts = nil
        return keeper
    }

    func thawIfFrozen() async {
        guard await living() != nil, await isAgentListening() else { return }
        await shielded { [agent, logger, limit = host.limits.answer, agentTurn] in
            // The guard of an earlier service thaws by itself; until it has, the channel is its own.
            guard let pass = await agentTurn.pass(within: limit) else { return }
            defer { pass.leave() }
            await agent.thawFully(attempts: 5, logger: logger)
        }
    }
}

extension GuardedHold.Subject {
    /// The file systems of a guest, by its agent.
    static func fileSystems(_ agent: GuestAgent, socket: String, logger: Logger) -> Self {
        Self(kind: .fileSystems, options: ["--agent", socket]) {
            await agent.thawFully(attempts: 5, logger: logger)
        }
    }
}

extension GuestAgent {
    /// Thaws until the agent confirms that nothing is frozen.
    ///
    /// Tells whether it did.
    @discardableResult
    func thawFully(attempts: Int, logger: Logger) async -> Bool {
        for attempt in 1...attempts {
            do throws(GuestAgentFault) {
                if try await freezeStatus() == .thawed { return true }
                let count = try await thaw()
                logger.notice("Thawed a guest", metadata: ["count": "\(count)"])
            } catch {
                logger.warning("Cannot thaw a guest", metadata: ["attempt": "\(attempt)", "cause": "\(error)"])
            }
        }
        return (try? await freezeStatus()) == .thawed
    }
}
