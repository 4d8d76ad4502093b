import Foundation
import Glibc
import Platform
import SnapshotDomain

/// The folder of one machine, `machines/<instance>/`: all that a later service needs to find the machine again.
struct MachineFolder: Sendable {
    /// The name of the longest socket in it, which bounds how deep the folder may lie.
    static let longestSocketName = "qmp-spare"

    let id: InstanceID
    let path: String
    /// The folder under a name that is short enough for sockets; often the same.
    private let socketFolder: String

    init(id: InstanceID, machines: String, sockets: String) {
        self.id = id
        path = "\(machines)/\(id)"
        socketFolder = "\(sockets)/\(id)"
    }

    /// What the service remembers of the machine, as JSON.
    var record: String { "\(path)/machine.json" }
    /// Written by QEMU, and removed by it when it ends in order.
    var pidFile: String { "\(path)/pid" }
    /// All that the guest wrote to its serial port, in all its runs.
    var console: String { "\(path)/console.log" }
    /// What QEMU itself had to say in the present run.
    var log: String { "\(path)/qemu.log" }
    /// The monitor that belongs to the service.
    var monitor: String { "\(socketFolder)/qmp" }
    /// A second monitor for people, as a monitor serves one client at a time.
    var spareMonitor: String { "\(socketFolder)/\(Self.longestSocketName)" }
    /// A third monitor for the guard of a pause, which must not wait for anybody.
    var guardMonitor: String { "\(socketFolder)/qmp-guard" }
    /// Where the machine's memory passes when it is saved or loaded.
    var memory: String { "\(socketFolder)/memory" }
    /// There while a guard holds the machine's processors; see ``PauseMark``.
    var pauseMark: String { "\(path)/paused" }
    /// The channel to the agent in the guest.
    var agent: String { "\(socketFolder)/agent" }

    /// A name that nothing else has, for a file that QEMU writes and we read and remove.
    func temporaryFile() -> String { "\(path)/\(RandomName.make()).tmp" }

    /// The machine's process, if it runs; blocks.
    ///
    /// A process counts only when its command line names this very pid file, so that a stale or foreign number is never
    /// taken for the machine.
    func findProcess() -> RunningProcess? {
        RunningProcess.find(pidFile: pidFile, marker: pidFile)
    }

    /// Makes the folder ready for a new run; blocks.
    ///
    /// What an earlier run left is gone, except for the console's text.
    func prepareForStart() throws {
        try FileManager.default.createDirectory(
            atPath: path,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        let files = FileManager.default
        let pictures = try files.contentsOfDirectory(atPath: path).filter { $0.hasSuffix(".tmp") }.map {
            "\(path)/\($0)"
        }
        for stale in [pidFile, pauseMark, monitor, spareMonitor, guardMonitor, memory, agent, log] + pictures {
            _ = unlink(stale)
        }
    }

    /// Whether QEMU ended in order, judging by what it left behind; blocks.
    ///
    /// It removes its pid file at every end that it controls; of those, it logs the ones that a signal asked for.
    func hasOrderlyEnd() -> Bool {
        guard (try? FileFacts.find(pidFile)) == .some(nil) else { return false }
        return !logTail().contains("terminating on signal")
    }

    /// The last words of QEMU, on one line; empty when it had none.
    ///
    /// Blocks.
    func logTail() -> String {
        guard let file = FileHandle(forReadingAtPath: log) else { return "" }
        defer { try? file.close() }
        let end = (try? file.seekToEnd()) ?? 0
        try? file.seek(toOffset: end > 2_000 ? end - 2_000 : 0)
        let text = String(decoding: (try? file.readToEnd()) ?? Data(), as: UTF8.self)
        return text.split(whereSeparator: \.isNewline).suffix(4).joined(separator: " / ")
    }
}
