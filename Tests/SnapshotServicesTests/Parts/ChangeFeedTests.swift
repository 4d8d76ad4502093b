import SnapshotDomain
import Testing

@testable import SnapshotServices

@Suite("change feed")
struct ChangeFeedTests {
    private let feed = ChangeFeed()
    private let environment = EnvironmentID.random()

    @Test("every listener hears everything from its first moment on, in one order")
    func listening() async {
        let volumes = (0..<3).map { _ in JobSubject.volume(.random()) }
        let early = feed.listen()
        feed.publish([volumes[0]], in: environment)
        let late = feed.listen()
        feed.publish(volumes[1...], in: environment)
        #expect(await first(3, of: early).map(\.subject) == volumes)
        let heard = await first(2, of: late)
        #expect(heard.map(\.subject) == Array(volumes[1...]))
        #expect(heard.map(\.sequence) == [2, 3])
        #expect(heard.allSatisfy { $0.environment == environment })
    }

    @Test("a slow listener loses the oldest, keeps the newest, and sees the gap")
    func overflowing() async throws {
        let slow = feed.listen()
        let volume = JobSubject.volume(.random())
        for _ in 0..<1_000 { feed.publish([volume], in: environment) }
        let heard = await first(2 * ChangeFeed.keptEvents, of: slow)
        #expect(heard.first?.sequence == 489)
        #expect(heard.last?.sequence == 1_000)
    }

    @Test("listeners that go while something is published hold nobody up", .timeLimit(.minutes(1)))
    func leaving() async {
        let volume = JobSubject.volume(.random())
        for _ in 0..<200 {
            let listeners = (0..<8).map { _ in
                let stream = feed.listen()
                return Task { for await _ in stream {} }
            }
            await withTaskGroup { group in
                group.addTask { for _ in 0..<50 { self.feed.publish([volume], in: self.environment) } }
                group.addTask { for listener in listeners { listener.cancel() } }
            }
            for listener in listeners { await listener.value }
        }
    }

    private func first(_ count: Int, of stream: AsyncStream<ChangeEvent>) async -> [ChangeEvent] {
        var events: [ChangeEvent] = []
        for await event in stream {
            events.append(event)
            if events.count == count { break }
        }
        return events
    }
}
