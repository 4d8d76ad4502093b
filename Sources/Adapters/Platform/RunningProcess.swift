import Foundation
package import Glibc

/// A process that is not our child: a machine that outlived an earlier run of ours.
///
/// A process id alone is not an identity, since the kernel uses numbers again. This one is the id, the process's start
/// time, and a marker in its command line that only ours carry.
package struct RunningProcess: Sendable, Hashable, Codable {
    package let pid: pid_t
    /// When it started, in clock ticks since the machine did (`man 5 proc`, field 22 of `stat`).
    package let startTicks: UInt64
    /// Something that its command line contains, such as the path of its socket.
    package let marker: String

    /// Looks for a process by its id; nil when there is none or its command line does not contain `marker`.
    package static func find(pid: pid_t, marker: String) -> RunningProcess? {
        guard let startTicks = startTicks(of: pid), commandLine(of: pid).contains(marker) else { return nil }
        return RunningProcess(pid: pid, startTicks: startTicks, marker: marker)
    }

    /// Looks for a process by the id that a pid file holds.
    ///
    /// Blocks on the file system.
    package static func find(pidFile: String, marker: String) -> RunningProcess? {
        guard let text = try? String(contentsOfFile: pidFile, encoding: .utf8),
            let pid = pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)), pid > 0
        else { return nil }
        return find(pid: pid, marker: marker)
    }

    /// Whether this very process still runs; a zombie does not.
    package var isAlive: Bool { Self.find(pid: pid, marker: marker) == self }

    /// Sends a signal to this very process.
    ///
    /// - Throws: Code `notFound` when it has ended.
    package func signal(_ number: Int32) throws(PlatformFault) {
        let reference = try open()
        try Pidfd.signal(reference, number, pid: pid)
    }

    /// Waits until it has ended; false when `limit` passes, or the task is cancelled, first.
    package func waitForExit(within limit: Duration) async throws(PlatformFault) -> Bool {
        let reference: Descriptor
        do {
            reference = try open()
        } catch {
            if error.code == .notFound { return true }
            throw error
        }
        let watch = try ExitWatch(reference)
        defer { watch.stop() }
        return await watch.ended.value(within: limit) != nil
    }

    /// Asks it to end, and kills it when it has not after `grace`; succeeds when it is gone already.
    package func terminate(grace: Duration) async throws(PlatformFault) {
        do {
            try signal(SIGTERM)
            if try await waitForExit(within: grace) { return }
            try signal(SIGKILL)
        } catch {
            if error.code == .notFound { return }
            throw error
        }
        guard try await waitForExit(within: .seconds(30)) else {
            throw PlatformFault(.timedOut, outcome: .unknown, "process \(pid) does not end after being killed")
        }
    }

    /// Opens a reference and looks again: between the two, the number cannot have changed hands unseen.
    private func open() throws(PlatformFault) -> Descriptor {
        let reference = try Pidfd.open(pid)
        guard isAlive else { throw .system("process \(pid) has ended", errno: ESRCH) }
        return reference
    }

    private static func startTicks(of pid: pid_t) -> UInt64? {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return nil }
        // The second field is the program's name in parentheses and may contain anything, parentheses too.
        guard let end = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 19, fields[0] != "Z", fields[0] != "X" else { return nil }
        return UInt64(fields[19])
    }

    private static func commandLine(of pid: pid_t) -> String {
        let bytes = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()
        return String(decoding: bytes.map { $0 == 0 ? UInt8(ascii: " ") : $0 }, as: UTF8.self)
    }
}

/// A thread that waits for a process to end or for ``stop()``.
private final class ExitWatch: Sendable {
    let ended = Eventual<Void>()
    private let bell: Bell

    init(_ process: consuming Descriptor) throws(PlatformFault) {
        bell = try Bell()
        let raw = process.release()
        let thread = Thread { self.watch(raw) }
        thread.name = "exit-watch"
        thread.stackSize = 256 << 10
        thread.start()
    }

    func stop() { bell.ring() }

    private func watch(_ process: Int32) {
        defer { _ = close(process) }
        var events = [
            pollfd(fd: process, events: Int16(POLLIN), revents: 0),
            pollfd(fd: bell.reading, events: Int16(POLLIN), revents: 0),
        ]
        _ = retryingInterrupts { poll(&events, nfds_t(events.count), -1) }
        if events[0].revents != 0 { ended.settle(()) }
    }
}
