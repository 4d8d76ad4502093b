import Foundation
import Platform
import SnapshotDomain
import SnapshotPorts
import Synchronization
import TestKit
import Testing

@testable import ImageFetcherHTTP

@Suite("Images behind an address", .timeLimit(.minutes(1)))
struct FetchTests {
    private static let content = Data(String(repeating: "0123456789abcdef", count: 100_000).utf8)

    /// One fetch into a file of its own.
    private struct Fetch {
        let server: ImageServer
        let path: String
        var limits = HTTPImageFetcher.Limits()
        var reach = RemoteImage.Reach.anywhere
        var bounds = FetchBounds(size: .mebibytes(4), room: .gibibytes(1))

        var file: Data? { FileManager.default.contents(atPath: path) }

        func callAsFunction(_ url: URL? = nil, progress: @escaping ProgressHandler = { _, _ in }) async throws {
            try await HTTPImageFetcher(limits: limits).fetch(
                RemoteImage(url: url ?? server.url(), reach: reach),
                to: path,
                within: bounds,
                progress: progress
            )
        }

        func fault(_ url: URL? = nil) async throws -> ImageFetchFault {
            try await #require(throws: ImageFetchFault.self) { try await self(url) }
        }
    }

    private func withServer(
        _ handler: @escaping ImageServer.Handler,
        _ body: (Fetch) async throws -> Void
    ) async throws {
        let folder = "\(NSTemporaryDirectory())/fetch-\(RandomName.make())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await ImageServer.run(handler) { try await body(Fetch(server: $0, path: "\(folder)/image")) }
    }

    /// Answers the first requests one by one as given, and all others with the last.
    private func inTurn(_ answers: ImageServer.Handler...) -> ImageServer.Handler {
        let count = Counter()
        return { request in answers[min(count.next(), answers.count - 1)](request) }
    }

    private static let image: ImageServer.Handler = { .image(content, version: "1", for: $0) }

    // MARK: All of it

    @Test("an image is fetched whole, also from where its address redirects to")
    func whole() async throws {
        try await withServer { request in
            request.path == "/moved" ? .init(302, ["Location": "/image"]) : Self.image(request)
        } _: { fetch in
            let seen = Mutex<[Int64]>([])
            try await fetch(fetch.server.url("/moved")) { done, total in
                #expect(total == ByteCount(Int64(Self.content.count)))
                seen.withLock { $0.append(done.bytes) }
            }
            #expect(fetch.file == Self.content)
            #expect(seen.withLock(\.self) == seen.withLock(\.self).sorted())
            #expect(seen.withLock(\.last) == Int64(Self.content.count))
            #expect(fetch.server.requests.allSatisfy { $0.headers["accept-encoding"] == "identity" })
        }
    }

