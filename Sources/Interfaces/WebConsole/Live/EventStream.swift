import Foundation
import HTTPCommon
import HTTPTypes
import Hummingbird
import NIOCore
import ServiceLifecycle
import SnapshotDomain
import SnapshotServices

/// What changes in an environment, as server-sent events (WHATWG HTML, section 9.2).
///
/// An event says only what changed; the page then asks for itself again. Its id names the run of the service and the
/// event, so that a browser that comes back gets what it missed, or is told to read everything again.
enum EventStream {
    private static let lastEventID = HTTPField.Name.known("Last-Event-ID")
    /// A comment this often keeps proxies from ending a quiet stream, and shows us that a reader has gone.
    private static let beat = Duration.seconds(15)

    static func response(_ visit: Visit) async throws -> Response {
        let place = try await visit.place()
        let seen = visit.request.headers[lastEventID].map { Seen($0, run: visit.console.run) }
        let changes = await visit.cloud.changes(after: seen?.sequence, visit.caller)
        let isStale = seen != nil && (seen?.sequence == nil || changes.hasGap)
        let lines = merged(changes.events, place.id, run: visit.console.run)
        let body = ResponseBody { writer in
            try await writer.write(
                ByteBuffer(string: isStale ? "retry: 1000\nevent: reload\ndata:\n\n" : "retry: 1000\n\n")
            )
            // A service that is asked to end waits for its answers, and this one would go on for ever.
            for await line in lines.cancelOnGracefulShutdown() { try await writer.write(ByteBuffer(string: line)) }
            try await writer.finish(nil)
        }
        return Response(
            status: .ok,
            headers: [.contentType: "text/event-stream", .cacheControl: "no-store"],
            body: body
        )
    }

    /// The event that a browser saw last.
    private struct Seen {
        /// Nil when it is of another run.
        let sequence: Int64?

        init(_ id: String, run: String) {
            let parts = id.split(separator: "-")
            sequence = parts.count == 2 && parts[0] == run ? Int64(parts[1]) : nil
        }
    }

    /// The events of one environment and the beat between them, as lines of the protocol.
    private static func merged(
        _ events: AsyncStream<ChangeEvent>,
        _ environment: EnvironmentID,
        run: String
    ) -> AsyncStream<String> {
        AsyncStream(bufferingPolicy: .bufferingNewest(512)) { continuation in
            let work = Task {
                await withTaskGroup { group in
                    group.addTask {
                        for await event in events where event.environment == environment {
                            continuation.yield(
                                "id: \(run)-\(event.sequence)\nevent: change\ndata: \(event.subject.word)\n\n"
                            )
                        }
                    }
                    group.addTask {
                        while !Task.isCancelled {
                            try? await Task.sleep(for: beat)
                            continuation.yield(":\n\n")
                        }
                    }
                    await group.next()
                    group.cancelAll()
                }
                continuation.finish()
            }
            continuation.onTermination = { _ in work.cancel() }
        }
    }
}

extension JobSubject {
    /// Kind and identity: `volumes/<id>`.
    fileprivate var word: String {
        switch self {
        case .volume(let id): "volumes/\(id)"
        case .snapshot(let id): "snapshots/\(id)"
        case .template(let id): "templates/\(id)"
        case .instance(let id): "instances/\(id)"
        case .environment(let id): "environments/\(id)"
        }
    }
}
