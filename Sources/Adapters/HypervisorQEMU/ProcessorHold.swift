import Glibc
import QEMU

/// The processors of a machine, stopped by its monitor.
///
/// A machine that stands still looks the same whoever stopped it. The mark tells ours from others': it is made and locked
/// before the machine is stopped, and goes after it runs again. So a mark without a lock means that a guard was killed, and
/// that whoever finds it lets the machine go on; see ``PauseMark``.
///
/// A migration that is under way when the hold ends is cancelled: a machine whose state is being written out may have
/// been stopped by that, too, and must not be stopped again by its end.
final class ProcessorHold: GuestHold {
    private let line: GuardLine
    private let path: String
    private var mark: PauseMark?

    init(monitorSocket: String, mark: String) {
        line = GuardLine(path: monitorSocket, peer: "QEMU's monitor")
        path = mark
    }

    var isMachineGone: Bool { line.isMachineGone }

    func open(until deadline: ContinuousClock.Instant) throws(GuardLine.Failure) {
        guard mark != nil || PauseMark.isFree(path) else { throw .refused("another guard holds the machine") }
        try connect(until: deadline)
        guard try status(until: deadline) == "running" else { throw .refused("the machine does not run") }
        mark = PauseMark.make(path)
        guard mark != nil else { throw .refused("the file \(path) cannot be made") }
    }

    func waitUntilDue(_ owner: OwnerLine) throws(GuardLine.Failure) -> Bool {
        while true {
            do throws(GuardLine.Failure) {
                if try line.receive(until: .now + .seconds(60), unless: owner)["event"]?.string == "STOP" {
                    return true
                }
            } catch {
                switch error {
                case .ownerSpoke: return owner.nextWord(until: .now) == .hold
                case .silent where line.isOpen: continue
                case .silent, .refused: throw error
                }
            }
        }
    }

    func begin(until deadline: ContinuousClock.Instant, unless owner: OwnerLine) throws(GuardLine.Failure) -> Int {
        try send("stop")
        while true {
            do throws(GuardLine.Failure) {
                _ = try answer(until: deadline, unless: owner)
                return 1
            } catch {
                // The machine stopped by itself, and the owner asks for what is being done.
                guard case .ownerSpoke = error, owner.skipHold() else { throw error }
            }
        }
    }

    func end(until deadline: ContinuousClock.Instant, released count: inout Int) throws(GuardLine.Failure) -> Bool {
        if !line.isOpen { try connect(until: deadline) }
        if MigrationState.underWay.contains(try migration(until: deadline)) {
            _ = try ask("migrate_cancel", until: deadline)
            // Until it has noticed, it may stop the machine once more.
            while try migration(until: deadline) == MigrationState.ending, ContinuousClock.now < deadline {
                usleep(2_000)
            }
        }
        if try status(until: deadline) != "running" {
            count = 1
            _ = try ask("cont", until: deadline)
        }
        guard try status(until: deadline) == "running" else { return false }
        mark?.remove()
        mark = nil
        return true
    }

    func close() { line.close() }

    private func connect(until deadline: ContinuousClock.Instant) throws(GuardLine.Failure) {
        try line.open(until: deadline)
        while try line.receive(until: deadline)["QMP"] == nil {}
        _ = try ask("qmp_capabilities", until: deadline)
    }

    private func migration(until deadline: ContinuousClock.Instant) throws(GuardLine.Failure) -> String {
        try ask("query-migrate", until: deadline)["status"]?.string ?? ""
    }

    private func status(until deadline: ContinuousClock.Instant) throws(GuardLine.Failure) -> String? {
        try ask("query-status", until: deadline)["status"]?.string
    }

    private var lastNumber: Int64 = 0

    private func ask(
        _ command: String,
        until deadline: ContinuousClock.Instant
    ) throws(GuardLine.Failure) -> JSONValue {
        try send(command)
        return try answer(until: deadline)
    }

    private func send(_ command: String) throws(GuardLine.Failure) {
        lastNumber += 1
        try line.send(Array("{\"execute\":\"\(command)\",\"id\":\(lastNumber)}\n".utf8))
    }

    private func answer(
        until deadline: ContinuousClock.Instant,
        unless owner: OwnerLine? = nil
    ) throws(GuardLine.Failure) -> JSONValue {
        while true {
            // Events come in between, and answers that came too late for their question.
            let message = try line.receive(until: deadline, unless: owner)
            guard message["id"]?.integer == lastNumber else { continue }
            if let error = message["error"] { throw .refused(error["desc"]?.string ?? "no reason given") }
            return message["return"] ?? .null
        }
    }
}

/// QEMU's words for what a migration does.
enum MigrationState {
    /// Those in which it is neither finished nor failed.
    static let underWay: Set<String> = ["setup", "active", "pre-switchover", "device", "wait-unplug"]
    /// It was cancelled and has not noticed yet.
    static let ending = "cancelling"
    /// All memory is written, and the machine stands still until it is told to go on with the rest.
    static let beforeTheEnd = "pre-switchover"
    static let completed = "completed"
    static let failed = "failed"
}

/// The file in a machine's folder that is there while a guard holds the machine's processors.
///
/// Not for other kinds of stops: one by an I/O error has no mark, and nobody but people ends it.
struct PauseMark {
    let path: String
    private let descriptor: Int32

    /// Whether nobody guards the machine now; blocks.
    static func isFree(_ path: String) -> Bool {
        let descriptor = open(path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return errno == ENOENT }
        defer { Glibc.close(descriptor) }
        return flock(descriptor, LOCK_EX | LOCK_NB) == 0
    }

    /// Whether there is one, guarded or not; blocks.
    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// Makes and locks one; blocks.
    ///
    /// It need not be durable: a power loss ends the machine, too.
    static func make(_ path: String) -> PauseMark? {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return nil }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            Glibc.close(descriptor)
            return nil
        }
        return PauseMark(path: path, descriptor: descriptor)
    }

    /// Removes it: the machine runs again.
    func remove() {
        _ = unlink(path)
        Glibc.close(descriptor)
    }
}
