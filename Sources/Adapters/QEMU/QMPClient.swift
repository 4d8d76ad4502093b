package import Foundation
package import Logging
package import NIOCore
package import Platform
import Synchronization

/// One connection to the monitor of a QEMU program.
///
/// Speaks the QEMU Machine Protocol: JSON objects, one on each line, commands with an id, replies that carry it, and
/// events in between. Any number of commands may be under way; a QEMU program carries them out one after the other.
///
/// A monitor socket serves one client at a time. A second one is let in and gets no greeting, so that ``connect`` times
/// out; after the first has gone, connecting takes a millisecond.
package final class QMPClient: Sendable {
    /// The version of the program, as in "7.2.22".
    package let version: String
    private let session: QMPSession
    private let connection: LineConnection

    private init(version: String, session: QMPSession, connection: LineConnection) {
        self.version = version
        self.session = session
        self.connection = connection
    }

    deinit { connection.close() }

    /// Connects, waits for the greeting and leaves the negotiation mode.
    ///
    /// - Parameters:
    ///   - path: The monitor's socket; at most 107 bytes.
    ///   - group: Who runs the connection.
    ///   - timeout: How long all of it may take.
    ///   - maximumLineBytes: The longest line to accept. The list of the nodes of a deep chain takes about 2 KiB each.
    ///   - logger: Gets every line at level trace.
    /// - Returns: A client that is ready for commands.
    /// - Throws: `unreachable`, `timedOut`, `closed` or `protocolViolation`; always with outcome `notDone`.
    package static func connect(
        _ path: String,
        group: any EventLoopGroup,
        timeout: Duration = .seconds(5),
        maximumLineBytes: Int = 32 << 20,
        logger: Logger = Logger(label: "qmp")
    ) async throws(QMPFault) -> QMPClient {
        let session = QMPSession(path: path, logger: logger)
        let connection = try await LineConnection.open(
            path,
            group: group,
            timeout: timeout,
            maximumLineBytes: maximumLineBytes,
            onLine: { session.receive($0) },
            onEnd: { session.end($0) }
        )
        session.onViolation { connection.close() }
        do throws(QMPFault) {
            guard let greeting = await session.greeting.value(within: timeout) else {
                throw Task.isCancelled
                    ? QMPFault(.cancelled, outcome: .notDone, "connecting to \(path) was cancelled")
                    : QMPFault(.timedOut, outcome: .notDone, "no greeting from \(path): another client may be using it")
            }
            let client = QMPClient(version: try greeting.get(), session: session, connection: connection)
            _ = try await client.execute("qmp_capabilities", timeout: timeout)
            return client
        } catch {
            connection.close()
            throw QMPFault(error.code, outcome: .notDone, error.message)
        }
    }

    /// Carries out one command and returns its answer.
    ///
    /// - Parameters:
    ///   - command: Its name in QEMU's schema.
    ///   - arguments: Its arguments.
    ///   - timeout: How long the answer may take. A late answer is ignored.
    ///   - evenCancelled: Waits for the answer in a cancelled task too, for clean-up.
    /// - Returns: The member `return` of the answer.
    /// - Throws: `refused` with outcome `notDone` when the program answers with an error; `closed`, `timedOut` or
    ///   `cancelled` with outcome `unknown` once the command was sent; `closed` with `notDone` when it was not.
    @discardableResult
    package func execute(
        _ command: String,
        _ arguments: [String: JSONValue] = [:],
        timeout: Duration = .seconds(30),
        evenCancelled: Bool = false
    ) async throws(QMPFault) -> JSONValue {
        if Task.isCancelled, !evenCancelled {
            throw QMPFault(.cancelled, outcome: .notDone, "the command \(command) was cancelled before it was sent")
        }
        let (id, reply) = try session.expectReply(to: command)
        defer { session.forgetReply(id) }
        var request: [String: JSONValue] = ["execute": .string(command), "id": .integer(Int64(id))]
        if !arguments.isEmpty { request["arguments"] = .object(arguments) }
        let line = JSONValue.object(request).text
        session.logger.trace("QMP command", metadata: ["line": "\(line)"])
        connection.send((line + "\n").utf8)
        guard let result = await reply.value(within: timeout, evenCancelled: evenCancelled) else {
            throw Task.isCancelled && !evenCancelled
                ? QMPFault(.cancelled, outcome: .unknown, "the command \(command) was cancelled after it was sent")
                : QMPFault(.timedOut, outcome: .unknown, "no answer to \(command) within \(timeout)")
        }
        return try result.get()
    }

    /// The events from now on: a command sent after this call has its events in the stream.
    ///
    /// Ends with the connection. Of a reader that falls behind, the oldest events are lost.
    package func events(bufferingNewest limit: Int = 1024) -> AsyncStream<QMPEvent> {
        let (stream, continuation) = AsyncStream.makeStream(of: QMPEvent.self, bufferingPolicy: .bufferingNewest(limit))
        let token = session.observe {
            continuation.yield($0)
        } onEnd: {
            continuation.finish()
        }
        continuation.onTermination = { [session] _ in session.stopObserving(token) }
        return stream
    }

    /// How many commands wait for their answer now.
    package var commandsUnderWay: Int { session.waitingCount }

    /// Why the connection ended, once it has.
    package var closed: Eventual<QMPFault> { session.closed }

    /// Ends the connection; commands under way fail with `closed`.
    package func close() {
        connection.close()
    }

    /// Calls `body` for each event from now on, on the connection's event loop, until the token is dropped.
    func observe(_ body: @escaping @Sendable (QMPEvent) -> Void, onEnd: @escaping @Sendable () -> Void) -> Observation {
        Observation(session: session, token: session.observe(body, onEnd: onEnd))
    }

    /// Keeps an observation alive.
    final class Observation: Sendable {
        private let session: QMPSession
        private let token: Int

        init(session: QMPSession, token: Int) {
            self.session = session
            self.token = token
        }

        deinit { session.stopObserving(token) }
    }
}

/// Something that happened in a QEMU program.
package struct QMPEvent: Sendable, Equatable {
    /// The name in QEMU's schema, such as `JOB_STATUS_CHANGE`.
    package let name: String
    package let data: JSONValue
    /// When, by the program's clock.
    package let occurredAt: Date
}
