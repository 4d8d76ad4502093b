import Dispatch
import Foundation
import Platform
import Synchronization
import Testing

@Suite("Blocking pool")
struct BlockingPoolTests {
    /// A pool of one thread that is held up until `release` is called.
    private struct HeldPool {
        let pool = BlockingPool(name: "test", width: 1)
        private let gate = DispatchSemaphore(value: 0)
        private let isHeld = Eventual<Void>()

        func hold() async throws {
            let (gate, isHeld) = (gate, isHeld)
            try await pool.run {
                isHeld.settle(())
                gate.wait()
            }
        }

        func waitUntilHeld() async { await isHeld.value() }

        func release() { gate.signal() }
    }

    @Test("runs queued calls in the order in which they were given")
    func order() async throws {
        let held = HeldPool()
        let seen = Recorder<Int>()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await held.hold() }
            await held.waitUntilHeld()
            for number in 0..<50 {
                group.addTask { try await held.pool.run { seen.append(number) } }
                try await until("call \(number) is queued") { held.pool.waitingCount == number + 1 }
            }
            held.release()
            try await group.waitForAll()
        }
        #expect(seen.values == Array(0..<50))
        await held.pool.shutdown()
    }

    @Test("never runs a queued call whose task was cancelled")
    func cancelQueued() async throws {
        let held = HeldPool()
        let seen = Recorder<Int>()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await held.hold() }
            await held.waitUntilHeld()
            let victim = Task { try await held.pool.run { seen.append(1) } }
            try await until("the call is queued") { held.pool.waitingCount == 1 }
            victim.cancel()
            let fault = try await fault { try await victim.value }
            #expect(fault.code == .cancelled)
            #expect(fault.outcome == .notDone)
            #expect(held.pool.waitingCount == 0)
            held.release()
            try await group.waitForAll()
        }
        #expect(try await held.pool.run { 7 } == 7)
        #expect(seen.values.isEmpty)
        await held.pool.shutdown()
    }

    @Test("refuses a call from a task that is cancelled already")
    func cancelledBefore() async throws {
        let pool = BlockingPool(name: "test", width: 1)
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await pool.run {}
        }
        let fault = try await fault { try await task.value }
        #expect(fault.code == .cancelled)
        await pool.shutdown()
    }

    @Test("blocks at most as many threads as it is wide", arguments: [1, 3])
    func width(_ width: Int) async throws {
        let pool = BlockingPool(name: "test", width: width)
        let running = Counter()
        let gate = DispatchSemaphore(value: 0)
        let highest = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<12 {
                group.addTask {
                    try await pool.run {
                        let count = running.add(1)
                        gate.wait()
                        running.add(-1)
                        return count
                    }
                }
            }
            try await until("all threads are busy and the rest waits") {
                running.add(0) == width && pool.waitingCount == 12 - width
            }
            for _ in 0..<12 { gate.signal() }
            return try await group.reduce(0) { max($0, $1) }
        }
        #expect(highest == width)
        await pool.shutdown()
    }

    @Test("leaves the threads of Swift's pool free while its own are blocked")
    func doesNotBlockTasks() async throws {
        let pool = BlockingPool(name: "test", width: 8)
        let gate = DispatchSemaphore(value: 0)
        try await withThrowingTaskGroup(of: Void.self) { group in
            // More than this machine has cores: if they blocked tasks, the next line would never come to run.
            for _ in 0..<8 { group.addTask { try await pool.run { gate.wait() } } }
            group.addTask { for _ in 0..<8 { gate.signal() } }
            try await group.waitForAll()
        }
        await pool.shutdown()
    }

    @Test("passes on what the call throws")
    func throwing() async throws {
        struct Odd: Error {}
        let pool = BlockingPool(name: "test", width: 1)
        await #expect(throws: Odd.self) { try await pool.run { throw Odd() } }
        await pool.shutdown()
    }

    @Test("finishes what was accepted before shutting down, and takes nothing afterwards")
    func shutdown() async throws {
        let held = HeldPool()
        let seen = Recorder<Int>()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await held.hold() }
            await held.waitUntilHeld()
            group.addTask { try await held.pool.run { seen.append(1) } }
            try await until("the call is queued") { held.pool.waitingCount == 1 }
            group.addTask { await held.pool.shutdown() }
            held.release()
            try await group.waitForAll()
        }
        #expect(seen.values == [1])
        let fault = try await fault { try await held.pool.run {} }
        #expect(fault.code == .cancelled)
    }
}

/// A list that several threads append to.
final class Recorder<Element: Sendable>: Sendable {
    private let list = Mutex<[Element]>([])

    var values: [Element] { list.withLock { $0 } }

    func append(_ element: Element) {
        list.withLock { $0.append(element) }
    }
}

/// A number that several threads change.
private final class Counter: Sendable {
    private let number = Mutex(0)

    /// Adds, and returns the sum.
    @discardableResult
    func add(_ difference: Int) -> Int {
        number.withLock { number in
            number += difference
            return number
        }
    }
}