    @Test("where the length is not said, it is not known until the end")
    func unknownLength() async throws {
        try await withServer { _ in
            .init(200, ["Content-Length": ""], body: Self.content)
        } _: { fetch in
            try await fetch { _, total in #expect(total == .zero) }
            #expect(fetch.file == Self.content)
        }
    }

    @Test("what is there asks nobody again")
    func repeated() async throws {
        try await withServer(Self.image) { fetch in
            try await fetch()
            try await fetch()
            #expect(fetch.server.requests.count == 1)
            #expect(fetch.file == Self.content)
        }
    }

    // MARK: The rest of it

    @Test("a connection that breaks off is made again, for the rest")
    func broken() async throws {
        let handler = inTurn(
            { .image(Self.content, version: "1", for: $0, ending: .broken(after: 400_000)) },
            { .image(Self.content, version: "1", for: $0, ending: .broken(after: 300_000)) },
            Self.image
        )
        try await withServer(handler) { fetch in
            try await fetch()
            #expect(fetch.server.requests.map(\.start) == [nil, 400_000, 700_000])
            #expect(fetch.server.requests.last?.headers["if-range"] == "\"1\"")
            #expect(fetch.file == Self.content)
        }
    }

    @Test("one that breaks off without a way to ask for the rest, or again and again, is given up")
    func brokenForGood() async throws {
        func broken(_ version: String?, after count: Int) -> ImageServer.Handler {
            { .image(Self.content, version: version, for: $0, ending: .broken(after: count)) }
        }
        try await withServer(broken(nil, after: 400_000)) { fetch in
            let fetchFault = try await fetch.fault()
            #expect(fetchFault.code == .interrupted)
            #expect(fetch.server.requests.count == 1)
        }
        try await withServer(broken("1", after: 1_000)) { fetch in
            let fetchFault = try await fetch.fault()
            #expect(fetchFault.code == .interrupted)
            #expect(fetch.server.requests.count == HTTPImageFetcher.Limits().connections)
        }
        try await withServer(broken("1", after: 0)) { fetch in
            let fetchFault = try await fetch.fault()
            #expect(fetchFault.code == .interrupted)
            #expect(fetch.server.requests.count == 1)
        }
    }

    @Test("a weak version, or a source that has no ranges, begins again")
    func weak() async throws {
        for headers in [["ETag": "W/\"1\""], ["ETag": "\"1\"", "Accept-Ranges": "none"]] {
            let handler = inTurn(
                { _ in .init(200, headers, body: Self.content, ending: .silent(after: 400_000)) },
                Self.image
            )
            try await withServer(handler) { fetch in
                try await interrupt(fetch)
                try await fetch()
                #expect(fetch.server.requests.map(\.start) == [nil, nil])
                #expect(fetch.file == Self.content)
            }
        }
    }

    @Test("an image that changed, or lost its end, is fetched from its beginning")
    func changed() async throws {
        let other = Data(Self.content.reversed().prefix(500_000))
        let answers: [ImageServer.Handler] = [
            { .image(other, version: "2", for: $0) },
            // A source that takes no heed of If-Range.
            { $0.start == nil ? .image(other, version: "2", for: $0) : .init(416) },
            { request in
                guard let start = request.start else { return .image(other, version: "2", for: request) }
                let range = "bytes \(start)-\(other.count - 1)/\(other.count)"
                return .init(206, ["Content-Range": range, "ETag": "\"2\""], body: Data(other[start...]))
            },
        ]
        for later in answers {
            let handler = inTurn(
                { .image(Self.content, version: "1", for: $0, ending: .silent(after: 400_000)) },
                later
            )
            try await withServer(handler) { fetch in
                try await interrupt(fetch)
                try await fetch()
                #expect(fetch.file == other)
            }
        }
    }

    @Test("bytes that no note counts are fetched again, whatever stands there")
    func torn() async throws {
        let handler = inTurn(
            { .image(Self.content, version: "1", for: $0, ending: .silent(after: 400_000)) },
            Self.image
        )
        try await withServer(handler) { fetch in
            try await interrupt(fetch)
            // As after a power loss: the file grew, and its end never reached the disk.
            let file = try #require(FileHandle(forWritingAtPath: fetch.path))
            try file.seekToEnd()
            try file.write(contentsOf: Data(count: 5_000))
            try file.close()
            try await fetch()
            #expect(fetch.server.requests.map(\.start) == [nil, 400_000])
            #expect(fetch.file == Self.content)
        }
    }

    @Test("a note that is damaged, or counts more than there is, counts for nothing")
    func badNotes() async throws {
        let handler = inTurn(
            { .image(Self.content, version: "1", for: $0, ending: .silent(after: 400_000)) },
            Self.image
        )
        for spoil: @Sendable (Fetch) throws -> Void in [
            { try Data("{".utf8).write(to: URL(fileURLWithPath: $0.path + ".origin")) },
            { try Data().write(to: URL(fileURLWithPath: $0.path)) },
        ] {
            try await withServer(handler) { fetch in
                try await interrupt(fetch)
                try spoil(fetch)
                try await fetch()
                #expect(fetch.server.requests.last?.start == nil)
                #expect(fetch.file == Self.content)
            }
        }
    }

    @Test("what came is noted on the way, for a process that is killed")
    func notedOnTheWay() async throws {
        let handler: ImageServer.Handler = {
            .image(Self.content, version: "1", for: $0, ending: .silent(after: 400_000))
        }
        try await withServer(handler) { fetch in
            var small = fetch
            small.limits.noteEvery = .kibibytes(64)
            let other = fetch.path + "-copy"
            let hasCopied = Mutex(false)
            try await interrupt(small) {
                // What a kill would leave at this very moment.
                hasCopied.withLock { isDone in
                    guard !isDone else { return }
                    isDone = true
                    for ending in ["", ".origin"] {
                        try? FileManager.default.copyItem(atPath: fetch.path + ending, toPath: other + ending)
                    }
                }
            }
            let left = try PartialImage(at: other, of: fetch.server.url(), noteEvery: .mebibytes(1))
            #expect(left.length >= .kibibytes(300))
            #expect(left.isContinuable)
            let present = try #require(FileManager.default.contents(atPath: other))
            #expect(present == Self.content.prefix(present.count))
        }
    }

    /// Fetches until the source falls silent, and is cancelled then.
    private func interrupt(_ fetch: Fetch, then: @escaping @Sendable () -> Void = {}) async throws {
        let (arrivals, arrived) = AsyncStream.makeStream(of: Void.self)
        let task = Task {
            try await fetch { done, _ in
                if done >= ByteCount(400_000) {
                    then()
                    arrived.finish()
                }
            }
        }
        for await _ in arrivals {}
        task.cancel()
        let fault = await #expect(throws: ImageFetchFault.self) { try await task.value }
        #expect(fault?.code == .cancelled)
    }

    // MARK: Refusals

    @Test("what is no image is told from what is not to be had")
    func refusals() async throws {
        try await withServer { request in
            switch request.path {
            case "/circle": .init(302, ["Location": "/circle"])
            case "/inside": .init(302, ["Location": "file:///etc/passwd"])
            case "/nowhere": .init(302)
            case "/page": .init(200, ["Content-Type": "text/html"], body: Data("<p>".utf8))
            case "/empty": .init(200)
            case "/secret": .init(403)
            case "/busy": .init(503)
            default: .init(404)
            }
        } _: { fetch in
            let expected: [(String, ImageFetchFault.Code)] = [
                ("/circle", .badAddress), ("/inside", .badAddress), ("/nowhere", .badAddress), ("/page", .badContent),
                ("/empty", .badContent), ("/secret", .refused), ("/missing", .refused), ("/busy", .unreachable),
            ]
            for (path, code) in expected {
                let fault = try await fetch.fault(fetch.server.url(path))
                #expect(fault.code == code, "\(path): \(fault)")
            }
        }
    }

    @Test("an image beyond a bound is refused, announced or not")
    func tooLarge() async throws {
        for headers in [[:], ["Content-Length": ""]] {
            try await withServer { _ in
                .init(200, headers, body: Self.content)
            } _: { fetch in
                var small = fetch
                small.bounds.size = .kibibytes(64)
                let smallFault = try await small.fault()
                #expect(smallFault.code == .tooLarge)
                var tight = fetch
                tight.bounds.room = .kibibytes(64)
                let tightFault = try await tight.fault()
                #expect(tightFault.code == .noSpace)
                #expect((tight.file?.count ?? 0) <= 64 << 10)
            }
        }
    }

    @Test("what is there already needs no room again")
    func roomForTheRest() async throws {
        let handler = inTurn(
            { .image(Self.content, version: "1", for: $0, ending: .silent(after: 400_000)) },
            Self.image
        )
        try await withServer(handler) { fetch in
            try await interrupt(fetch)
            var tight = fetch
            tight.bounds.room = ByteCount(Int64(Self.content.count - 400_000))
            try await tight()
            #expect(fetch.file == Self.content)
        }
    }

    @Test("a source that falls silent, or never answers, is left")
    func silent() async throws {
        try await withServer { request in
            request.path == "/mute"
                ? .init(200, ending: .mute)
                : .image(Self.content, for: request, ending: .silent(after: 400_000))
        } _: { fetch in
            var fetch = fetch
            fetch.limits.silence = .milliseconds(200)
            for path in ["/image", "/mute"] {
                let fault = try await fetch.fault(fetch.server.url(path))
                #expect(fault.code == .stalled, "\(path): \(fault)")
            }
        }
    }

    @Test("nobody but an operator makes the service look inside, or anywhere without a certificate")
    func reach() async throws {
        try await withServer(Self.image) { fetch in
            var fetch = fetch
            fetch.reach = .publicOnly
            for text in [
                fetch.server.url().absoluteString, "https://127.0.0.1/x", "https://[::1]/x", "https://localhost/x",
                "https:///x",
            ] {
                let url = try #require(URL(string: text))
                let fault = try await fetch.fault(url)
                #expect(fault.code == .badAddress, "\(text)")
            }
            #expect(fetch.server.requests.isEmpty)
        }
    }

    @Test("nobody listening is told as such")
    func nobody() async throws {
        try await withServer { _ in
            .init(200)
        } _: { fetch in
            let url = try #require(URL(string: "http://127.0.0.1:1/x"))
            let fault = try await fetch.fault(url)
            #expect(fault.code == .unreachable)
        }
    }

    @Test("public addresses are told from all others, at both ends of every range")
    func addresses() {
        let closed: [[UInt8]] = [
            [0, 0, 0, 0], [10, 0, 0, 1], [10, 255, 255, 255], [100, 64, 0, 0], [100, 127, 255, 255], [127, 0, 0, 1],
            [169, 254, 169, 254], [172, 16, 0, 0], [172, 31, 255, 255], [192, 168, 1, 1], [198, 18, 0, 0],
            [198, 19, 255, 255], [224, 0, 0, 1], [239, 255, 255, 255], [240, 0, 0, 0], [255, 255, 255, 255],
        ]
        let open: [[UInt8]] = [
            [1, 1, 1, 1], [9, 255, 255, 255], [11, 0, 0, 0], [100, 63, 255, 255], [100, 128, 0, 0],
            [172, 15, 255, 255],
            [172, 32, 0, 0], [192, 167, 255, 255], [198, 17, 255, 255], [198, 20, 0, 0], [223, 255, 255, 255],
        ]
        #expect(closed.allSatisfy { !HostAddresses.isPublic($0) })
        #expect(open.allSatisfy { HostAddresses.isPublic($0) })

        func v6(_ head: [UInt8]) -> [UInt8] { head + [UInt8](repeating: 1, count: 16 - head.count) }
        let mapped = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF, 127, 0, 0, 1]
        let closedV6 = [
            [UInt8](repeating: 0, count: 15) + [1], mapped, v6([0xFE, 0x80]), v6([0xFC]), v6([0xFF, 0x02]),
            v6([0x20, 0x01, 0x0D, 0xB8]), v6([0x20, 0x02]), v6([0x20, 0x01, 0x00, 0x00]), v6([0x00, 0x64, 0xFF, 0x9B]),
        ]
        #expect(closedV6.allSatisfy { !HostAddresses.isPublic($0) })
        #expect(HostAddresses.isPublic(v6([0x26, 0x06, 0x47, 0x00])))
        #expect(!HostAddresses(addresses: [[1, 1, 1, 1], [10, 0, 0, 1]]).isPublic)
        #expect(!HostAddresses(addresses: []).isPublic)
    }
}

private final class Counter: Sendable {
    private let count = Mutex(0)

    func next() -> Int {
        count.withLock { count in
            defer { count += 1 }
            return count
        }
    }
}
