import Foundation
import Glibc
import Synchronization

/// Counts what the storage daemons of a service write while something goes on.
///
/// They live for one operation each, so their counters are read every millisecond until they are gone. QEMU closes its
/// files after the last byte was written, which takes longer than that.
final class WrittenBytes: Sendable {
    private let service: pid_t
    private let counts = Mutex<[pid_t: Int64]>([:])
    private let isDone = Atomic(false)

    init(of service: pid_t) {
        self.service = service
    }

    /// Counts while `body` runs.
    func count(_ body: () async throws -> Void) async throws -> Int64 {
        let thread = Thread { self.watch() }
        thread.start()
        defer { isDone.store(true, ordering: .relaxed) }
        try await body()
        return counts.withLock { $0.values.reduce(0, +) }
    }

    private func watch() {
        while !isDone.load(ordering: .relaxed) {
            for pid in daemons() {
                guard let bytes = Self.writtenBytes(of: pid) else { continue }
                counts.withLock { $0[pid] = max($0[pid] ?? 0, bytes) }
            }
            usleep(1_000)
        }
    }

    /// The service's children that are storage daemons.
    private func daemons() -> [pid_t] {
        let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(service)/task")) ?? []
        return tasks.flatMap { task in
            Self.text("/proc/\(service)/task/\(task)/children").split(separator: " ").compactMap { pid_t($0) }
        }.filter { Self.text("/proc/\($0)/comm").hasPrefix("qemu-storage") }
    }

    /// What a process has handed to `write` and its kin, to whatever file; messages on sockets do not count.
    private static func writtenBytes(of pid: pid_t) -> Int64? {
        let line = text("/proc/\(pid)/io").split(separator: "\n").first { $0.hasPrefix("wchar:") }
        return line?.split(separator: " ").last.flatMap { Int64($0) }
    }

    private static func text(_ path: String) -> String {
        (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    }
}
