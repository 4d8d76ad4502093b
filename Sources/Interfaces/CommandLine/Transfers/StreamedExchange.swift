import Foundation
import FoundationNetworking
import Synchronization

/// One request whose body or answer is too large for memory.
///
/// A good answer's bytes go to a sink as they come; a bad one's are kept, so that the reason can be read.
final class StreamedExchange: NSObject, URLSessionDataDelegate, Sendable {
    /// Takes the bytes of a good answer and its head, in order, on a thread that may block.
    ///
    /// What it throws ends the exchange.
    typealias Sink = @Sendable (Data, HTTPURLResponse) throws -> Void

    private struct State {
        var response: HTTPURLResponse?
        var collected = Data()
        var doneBytes: Int64 = 0
        var failure: (any Error)?
        var ended: CheckedContinuation<Void, any Error>?
    }

    /// The reason for a refusal is short; an endless one is cut.
    private static let longestReason = 1 << 20

    private let state = Mutex(State())
    private let sink: Sink?

    /// - Parameter sink: Nil when the answer is short and wanted whole.
    private init(sink: Sink?) {
        self.sink = sink
    }

    /// Bytes sent or received until now.
    var doneBytes: Int64 {
        state.withLock { $0.doneBytes }
    }

    /// Bytes that a good answer has announced.
    var announcedBytes: Int64? {
        state.withLock { state in
            guard let response = state.response, response.expectedContentLength >= 0 else { return nil }
            return response.expectedContentLength
        }
    }

    /// Downloads the answer to a request into a sink.
    ///
    /// - Returns: The head of the answer, after the last byte.
    /// - Throws: ``CommandFailure``, what the sink threw, or `CancellationError`.
    static func download(
        _ request: URLRequest,
        into sink: @escaping Sink,
        progress: @escaping @Sendable (StreamedExchange) async throws -> Void
    ) async throws -> HTTPURLResponse {
        let exchange = StreamedExchange(sink: sink)
        return try await exchange.run(request, progress) { $0.dataTask(with: request) }.response
    }

    /// Sends a file as the body of a request.
    ///
    /// - Returns: The answer with its head.
    /// - Throws: ``CommandFailure`` or `CancellationError`.
    static func upload(
        _ file: URL,
        _ request: URLRequest,
        progress: @escaping @Sendable (StreamedExchange) async throws -> Void
    ) async throws -> (response: HTTPURLResponse, body: Data) {
        let exchange = StreamedExchange(sink: nil)
        return try await exchange.run(request, progress) { $0.uploadTask(with: request, fromFile: file) }
    }

    private func run(
        _ request: URLRequest,
        _ progress: @escaping @Sendable (StreamedExchange) async throws -> Void,
        _ makeTask: (URLSession) -> URLSessionTask
    ) async throws -> (response: HTTPURLResponse, body: Data) {
        let queue = BoundedOperationQueue()
        let connection = URLSession(
            configuration: HTTPTransport.configuration,
            delegate: self,
            delegateQueue: queue
        )
        defer { connection.finishTasksAndInvalidate() }
        let task = makeTask(connection)
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await self.transfer(task) }
                group.addTask { try await progress(self) }
                defer { group.cancelAll() }
                // The progress ends only by being cancelled; what ends first is the transfer.
                try await group.next()
            }
        } catch {
            throw HTTPTransport.failure(state.withLock { $0.failure } ?? error, for: request)
        }
        let (response, body) = state.withLock { ($0.response, $0.collected) }
        guard let response else { throw CommandFailure(.unreachable, "The service sent no answer.") }
        try APIClient.check(response, body)
        return (response, body)
    }

    private func transfer(_ task: URLSessionTask) async throws {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                state.withLock { $0.ended = continuation }
                task.resume()
            }
        } onCancel: {
            Self.cancel(task)
        }
    }

    /// Ends a task, from a thread of its own.
    ///
    /// `cancel` waits for the session's work queue, and that one may wait for room among the delegate's operations: called from
    /// one of those, it would wait for itself.
    private static func cancel(_ task: URLSessionTask) {
        Thread.detachNewThread { task.cancel() }
    }

    // MARK: What the connection reports

    func urlSession(
        _ session: URLSession,
        dataTask: URLSessionDataTask,
        didReceive response: URLResponse,
        completionHandler: @escaping (URLSession.ResponseDisposition) -> Void
    ) {
        state.withLock { $0.response = response as? HTTPURLResponse }
        completionHandler(.allow)
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        let response = state.withLock { state -> HTTPURLResponse? in
            guard sink != nil, let response = state.response, (200..<300).contains(response.statusCode) else {
                state.collected.append(data.prefix(Self.longestReason - state.collected.count))
                return nil
            }
            return state.failure == nil ? response : nil
        }
        guard let response, let sink else { return }
        do {
            try sink(data, response)
            state.withLock { $0.doneBytes += Int64(data.count) }
        } catch {
            state.withLock { $0.failure = error }
            Self.cancel(dataTask)
        }
    }

    func urlSession(
        _ session: URLSession,
        task: URLSessionTask,
        didSendBodyData bytesSent: Int64,
        totalBytesSent: Int64,
        totalBytesExpectedToSend: Int64
    ) {
        state.withLock { $0.doneBytes += bytesSent }
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

    func urlSession(
        _ session: URLSession,
        task: URLSessionTask,
        willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest,
        completionHandler: @escaping (URLRequest?) -> Void
    ) {
        completionHandler(nil)
    }
}

/// A queue that makes the one who adds to it wait while it is full.
///
/// `URLSession` hands received bytes to its delegate's queue without looking how many wait there. With this queue it stops
/// reading from the connection until the disk has taken what is there, and memory stays constant.
private final class BoundedOperationQueue: OperationQueue, @unchecked Sendable {
    // The semaphore is the only state of its own, and safe to use from any thread.
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
