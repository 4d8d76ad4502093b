import Dispatch
import Foundation
import FoundationNetworking
import SnapshotDomain
import Synchronization

/// One request for an image, whose bytes go to a file as they come.
final class FetchExchange: NSObject, URLSessionDataDelegate, Sendable {
    private struct State {
        var received = ByteCount.zero
        var redirect: URL?
        var failure: ServiceError?
        var ended: CheckedContinuation<Void, any Error>?
    }

    private let state = Mutex(State())
    private let sink: FileSink
    private let limit: ByteCount

    private init(_ sink: FileSink, atMost limit: ByteCount) {
        self.sink = sink
        self.limit = limit
    }

    /// Fetches from an address into a file, which is not there when it throws.
    ///
    /// Returns where the address redirects to, and nil when the file holds the image.
    static func run(_ address: URL, into path: String, atMost limit: ByteCount) async throws(ServiceError) -> URL? {
        do {
            let sink = try await FileSink.onThread { try FileSink(path) }
            let exchange = FetchExchange(sink, atMost: limit)
            do {
                try await exchange.transfer(address)
                let next = exchange.state.withLock { $0.redirect }
                try await FileSink.onThread { next == nil ? try sink.finish() : sink.abandon() }
                return next
            } catch {
                try await FileSink.onThread { sink.abandon() }
                throw exchange.state.withLock { $0.failure } ?? error
            }
        } catch {
            throw reported(error)
        }
    }

    private static func reported(_ error: any Error) -> ServiceError {
        switch error {
        case let error as ServiceError:
            error
        case let error as URLError where error.code == .cancelled:
            ServiceError(.cancelled, "The image was not fetched: the request was cut off.")
        default:
            ServiceError(
                .unavailable,
                "The image cannot be fetched: \(error.localizedDescription) Check the address, or upload the image.",
                subject: .field("url")
            )
        }
    }

    private func transfer(_ address: URL) async throws {
        let configuration = URLSessionConfiguration.ephemeral
        configuration.httpShouldSetCookies = false
        configuration.urlCache = nil
        configuration.timeoutIntervalForRequest = 60
        let session = URLSession(configuration: configuration, delegate: self, delegateQueue: BoundedQueue())
        defer { session.finishTasksAndInvalidate() }
        let task = session.dataTask(with: address)
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                state.withLock { $0.ended = continuation }
                task.resume()
            }
        } onCancel: {
            Self.cancel(task)
        }
        if let failure = state.withLock({ $0.failure }) { throw failure }
    }

    private func fail(_ task: URLSessionTask, _ failure: ServiceError) {
        state.withLock { $0.failure = $0.failure ?? failure }
        Self.cancel(task)
    }

    /// Cancels from a thread that may wait.
    ///
    /// `cancel()` waits for the session's own queue. That one waits for room in ours while it is full, and what makes room
    /// is the very call back in which a failure is noticed: cancelling there would wait for itself.
    private static func cancel(_ task: URLSessionTask) {
        DispatchQueue.global().async { task.cancel() }
    }

    // MARK: What the connection reports, on a thread of its own

    func urlSession(
        _ session: URLSession,
        dataTask: URLSessionDataTask,
        didReceive response: URLResponse,
        completionHandler: @escaping (URLSession.ResponseDisposition) -> Void
    ) {
        defer { completionHandler(.allow) }
        guard let head = response as? HTTPURLResponse else { return }
        switch head.statusCode {
        case 200:
            guard head.expectedContentLength > limit.bytes else { return }
            fail(dataTask, tooLarge)
        case 301, 302, 303, 307, 308:
            guard state.withLock({ $0.redirect }) == nil else { return }
            fail(dataTask, ServiceError(.invalidInput, "The address redirects to nowhere.", subject: .field("url")))
        default:
            fail(
                dataTask,
                ServiceError(
                    .invalidInput,
                    "The address answered with status \(head.statusCode).",
                    subject: .field("url")
                )
            )
        }
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        let (isWanted, received) = state.withLock { state in
            state.received += ByteCount(Int64(data.count))
            return (state.failure == nil && state.redirect == nil, state.received)
        }
        guard isWanted else { return }
        guard received <= limit else { return fail(dataTask, tooLarge) }
        do {
            try data.withUnsafeBytes { try sink.append($0) }
        } catch {
            fail(dataTask, Self.reported(error))
        }
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        let ended = state.withLock { state in
            defer { state.ended = nil }
            return state.ended
        }
        if let error {
            ended?.resume(throwing: error)
        } else {
            ended?.resume()
        }
    }

    /// A redirect is not followed here: its target has to be permitted first.
    func urlSession(
        _ session: URLSession,
        task: URLSessionTask,
        willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest,
        completionHandler: @escaping (URLRequest?) -> Void
    ) {
        state.withLock { $0.redirect = request.url }
        completionHandler(nil)
    }

    private var tooLarge: ServiceError {
        ServiceError(
            .limitExceeded,
            "The image is larger than \(limit), the most that is fetched.",
            subject: .field("url")
        )
    }
}

/// A queue that makes the one who adds to it wait while it is full.
///
/// `URLSession` hands received bytes to its delegate's queue without looking how many wait there. With this queue it stops
/// reading from the connection until the disk has taken what is there.
private final class BoundedQueue: OperationQueue, @unchecked Sendable {
    // The semaphore is its only state, and safe to use from any thread.
    private let room = DispatchSemaphore(value: 64)

    override init() {
        super.init()
        maxConcurrentOperationCount = 1
    }

    override func addOperation(_ block: @Sendable @escaping () -> Void) {
        room.wait()
        super.addOperation { [room] in
            defer { room.signal() }
            block()
        }
    }
}
