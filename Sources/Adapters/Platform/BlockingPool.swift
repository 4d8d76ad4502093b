import Dispatch
import Foundation
import Synchronization

/// A few threads of our own for calls that block: file I/O, fsync, C libraries.
///
/// Swift's cooperative pool has one thread per core and must never wait for a disk; a blocked thread there delays every
/// other task of the program. Calls given to one pool start in the order in which they were given. Use one pool for
/// each backend, so that one that hangs cannot starve another.
///
/// Threads start when there is work for them and stay until ``shutdown()`` or until the pool is dropped.
package final class BlockingPool: Sendable {
    private let queue: WorkQueue

    /// - Parameters:
    ///   - name: Shown as the name of the threads, of which Linux keeps fifteen bytes.
    ///   - width: How many calls may block at the same time; at least one.
    package init(name: String, width: Int) {
        queue = WorkQueue(name: name, width: max(1, width))
    }

    deinit { queue.close() }

    /// How many calls wait for a thread now.
    package var waitingCount: Int { queue.count }

    /// Runs `body` on a thread of the pool.
    ///
    /// A cancelled task stops waiting in line, and then `body` never runs; once it runs, it is not interrupted.
    ///
    /// - Parameters:
    ///   - evenCancelled: Runs `body` in a cancelled task too, for clean-up.
    ///   - body: The call that blocks.
    /// - Returns: What `body` returned.
    /// - Throws: What `body` throws, or ``PlatformFault`` with code `cancelled` and outcome `notDone` when the task was
    ///   cancelled or the pool shut down before `body` started.
    package func run<T: Sendable>(
        evenCancelled: Bool = false,
        _ body: @escaping @Sendable () throws -> T
    ) async throws -> T {
        let ticket = queue.newTicket()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<T, any Error>) in
                queue.enqueue(
                    WorkQueue.Entry(
                        ticket: ticket,
                        isCancellable: !evenCancelled,
                        perform: { continuation.resume(with: Result(catching: body)) },
                        abandon: { continuation.resume(throwing: $0) }
                    )
                )
            }
        } onCancel: {
            if !evenCancelled { queue.cancel(ticket) }
        }
    }

    /// Refuses new work, lets everything already accepted finish, and ends the threads.
    package func shutdown() async {
        queue.close()
        await queue.drained.value()
    }
}

/// The line in front of a ``BlockingPool`` and the threads that serve it.
///
/// Apart from the pool, because the threads keep this alive and must not keep the pool alive.
private final class WorkQueue: Sendable {
    struct Entry: Sendable {
        let ticket: UInt64
        let isCancellable: Bool
        let perform: @Sendable () -> Void
        let abandon: @Sendable (PlatformFault) -> Void
    }

    private struct State {
        var entries: [Entry] = []
        var nextTicket: UInt64 = 0
        var threads = 0
        var idleThreads = 0
        var isClosed = false
    }

    let drained = Eventual<Void>()
    private let name: String
    private let width: Int
    private let state = Mutex(State())
    // One signal for each entry and, after closing, one for each thread. A cancelled entry leaves a signal too many,
    // which wakes a thread that finds nothing and waits again.
    private let signals = DispatchSemaphore(value: 0)

    init(name: String, width: Int) {
        self.name = name
        self.width = width
    }

    var count: Int { state.withLock { $0.entries.count } }

    func newTicket() -> UInt64 {
        state.withLock { state in
            state.nextTicket += 1
            return state.nextTicket
        }
    }

    func enqueue(_ entry: Entry) {
        enum Decision { case refuse(String), accept(startThread: Bool) }
        let decision: Decision = state.withLock { state in
            if state.isClosed { return .refuse("the thread pool \(name) is shut down") }
            // Cancellation that came before this lock found no entry to remove.
            if entry.isCancellable, Task.isCancelled { return .refuse("the work was cancelled before it started") }
            state.entries.append(entry)
            guard state.entries.count > state.idleThreads, state.threads < width else {
                return .accept(startThread: false)
            }
            state.threads += 1
            return .accept(startThread: true)
        }
        switch decision {
        case .refuse(let reason):
            entry.abandon(PlatformFault(.cancelled, outcome: .notDone, reason))
        case .accept(let startThread):
            if startThread { startWorker() }
            signals.signal()
        }
    }

    func cancel(_ ticket: UInt64) {
        let entry: Entry? = state.withLock { state in
            guard let index = state.entries.firstIndex(where: { $0.ticket == ticket }) else { return nil }
            return state.entries.remove(at: index)
        }
        entry?.abandon(PlatformFault(.cancelled, outcome: .notDone, "the work was cancelled before it started"))
    }

    func close() {
        let threads: Int? = state.withLock { state in
            if state.isClosed { return nil }
            state.isClosed = true
            return state.threads
        }
        guard let threads else { return }
        if threads == 0 { drained.settle(()) }
        for _ in 0..<threads { signals.signal() }
    }

    private func startWorker() {
        let thread = Thread { self.work() }
        thread.name = name
        thread.start()
    }

    private func work() {
        enum Turn { case perform(Entry), wait, end(isLast: Bool) }
        while true {
            let turn: Turn = state.withLock { state in
                if !state.entries.isEmpty { return .perform(state.entries.removeFirst()) }
                if state.isClosed {
                    state.threads -= 1
                    return .end(isLast: state.threads == 0)
                }
                state.idleThreads += 1
                return .wait
            }
            switch turn {
            case .perform(let entry):
                entry.perform()
            case .wait:
                signals.wait()
                state.withLock { $0.idleThreads -= 1 }
            case .end(let isLast):
                if isLast { drained.settle(()) }
                return
            }
        }
    }
}
