import Foundation
package import Logging
package import NIOCore
package import Platform

/// A `qemu-storage-daemon` of our own: block work on disks that no machine has open.
///
/// It is started when it is first needed and again after it died. A client taken before its death fails: commands that
/// were under way with outcome `unknown`, later ones with `closed`. ``client()`` then gives a new one, whose daemon has
/// no nodes: whoever adds nodes adds them again.
///
/// The daemon ends with us, whatever ends us: the kernel kills it, and should that fail, the next start finds the
/// leftover by its pid file and ends it before it opens the same files.
package actor StorageDaemon {
    private enum State {
        case stopped
        /// Somebody is starting it; settles when that is done, well or badly.
        case starting(Eventual<Void>)
        case running(ChildProcess, QMPClient)
        case shutDown
    }

    private let directory: String
    private let program: String
    private let group: any EventLoopGroup
    private let pool: BlockingPool
    private let logger: Logger
    private var state = State.stopped

    /// - Parameters:
    ///   - directory: Where its sockets, pid file and log live. Nothing else may live there, and its path must be at
    ///     most 90 bytes: longer names do not fit into a socket's address.
    ///   - program: The name or path of the program.
    ///   - group: Who runs the connections.
    ///   - pool: Who does the file work around it.
    ///   - logger: Told of starts and ends.
    package init(
        directory: String,
        program: String = "qemu-storage-daemon",
        group: any EventLoopGroup,
        pool: BlockingPool,
        logger: Logger = Logger(label: "storage-daemon")
    ) {
        self.directory = directory
        self.program = program
        self.group = group
        self.pool = pool
        self.logger = logger
    }

    private var monitorSocket: String { "\(directory)/qmp.sock" }
    private var nbdSocket: String { "\(directory)/nbd.sock" }
    private var pidFile: String { "\(directory)/daemon.pid" }
    private var log: String { "\(directory)/daemon.log" }

    /// The process id of the daemon that runs now, if one does.
    package var pid: Int32? {
        if case .running(let child, _) = state, child.status == nil { child.pid } else { nil }
    }

    /// The monitor of the running daemon, which is started if need be.
    ///
    /// - Returns: A client for all callers to share. It is the same until the daemon ends.
    /// - Throws: `unreachable` or `timedOut` with outcome `notDone` when it cannot be started; the message has what it
    ///   said. `cancelled` when the task was, and after ``shutdown()`` `closed`.
    package func client() async throws(QMPFault) -> QMPClient {
        while true {
            switch state {
            case .running(let child, let client):
                if client.closed.current == nil, child.status == nil { return client }
                client.close()
                let status = await child.terminate(grace: .zero)
                // Others may have come here while we waited, and one of them has restarted it by now.
                guard case .running(let current, _) = state, current === child else { continue }
                logger.warning("The storage daemon ended", metadata: ["status": "\(status)"])
                state = .stopped
            case .starting(let started):
                guard await started.valueUnlessCancelled() != nil else {
                    throw QMPFault(.cancelled, outcome: .notDone, "waiting for the storage daemon was cancelled")
                }
            case .stopped:
                return try await start()
            case .shutDown:
                throw QMPFault(.closed, outcome: .notDone, "the storage daemon is shut down")
            }
        }
    }

    /// Exports a node of the daemon for as long as `body` runs.
    ///
    /// - Parameters:
    ///   - node: The node, which must exist in the present daemon.
    ///   - writable: Whether `body` may write.
    ///   - body: Gets a connection to the export.
    /// - Returns: What `body` returned.
    /// - Throws: ``QMPFault``, ``NBDFault``, or what `body` throws.
    package func withExport<T: Sendable>(
        node: String,
        writable: Bool,
        _ body: @Sendable (NBDClient) async throws -> T
    ) async throws -> T {
        try await client().withExport(node: node, writable: writable, server: nbdSocket, body)
    }

    /// Ends the daemon, which closes its files in good order, and does not start it again.
    package func shutdown() async {
        while case .starting(let started) = state { await started.value() }
        guard case .running(let child, let client) = state else {
            state = .shutDown
            return
        }
        state = .shutDown
        // It may answer, or end before it does: both are what we want.
        _ = try? await client.execute("quit", timeout: .seconds(5), evenCancelled: true)
        client.close()
        await child.terminate(grace: .seconds(5))
        logger.info("The storage daemon is shut down")
    }

    private func start() async throws(QMPFault) -> QMPClient {
        let started = Eventual<Void>()
        state = .starting(started)
        defer { started.settle(()) }
        do throws(QMPFault) {
            let (child, client) = try await launch()
            state = .running(child, client)
            logger.info("The storage daemon runs", metadata: ["pid": "\(child.pid)", "version": "\(client.version)"])
            return client
        } catch {
            state = .stopped
            throw error
        }
    }

    private func launch() async throws(QMPFault) -> (ChildProcess, QMPClient) {
        try await clearLeftovers()
        let child: ChildProcess
        do {
            child = try await ChildProcess.start(spawn)
        } catch {
            throw QMPFault(.unreachable, outcome: .notDone, error.message)
        }
        let deadline = ContinuousClock.now + .seconds(10)
        while true {
            do {
                return (child, try await QMPClient.connect(monitorSocket, group: group, logger: logger))
            } catch {
                // Twenty milliseconds is what it takes to come up; ending is noticed at once.
                let hasEnded = await child.wait(within: .milliseconds(5)) != nil
                guard hasEnded || Task.isCancelled || ContinuousClock.now > deadline || error.code != .unreachable
                else {
                    continue
                }
                await child.terminate(grace: .zero)
                let words = await lastWords()
                throw QMPFault(error.code, outcome: .notDone, "cannot start \(program): \(error.message)\(words)")
            }
        }
    }

    private var spawn: Spawn {
        Spawn(
            program,
            [
                "--chardev", "socket,id=monitor,path=\(optionValue(monitorSocket)),server=on,wait=off",
                "--monitor", "chardev=monitor",
                "--nbd-server", "addr.type=unix,addr.path=\(optionValue(nbdSocket))",
                "--pidfile", pidFile,
            ],
            output: .discard,
            errors: .file(log),
            endsWithParent: true
        )
    }

    /// Ends the daemon of an earlier run, if it still runs, and removes its files.
    private func clearLeftovers() async throws(QMPFault) {
        let (directory, pidFile, marker) = (directory, pidFile, monitorSocket)
        let stale = [monitorSocket, nbdSocket, pidFile, log]
        do {
            let leftover = try await pool.run {
                try FileManager.default.createDirectory(
                    atPath: directory,
                    withIntermediateDirectories: true,
                    attributes: [.posixPermissions: 0o700]
                )
                return RunningProcess.find(pidFile: pidFile, marker: marker)
            }
            if let leftover {
                logger.warning("Ending the storage daemon of an earlier run", metadata: ["pid": "\(leftover.pid)"])
                try await leftover.terminate(grace: .seconds(5))
            }
            try await pool.run { for path in stale { try DurableFile.remove(path) } }
        } catch let fault as PlatformFault where fault.code == .cancelled {
            throw QMPFault(.cancelled, outcome: .notDone, "starting the storage daemon was cancelled")
        } catch {
            throw QMPFault(.unreachable, outcome: .notDone, "cannot clear \(directory): \(error)")
        }
    }

    private func lastWords() async -> String {
        let log = log
        let text = (try? await pool.run { try String(contentsOfFile: log, encoding: .utf8) }) ?? ""
        return text.isEmpty ? "" : " (\(text.suffix(1000).trimmingCharacters(in: .whitespacesAndNewlines)))"
    }
}

/// A value inside a comma-separated option of a QEMU program, where a comma is written twice.
package func optionValue(_ value: String) -> String {
    value.replacing(",", with: ",,")
}
