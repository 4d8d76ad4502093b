package import Foundation
import Glibc

/// A program that we started, until it has ended and been collected.
///
/// One thread per child starts it, moves its streams and waits for its end, so no thread of a pool is ever blocked and
/// no zombie remains, even if nobody waits. The child gets its three standard streams and no other descriptor of ours,
/// default signal handling and an empty signal mask.
///
/// Dropping the value does not end the program.
package final class ChildProcess: Sendable {
    package let pid: pid_t
    /// Standard output by lines, for one reader, when it was spawned with ``Spawn/Output/lines``; else empty.
    ///
    /// Ends when the program has. Of a reader that falls behind, the oldest of 1024 lines are lost.
    package let lines: AsyncStream<String>
    private let supervisor: ChildSupervisor

    private init(pid: pid_t, supervisor: ChildSupervisor) {
        self.pid = pid
        self.lines = supervisor.lines
        self.supervisor = supervisor
    }

    /// Starts a program.
    ///
    /// - Throws: Code `notFound` or `permission` when it cannot be executed or one of its files cannot be opened;
    ///   always with outcome `notDone`. With ``Spawn/confinement`` or ``Spawn/endsWithParent`` a missing program shows
    ///   as exit status 127 instead.
    package static func start(_ spawn: Spawn) async throws(PlatformFault) -> ChildProcess {
        let supervisor = try ChildSupervisor(spawn)
        let pid = try await supervisor.start().get()
        return ChildProcess(pid: pid, supervisor: supervisor)
    }

    /// How it ended, if it has.
    package var status: ExitStatus? { supervisor.exit.current }

    /// Waits for its end, also in a cancelled task.
    package func wait() async -> ExitStatus {
        await supervisor.exit.value()
    }

    /// Waits for its end; nil when `limit` passes, or the task is cancelled, first.
    package func wait(within limit: Duration) async -> ExitStatus? {
        await supervisor.exit.value(within: limit)
    }

    /// Sends a signal, to the whole process group when it leads a session.
    ///
    /// Does nothing once it has ended.
    package func signal(_ number: Int32) {
        supervisor.signal(number)
    }

    /// Asks it to end, and kills it when it has not after `grace`.
    ///
    /// Keeps its time in a cancelled task too.
    @discardableResult
    package func terminate(grace: Duration) async -> ExitStatus {
        signal(SIGTERM)
        if let status = await supervisor.exit.value(within: grace, evenCancelled: true) { return status }
        signal(SIGKILL)
        return await wait()
    }

    /// Hands bytes to standard input, if it was spawned with ``Spawn/Input/pipe``.
    ///
    /// Returns at once; what the program does not read is dropped when it ends.
    package func send(_ data: Data) {
        supervisor.send(data)
    }

    /// Ends standard input once everything sent has been read.
    package func closeInput() {
        supervisor.closeInput()
    }

    /// What it has written to captured streams so far.
    package var captured: (output: Data, errors: Data) { supervisor.captured }
}

extension ChildProcess {
    /// How a program ended and what it wrote.
    package struct Completion: Sendable {
        package let status: ExitStatus
        /// What it wrote to standard output, when that was captured.
        package let output: Data
        /// What it wrote to standard error, when that was captured.
        package let errors: Data

        package var outputText: String { String(decoding: output, as: UTF8.self) }
        package var errorsText: String { String(decoding: errors, as: UTF8.self) }
    }

    /// Starts a program and waits for its end; a status other than 0 is an answer, not a fault.
    ///
    /// Cancelling the task kills the program, and the call returns when it is gone.
    ///
    /// - Throws: As ``start(_:)``; `timedOut`, `cancelled`, or `io` when it wrote more than its bound, each after
    ///   having killed it and with outcome `unknown`.
    package static func run(_ spawn: Spawn, timeout: Duration) async throws(PlatformFault) -> Completion {
        let child = try await start(spawn)
        return try await child.complete(named: spawn.executable, timeout: timeout)
    }

    /// Waits for the end of a program as ``run(_:timeout:)`` does.
    ///
    /// - Parameters:
    ///   - name: The name of the program in messages.
    ///   - timeout: How long it may still run.
    /// - Returns: How it ended and what it wrote.
    /// - Throws: `timedOut`, `cancelled` or `io`, after having killed it.
    package func complete(named name: String, timeout: Duration) async throws(PlatformFault) -> Completion {
        let ended = await withTaskCancellationHandler {
            await supervisor.exit.value(within: timeout, evenCancelled: true)
        } onCancel: {
            signal(SIGKILL)
        }
        guard let status = ended else {
            signal(SIGKILL)
            _ = await wait()
            throw PlatformFault(.timedOut, outcome: .unknown, "\(name) took longer than \(timeout) and was killed")
        }
        if supervisor.hasOverflowed {
            throw PlatformFault(.io, outcome: .unknown, "\(name) wrote more than it may and was killed")
        }
        if status == .signalled(SIGKILL), Task.isCancelled {
            throw PlatformFault(.cancelled, outcome: .unknown, "\(name) was cancelled and killed")
        }
        let (output, errors) = captured
        return Completion(status: status, output: output, errors: errors)
    }
}
