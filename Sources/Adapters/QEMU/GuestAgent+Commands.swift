package import Foundation
import Platform

extension GuestAgent {
    /// Whether the guest's file systems take writes.
    package enum FreezeStatus: String, Sendable {
        case thawed
        case frozen
    }

    package struct NetworkInterface: Sendable, Equatable {
        package let name: String
        package let hardwareAddress: String?
        package let addresses: [String]
    }

    /// How a program in the guest ended and what it wrote.
    package struct CommandResult: Sendable, Equatable {
        /// Nil when a signal ended it.
        package let exitCode: Int64?
        package let output: Data
        package let errors: Data
        /// Whether the agent threw part of the output away.
        package let isTruncated: Bool
    }

    /// Whether somebody listens.
    package func ping(timeout: Duration = .seconds(1)) async throws(GuestAgentFault) {
        try await execute("guest-ping", timeout: timeout)
    }

    /// The version of the agent and the names of the commands it allows.
    package func describe(
        timeout: Duration = .seconds(2)
    ) async throws(GuestAgentFault) -> (version: String, commands: Set<String>) {
        let answer = try await execute("guest-info", timeout: timeout)
        let commands = answer["supported_commands"]?.array ?? []
        let enabled = commands.filter { $0["enabled"]?.bool == true }.compactMap { $0["name"]?.string }
        return (answer["version"]?.string ?? "", Set(enabled))
    }

    /// Stops all writes to the guest's file systems, after flushing them.
    ///
    /// - Returns: How many file systems are frozen now.
    /// - Important: After a fault with outcome `unknown` the guest may be frozen, or freeze later: thaw it.
    package func freeze(timeout: Duration) async throws(GuestAgentFault) -> Int64 {
        try await execute("guest-fsfreeze-freeze", timeout: timeout).integer ?? 0
    }

    /// Lets the guest write again; does nothing when it is not frozen.
    ///
    /// - Returns: How many file systems were thawed.
    @discardableResult
    package func thaw(timeout: Duration = .seconds(5)) async throws(GuestAgentFault) -> Int64 {
        try await execute("guest-fsfreeze-thaw", timeout: timeout).integer ?? 0
    }

    package func freezeStatus(timeout: Duration = .seconds(2)) async throws(GuestAgentFault) -> FreezeStatus {
        let answer = try await execute("guest-fsfreeze-status", timeout: timeout)
        guard let status = answer.string.flatMap(FreezeStatus.init(rawValue:)) else {
            throw GuestAgentFault(
                .protocolViolation,
                outcome: .notDone,
                "the guest agent gave an unknown freeze status"
            )
        }
        return status
    }

    package func networkInterfaces(
        timeout: Duration = .seconds(3)
    ) async throws(GuestAgentFault) -> [NetworkInterface] {
        let answer = try await execute("guest-network-get-interfaces", timeout: timeout)
        return (answer.array ?? []).compactMap { interface in
            guard let name = interface["name"]?.string else { return nil }
            return NetworkInterface(
                name: name,
                hardwareAddress: interface["hardware-address"]?.string,
                addresses: (interface["ip-addresses"]?.array ?? []).compactMap { $0["ip-address"]?.string }
            )
        }
    }

    /// Asks the guest to power off.
    ///
    /// Returns when it was asked, not when it is off.
    package func shutdown(timeout: Duration = .seconds(5)) async throws(GuestAgentFault) {
        try await execute("guest-shutdown", ["mode": "powerdown"], timeout: timeout, answers: false)
    }

    /// Runs a program in the guest and waits for its end.
    ///
    /// - Parameters:
    ///   - path: The program, in the guest.
    ///   - arguments: Its arguments.
    ///   - input: What it reads as standard input.
    ///   - timeout: How long it may take. It is not ended when the time is up: the agent cannot.
    /// - Returns: How it ended. An answer of more than 16 MiB, which is 12 MiB of output, ends the connection.
    /// - Throws: `refused` when it cannot be started.
    package func run(
        _ path: String,
        _ arguments: [String] = [],
        input: Data? = nil,
        timeout: Duration = .seconds(30)
    ) async throws(GuestAgentFault) -> CommandResult {
        let deadline = ContinuousClock.now + timeout
        var request: [String: JSONValue] = [
            "path": .string(path), "arg": .array(arguments.map { .string($0) }), "capture-output": true,
        ]
        if let input { request["input-data"] = .string(input.base64EncodedString()) }
        guard let pid = try await execute("guest-exec", request, timeout: timeout)["pid"] else {
            throw GuestAgentFault(.protocolViolation, outcome: .unknown, "the guest agent gave no process id")
        }
        var pause = Duration.milliseconds(20)
        while true {
            let left = ContinuousClock.now.duration(to: deadline)
            guard left > .zero else {
                throw GuestAgentFault(
                    .timedOut,
                    outcome: .unknown,
                    "\(path) did not end in the guest within \(timeout)"
                )
            }
            let status = try await execute("guest-exec-status", ["pid": pid], timeout: left)
            if status["exited"]?.bool == true { return CommandResult(status) }
            do {
                try await Task.sleep(for: min(pause, left))
            } catch {
                throw GuestAgentFault(.cancelled, outcome: .unknown, "waiting for \(path) in the guest was cancelled")
            }
            pause = min(pause * 2, .milliseconds(500))
        }
    }
}

extension GuestAgent.CommandResult {
    fileprivate init(_ status: JSONValue) {
        exitCode = status["exitcode"]?.integer
        output = status["out-data"]?.string.flatMap { Data(base64Encoded: $0) } ?? Data()
        errors = status["err-data"]?.string.flatMap { Data(base64Encoded: $0) } ?? Data()
        isTruncated = status["out-truncated"]?.bool == true || status["err-truncated"]?.bool == true
    }
}
