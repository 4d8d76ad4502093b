import Platform
import Testing

@Suite("Eventual values and deadlines")
struct EventualTests {
    @Test("gives the first value to everyone who waits, before and after")
    func waiters() async {
        let eventual = Eventual<Int>()
        await withTaskGroup(of: Int.self) { group in
            for _ in 0..<10 { group.addTask { await eventual.value() } }
            #expect(eventual.settle(1))
            #expect(!eventual.settle(2))
            for await value in group { #expect(value == 1) }
        }
        #expect(await eventual.value(within: .zero) == 1)
        #expect(eventual.current == 1)
    }

    @Test("lets a cancelled task go without the value")
    func cancellation() async {
        let eventual = Eventual<Int>()
        let patient = Task { await eventual.valueUnlessCancelled() }
        let limited = Task { await eventual.value(within: .seconds(3600)) }
        patient.cancel()
        limited.cancel()
        #expect(await patient.value == nil)
        #expect(await limited.value == nil)
    }

    @Test("waits in a cancelled task when it is told to")
    func evenCancelled() async {
        let eventual = Eventual<Int>()
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return await eventual.value(within: .seconds(3600), evenCancelled: true)
        }
        eventual.settle(5)
        #expect(await task.value == 5)
    }

    @Test("gives up when the limit has passed")
    func limit() async {
        #expect(await Eventual<Int>().value(within: .milliseconds(1)) == nil)
    }

    @Test("a deadline throws what the work throws")
    func deadlinePassesErrors() async {
        struct Odd: Error {}
        await #expect(throws: Odd.self) {
            try await withDeadline(.seconds(3600), for: "the work") { throw Odd() }
        }
    }

    @Test("a deadline cancels the work and says how long it waited")
    func deadlineExpires() async throws {
        let fault = try await fault {
            try await withDeadline(.milliseconds(1), for: "the work") { try await Task.sleep(for: .seconds(3600)) }
        }
        #expect(fault.code == .timedOut)
        #expect(fault.outcome == .unknown)
        #expect(fault.message.contains("the work took longer than"))
    }

    @Test("a deadline keeps a result that came in spite of it")
    func deadlineKeepsResult() async throws {
        let stubborn = Eventual<Int>()
        let value = try await withDeadline(.milliseconds(1), for: "the work") {
            // Ignores its cancellation, and finishes because of it.
            if await stubborn.valueUnlessCancelled() == nil { stubborn.settle(3) }
            return await stubborn.value()
        }
        #expect(value == 3)
    }

    @Test("cancelling the caller of a deadline reaches the work")
    func deadlineCancelled() async {
        let task = Task {
            try await withDeadline(.seconds(3600), for: "the work") { try await Task.sleep(for: .seconds(3600)) }
        }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }
}
