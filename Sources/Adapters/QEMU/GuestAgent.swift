import Foundation
import Logging
package import NIOCore
import NIOPosix
import Platform
import Synchronization

/// Why a guest's agent did not do what it was asked.
package struct GuestAgentFault: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: Sendable, Equatable {
        /// The machine offers no agent socket.
        case unreachable
        /// Nobody in the guest listens: no agent is installed, or the guest is busy booting, hung or paused.
        case unresponsive
        /// The agent took the command and gave no answer within the limit.
        case timedOut
        case cancelled
        /// The agent answered with an error of this class.
        case refused(String)
        case protocolViolation
    }

    /// What is known about the effect of the failed call.
    package enum Outcome: Sendable, CaseIterable {
        case notDone
        /// The agent may have carried it out, or may still do so.
        case unknown
    }

    package let code: Code
    package let outcome: Outcome
    package let message: String

    package init(_ code: Code, outcome: Outcome, _ message: String) {
        self.code = code
        self.outcome = outcome
        self.message = message
    }

    package var description: String { message }
}

/// The agent inside one guest, through the socket of its machine.
///
/// Each call connects, synchronises, asks and leaves, so nothing goes stale when a guest restarts. The socket serves one
/// client at a time: calls of one value wait for each other in order, and several values take their chances. A call that
/// waits too long is `unresponsive`. What the guest answers is a stranger's word: bounded in length, and trusted in
/// nothing.
package final class GuestAgent: Sendable {
    private let path: String
    private let group: any EventLoopGroup
    private let turnstile = Turnstile()

    /// - Parameters:
    ///   - path: The socket of the character device behind `org.qemu.guest_agent.0`.
    ///   - group: Who runs the connections.
    package init(path: String, group: any EventLoopGroup) {
        self.path = path
        self.group = group
    }

    /// Sends one command.
    ///
    /// - Parameters:
    ///   - command: Its name, such as `guest-info`.
    ///   - arguments: Its arguments.
    ///   - timeout: How long all may take, from connecting to the answer.
    ///   - answers: False for commands that answer only in failure, such as `guest-shutdown`: no answer within a second
    ///     is then a success.
    /// - Returns: The member `return` of the answer; null when none was expected.
    /// - Throws: Before the command is sent `unreachable` and `unresponsive`, with outcome `notDone`; afterwards
    ///   `refused` with `notDone`, or `timedOut`, `cancelled` and `protocolViolation` with `unknown`.
    @discardableResult
    package func execute(
        _ command: String,
        _ arguments: [String: JSONValue] = [:],
        timeout: Duration = .seconds(5),
        answers: Bool = true
    ) async throws(GuestAgentFault) -> JSONValue {
        let deadline = ContinuousClock.now + timeout
        guard await turnstile.enter(within: timeout) else {
            throw Task.isCancelled
                ? GuestAgentFault(.cancelled, outcome: .notDone, "asking the guest agent was cancelled")
                : GuestAgentFault(.unresponsive, outcome: .notDone, "the guest agent at \(path) is busy")
        }
        defer { turnstile.leave() }
        let inbox = AgentInbox()
        let connection: LineConnection
        do {
            connection = try await LineConnection.open(
                path,
                group: group,
                timeout: max(.zero, ContinuousClock.now.duration(to: deadline)),
                maximumLineBytes: 16 << 20,
                onLine: { inbox.receive($0) },
                onEnd: { _ in inbox.end() }
            )
        } catch {
            let code: GuestAgentFault.Code =
                switch error.code {
                case .timedOut: .unresponsive
                case .cancelled: .cancelled
                default: .unreachable
                }
            throw GuestAgentFault(code, outcome: .notDone, error.message)
        }
        defer { connection.close() }
        try await synchronise(connection, inbox, until: deadline)

        let reply = inbox.expect { _ in true }
        var request: [String: JSONValue] = ["execute": .string(command)]
        if !arguments.isEmpty { request["arguments"] = .object(arguments) }
        connection.send((JSONValue.object(request).text + "\n").utf8)
        let patience = ContinuousClock.now.duration(to: deadline)
        let limit = answers ? patience : min(patience, .seconds(1))
        guard let answer = await reply.value(within: max(limit, .zero)) else {
            if Task.isCancelled {
                throw GuestAgentFault(.cancelled, outcome: .unknown, "\(command) was cancelled after it was sent")
            }
            guard answers else { return .null }
            throw GuestAgentFault(
                .timedOut,
                outcome: .unknown,
                "the guest agent did not answer \(command) in \(timeout)"
            )
        }
        guard let message = answer else {
            // A guest that shuts down takes its agent's connection with it.
            guard answers else { return .null }
            throw GuestAgentFault(.protocolViolation, outcome: .unknown, "the connection ended during \(command)")
        }
        if let error = message["error"] {
            let reason = error["desc"]?.string ?? "no reason given"
            throw GuestAgentFault(
                .refused(error["class"]?.string ?? "GenericError"),
                outcome: .notDone,
                "the guest agent refused \(command): \(reason)"
            )
        }
        return message["return"] ?? .null
    }

    /// Throws away what earlier callers left in the channel, and finds out whether somebody listens.
    private func synchronise(
        _ connection: LineConnection,
        _ inbox: AgentInbox,
        until deadline: ContinuousClock.Instant
    ) async throws(GuestAgentFault) {
        let id = Int64.random(in: 1...Int64(Int32.max))
        let reply = inbox.expect { $0["return"]?.integer == id }
        // The 0xFF ends whatever half command an earlier caller sent; the agent puts one before its answer.
        let request = JSONValue.object(["execute": "guest-sync-delimited", "arguments": ["id": .integer(id)]])
        connection.send([0xFF] + Array((request.text + "\n").utf8))
        let limit = ContinuousClock.now.duration(to: deadline)
        guard let answer = await reply.value(within: max(limit, .zero)), answer != nil else {
            throw Task.isCancelled
                ? GuestAgentFault(.cancelled, outcome: .notDone, "asking the guest agent was cancelled")
                : GuestAgentFault(.unresponsive, outcome: .notDone, "no guest agent answers at \(path)")
        }
    }
}

/// The lines of one agent connection; hands the first that fits to whoever expects it.
private final class AgentInbox: Sendable {
    typealias Reply = Eventual<JSONValue?>

    private struct State {
        var expected: (fits: @Sendable (JSONValue) -> Bool, reply: Reply)?
        var hasEnded = false
    }

    private let state = Mutex(State())

    /// A reply that settles with the next line that fits, or with nil when the connection ends.
    func expect(_ fits: @escaping @Sendable (JSONValue) -> Bool) -> Reply {
        let reply = Reply()
        let hasEnded = state.withLock { state in
            if !state.hasEnded { state.expected = (fits, reply) }
            return state.hasEnded
        }
        if hasEnded { reply.settle(nil) }
        return reply
    }

    func receive(_ line: Data) {
        let start = line.lastIndex(of: 0xFF).map { line.index(after: $0) } ?? line.startIndex
        guard let message = try? JSONValue(parsing: Data(line[start...])) else { return }
        let reply: Reply? = state.withLock { state in
            guard let expected = state.expected, expected.fits(message) else { return nil }
            state.expected = nil
            return expected.reply
        }
        reply?.settle(message)
    }

    func end() {
        let reply = state.withLock { state in
            state.hasEnded = true
            defer { state.expected = nil }
            return state.expected?.reply
        }
        reply?.settle(nil)
    }
}
