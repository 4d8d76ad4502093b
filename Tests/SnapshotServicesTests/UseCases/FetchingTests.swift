import Foundation
import SnapshotDomain
import SnapshotPorts
import Synchronization
import TestKit
import Testing

@testable import SnapshotServices

extension CloudTests {
    @Suite("fetching images")
    struct Fetching {
        private static let content = Data((0..<(3 << 20)).map { UInt8(truncatingIfNeeded: $0 / 4_096) })

        private func submit(
            _ url: URL,
            _ cloud: TestCloud,
            _ call: CallContext? = nil
        ) async throws -> Submitted<TemplateView> {
            try await cloud.cloud.createTemplate(
                CreateTemplateRequest(source: .address(url, format: "raw"), name: try ResourceName("fetched")),
                in: cloud.home.id,
                call ?? cloud.call
            )
        }

        private func template(_ submitted: Submitted<TemplateView>, _ cloud: TestCloud) async throws -> Template? {
            try await cloud.catalog.read { try $0.findTemplate(submitted.resource.template.id) }
        }

        /// The digest of a layer that was imported from these bytes.
        private func digest(of content: Data, _ cloud: TestCloud) async throws -> ContentDigest {
            let path = try await cloud.uploads.makePath()
            try content.write(to: URL(fileURLWithPath: path))
            let submitted = try await cloud.cloud.createTemplate(
                CreateTemplateRequest(
                    source: .file(path: path, format: "raw", isUpload: true),
                    name: try ResourceName("expected")
                ),
                in: cloud.home.id,
                cloud.call
            )
            try await cloud.done(submitted.job)
            return try await cloud.digest(of: try #require(try await template(submitted, cloud)).layer)
        }

        /// Waits until a part of the image has come and no more will.
        private func untilHalfway(_ job: JobID, _ cloud: TestCloud) async throws {
            try await until("a part of the image") {
                (cloud.engine.openJob(job)?.progress?.doneBytes ?? .zero) >= .mebibytes(1)
            }
        }

        /// Sends a part at the first request, and falls silent; later ones get what they ask for.
        private func hesitant(_ later: Data = content, version: String = "1") -> ImageServer.Handler {
            let first = OneTime()
            return { request in
                first.take()
                    ? .image(Self.content, version: "1", for: request, ending: .silent(after: 1 << 20))
                    : .image(later, version: version, for: request)
            }
        }

        @Test("an image behind an address becomes a template, and nothing else stays")
        func fetch() async throws {
            try await withCloud { cloud in
                try await ImageServer.run {
                    .image(Self.content, for: $0)
                } _: { server in
                    let submitted = try await submit(server.url(), cloud)
                    #expect(submitted.resource.template.state == .creating(submitted.job))
                    try await cloud.done(submitted.job)
                    let made = try #require(try await template(submitted, cloud))
                    #expect(made.state == .available)
                    #expect(made.size == ByteCount(Int64(Self.content.count)))
                    #expect(try await cloud.digest(of: made.layer) == digest(of: Self.content, cloud))
                }
                try await cloud.checkInvariants()
            }
        }

        @Test("the request is answered while nobody has sent a byte, and the job can be cancelled")
        func cancel() async throws {
            try await withCloud { cloud in
                try await ImageServer.run(hesitant()) { server in
                    let submitted = try await submit(server.url(), cloud)
                    try await untilHalfway(submitted.job, cloud)
                    let progress = try #require(cloud.engine.openJob(submitted.job)?.progress)
                    #expect(progress.totalBytes == ByteCount(Int64(Self.content.count)))
                    _ = try await cloud.cloud.cancelTask(submitted.job, cloud.call)
                    let end = try await cloud.end(of: submitted.job)
                    #expect(end.status == .cancelled)
                    #expect(try await template(submitted, cloud) == nil)
                }
                try await cloud.checkInvariants()
            }
        }

        @Test("a service that ended in the middle asks for the rest only")
        func resume() async throws {
            try await withCloud { cloud in
                try await ImageServer.run(hesitant()) { server in
                    let submitted = try await submit(server.url(), cloud)
                    try await untilHalfway(submitted.job, cloud)
                    await cloud.stopRoom()
                    try await cloud.startRoom()
                    try await cloud.done(submitted.job)
                    #expect(server.requests.map(\.start) == [nil, 1 << 20])
                    let made = try #require(try await template(submitted, cloud))
                    #expect(try await cloud.digest(of: made.layer) == digest(of: Self.content, cloud))
                }
                try await cloud.checkInvariants()
            }
        }

        @Test("one that was killed before anything was noted begins again")
        func killed() async throws {
            try await withCloud { cloud in
                try await ImageServer.run(hesitant()) { server in
                    let submitted = try await submit(server.url(), cloud)
                    try await untilHalfway(submitted.job, cloud)
                    await cloud.stopRoom()
                    for name in try cloud.uploads.present where name.hasSuffix(".origin") {
                        try FileManager.default.removeItem(atPath: "\(cloud.uploads.folder)/\(name)")
                    }
                    try await cloud.startRoom()
                    try await cloud.done(submitted.job)
                    #expect(server.requests.map(\.start) == [nil, nil])
                    let made = try #require(try await template(submitted, cloud))
                    #expect(try await cloud.digest(of: made.layer) == digest(of: Self.content, cloud))
                }
                try await cloud.checkInvariants()
            }
        }

        @Test("an image that changed meanwhile is fetched from its beginning")
        func changed() async throws {
            try await withCloud { cloud in
                let other = Data(Self.content.reversed())
                try await ImageServer.run(hesitant(other, version: "2")) { server in
                    let submitted = try await submit(server.url(), cloud)
                    try await untilHalfway(submitted.job, cloud)
                    await cloud.stopRoom()
                    try await cloud.startRoom()
                    try await cloud.done(submitted.job)
                    #expect(server.requests.map(\.start) == [nil, 1 << 20])
                    let made = try #require(try await template(submitted, cloud))
                    #expect(try await cloud.digest(of: made.layer) == digest(of: other, cloud))
                }
                try await cloud.checkInvariants()
            }
        }

        @Test(
            "what is no image fails the job with a reason, and leaves nothing",
            arguments: [
                ("/missing", ServiceError.Code.invalidInput), ("/page", .invalidInput), ("/empty", .invalidInput),
                ("/broken", .unavailable), ("/busy", .unavailable), ("/huge", .limitExceeded), ("/vast", .noSpace),
            ]
        )
        func refusals(_ path: String, _ code: ServiceError.Code) async throws {
            var settings = Settings.forTests
            settings.largestImage = .gibibytes(1 << 22)
            try await withCloud(settings: settings) { cloud in
                try await ImageServer.run(Self.misbehave) { server in
                    let submitted = try await submit(server.url(path), cloud)
                    let failure = try await cloud.failure(of: submitted.job)
                    #expect(failure.code == code, "\(failure)")
                    let saysWhatToDo = ["mport", "pload"].contains { failure.message.contains($0) }
                    #expect(saysWhatToDo, "\(failure)")
                    #expect(try await template(submitted, cloud) == nil)
                }
                try await cloud.checkInvariants()
            }
        }

        private static let misbehave: ImageServer.Handler = { request in
            switch request.path {
            case "/page": .init(200, ["Content-Type": "text/html; charset=utf-8"], body: Data("<h1>Sign in</h1>".utf8))
            case "/empty": .init(200)
            case "/broken": .image(content, for: request, ending: .broken(after: 70_000))
            case "/busy": .init(503)
            case "/huge": .init(200, ["Content-Length": "\(1 << 53)"], body: content)
            case "/vast": .init(200, ["Content-Length": "\(1 << 51)"], body: content)
            default: .init(404)
            }
        }

        @Test("what an address may not be is said at once, and what it may not lead to by the job")
        func reach() async throws {
            try await withCloud { cloud in
                let editor = Authorisation.Caller.editor.call(in: cloud.home.id)
                for (text, call) in [
                    ("ftp://example.org/a", cloud.call), ("file:///etc/passwd", cloud.call), ("http:///a", cloud.call),
                    ("https://example.org/" + String(repeating: "a", count: 2_048), cloud.call),
                    (cloud.images.url().absoluteString, editor),
                ] {
                    let url = try #require(URL(string: text))
                    let error = try await #require(throws: ServiceError.self) { _ = try await submit(url, cloud, call) }
                    #expect(error.code == .invalidInput)
                    #expect(error.subject == .field("url"))
                }
                let inside = try #require(URL(string: "https://127.0.0.1:\(cloud.images.port)/image"))
                let submitted = try await submit(inside, cloud, editor)
                let failure = try await cloud.failure(of: submitted.job)
                #expect(failure.code == .invalidInput)
                #expect(failure.message.contains("private network"))
                #expect(cloud.images.requests.isEmpty)
                try await cloud.checkInvariants()
            }
        }

        @Test("an upload that no open job needs goes with the next start")
        func sweep() async throws {
            try await withCloud { cloud in
                try await ImageServer.run(hesitant()) { server in
                    let submitted = try await submit(server.url(), cloud)
                    try await untilHalfway(submitted.job, cloud)
                    await cloud.stopRoom()
                    let needed = Set(try cloud.uploads.present)
                    #expect(needed.count == 2)
                    try Data("x".utf8).write(to: URL(fileURLWithPath: "\(cloud.uploads.folder)/stray"))
                    let gate = Gate()
                    cloud.faults.hold("images.fetch", at: gate)
                    try await cloud.startRoom()
                    await gate.reached()
                    #expect(Set(try cloud.uploads.present) == needed)
                    gate.open()
                    try await cloud.done(submitted.job)
                }
                try await cloud.checkInvariants()
            }
        }
    }
}

/// True once.
private final class OneTime: Sendable {
    private let isTaken = Mutex(false)

    func take() -> Bool {
        isTaken.withLock { isTaken in
            defer { isTaken = true }
            return !isTaken
        }
    }
}
