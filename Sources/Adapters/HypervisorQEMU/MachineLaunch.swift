import Foundation
import Platform
import QEMU
import SnapshotPorts

/// Starts QEMU for one machine and waits until its monitor answers; the machine's processors still wait then.
struct MachineLaunch {
    let folder: MachineFolder
    let host: MachineHost

    /// Starts QEMU in a session of its own and without any pipe to us, so that it does not notice our end.
    ///
    /// - Throws: `cannotStart`, with QEMU's last words, when it ends or does not answer; nothing is left then.
    func launch(
        _ program: String,
        _ words: [String]
    ) async throws(HypervisorFault) -> (ChildProcess, RunningProcess, QMPClient) {
        let spawn = Spawn(program, words, output: .file(folder.log), errors: .file(folder.log))
        let child: ChildProcess
        do {
            child = try await ChildProcess.start(spawn)
        } catch {
            throw HypervisorFault(.cannotStart, .notDone, "QEMU cannot be started: \(error.message).")
        }
        do throws(HypervisorFault) {
            let client = try await connect(child)
            guard let process = RunningProcess.find(pid: child.pid, marker: folder.pidFile) else {
                client.close()
                throw await fault(of: child)
            }
            return (child, process, client)
        } catch {
            await child.terminate(grace: .seconds(1))
            throw error
        }
    }

    private func connect(_ child: ChildProcess) async throws(HypervisorFault) -> QMPClient {
        let deadline = ContinuousClock.now + host.limits.start
        while child.status == nil, ContinuousClock.now < deadline {
            do throws(QMPFault) {
                return try await QMPClient.connect(folder.monitor, group: host.group, timeout: host.limits.answer)
            } catch {
                // A program that ends in the midst of it tells more than its socket.
                if error.code != .unreachable, await child.wait(within: .seconds(1)) == nil {
                    throw HypervisorFault(error, trying: "start the machine")
                }
            }
            // QEMU makes the socket some ten milliseconds after its start; nothing tells us when.
            if (try? await Task.sleep(for: .milliseconds(5))) == nil {
                throw HypervisorFault(.cancelled, .notDone, "Starting the machine was cancelled.")
            }
        }
        throw await fault(of: child)
    }

    private func fault(of child: ChildProcess) async -> HypervisorFault {
        let folder = self.folder
        let log = await shielded { [host] in (try? await host.pool.run { folder.logTail() }) ?? "" }
        if let remedy = HypervisorFault.remedy(for: log) {
            return HypervisorFault(.cannotStart, .notDone, "The machine cannot be started: \(remedy).", cause: log)
        }
        let words = log.isEmpty ? "it gave no reason" : log
        guard let status = child.status else {
            return HypervisorFault(
                .cannotStart,
                .notDone,
                "QEMU does not answer within \(host.limits.start): \(words)."
            )
        }
        return HypervisorFault(.cannotStart, .notDone, "QEMU ended while it started, with \(status): \(words).")
    }
}
