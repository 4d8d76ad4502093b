import SnapshotDomain
import Synchronization
import Testing

@testable import SnapshotServices

@Suite("layer leases")
struct LayerLeaseTests {
    private let leases = LayerLeases()
    private let layer = LayerID.random()
    private let other = LayerID.random()

    @Test("any number of jobs share a layer, and nobody takes it alone meanwhile")
    func sharing() async throws {
        try await leases.sharing([layer, other]) {
            try await leases.sharing([layer]) {
                #expect(take([layer]) == nil)
                #expect(leases.held == [layer, other])
            }
            #expect(take([layer]) == nil, "one of two is left")
        }
        #expect(leases.held.isEmpty)
        #expect(take([layer]) != nil)
    }

    @Test("two cannot both have a layer alone")
    func exclusive() throws {
        let ticket = try #require(take([layer]))
        #expect(take([layer, other]) == nil)
        #expect(take([other]) != nil)
        leases.release(ticket)
        #expect(leases.held == [other])
    }

    @Test("a job asks whoever has the layer alone to make way, and waits for the release")
    func makingWay() async throws {
        let (asked, continuation) = AsyncStream.makeStream(of: Void.self)
        let taken = leases.takeAlone([layer]) { continuation.yield() }
        let ticket = try #require(taken)
        let job = Task { try await leases.sharing([layer]) { leases.held } }
        for await _ in asked { break }
        leases.release(ticket)
        #expect(try await job.value == [layer])
        #expect(leases.held.isEmpty)
    }

    @Test("a job that waits can be cancelled, and holds nothing then")
    func cancelling() async throws {
        let (asked, continuation) = AsyncStream.makeStream(of: Void.self)
        let taken = leases.takeAlone([layer]) { continuation.yield() }
        let ticket = try #require(taken)
        let job = Task { try await leases.sharing([layer]) {} }
        for await _ in asked { break }
        job.cancel()
        await #expect(throws: CancellationError.self) { try await job.value }
        leases.release(ticket)
        #expect(leases.held.isEmpty)
    }

    @Test("a job that was cancelled before it asked gets nothing")
    func cancelledBefore() async throws {
        let ticket = try #require(take([layer]))
        let job = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await leases.sharing([layer]) {}
        }
        await #expect(throws: CancellationError.self) { try await job.value }
        leases.release(ticket)
        #expect(leases.held.isEmpty)
    }

    @Test("whoever listens hears of every layer that a job lets go")
    func observing() async throws {
        let heard = Mutex<[Set<LayerID>]>([])
        leases.observe { freed in heard.withLock { $0.append(freed) } }
        func soFar() -> [Set<LayerID>] { heard.withLock { $0 } }
        try await leases.sharing([layer]) { #expect(soFar().isEmpty) }
        let lease = try await leases.share([other])
        lease.end()
        lease.end()
        #expect(soFar() == [[layer], [other]])
    }

    @Test("a lease that is forgotten ends")
    func forgetting() async throws {
        var lease: SharedLease? = try await leases.share([layer])
        #expect(leases.held == [layer])
        _ = lease
        lease = nil
        #expect(leases.held.isEmpty)
    }

    private func take(_ layers: Set<LayerID>) -> Int? {
        leases.takeAlone(layers, makeWay: {})
    }
}
