import Dispatch
import Foundation
import FoundationNetworking
import SnapshotDomain
import SnapshotPorts
import Synchronization

/// One request for an image, or for the rest of one, whose bytes go to a file as they come.
final class FetchExchange: NSObject, URLSessionDataDelegate, Sendable {
    enum End: Sendable {
        case complete
        case redirected(URL)
        /// The source has the image no longer as we know it: it has to be asked for all of it.
        case notContinuable
    }

    private struct State {
        var received = ByteCount.zero
        /// How much of what is received the disk may still take.
        var room = ByteCount.zero
        var end = End.complete
        var hasAnswer = false
        var failure: ImageFetchFault?
        var waiter: CheckedContinuation<Void, any Error>?

        /// The bytes that come are the image's.
        var isWanted: Bool {
            if case .complete = end { return hasAnswer && failure == nil }
            return false
        }
    }

    private let state = Mutex(State())
    private let file: PartialImage
    private let bounds: FetchBounds
    private let limits: HTTPImageFetcher.Limits
    private let progress: ProgressHandler
    /// How much was there before this request.
    private let start: ByteCount

    init(
        into file: PartialImage,
        within bounds: FetchBounds,
        limits: HTTPImageFetcher.Limits,
        _ progress: @escaping ProgressHandler
    ) {
        self.file = file
        self.bounds = bounds
        self.limits = limits
        self.progress = progress
        start = file.length
    }

    /// Sends the request, and returns when there is nothing more to come.
    ///
    /// Use once.
    func run(_ address: URL, until deadline: ContinuousClock.Instant) async throws(ImageFetchFault) -> End {
        do {
            try await transfer(address, until: deadline)
        } catch {
            throw state.withLock(\.failure) ?? fault(error)
        }
        if let failure = state.withLock(\.failure) { throw failure }
        let (end, hasAnswer) = state.withLock { ($0.end, $0.hasAnswer) }
        if case .complete = end {
            guard hasAnswer else { throw .badAddress("redirects to nowhere") }
            try checkWhole()
        }
        return end
    }

    /// What ends a connection on which an answer has begun broke it off, whatever the library calls it.
    private func fault(_ error: any Error) -> ImageFetchFault {
        let fault = ImageFetchFault(error)
        guard fault.code == .unreachable, state.withLock(\.hasAnswer) else { return fault }
        return .brokenOff(fault.cause)
    }

    private func checkWhole() throws(ImageFetchFault) {
        guard file.length > .zero else { throw .badContent("nothing") }
        guard let whole = file.wholeLength, whole != file.length else { return }
        throw .brokenOff("\(file.length.bytes) of \(whole.bytes) bytes came")
    }

    private func request(_ address: URL) -> URLRequest {
        var request = URLRequest(url: address)
        request.setValue("instanta", forHTTPHeaderField: "User-Agent")
        // Bytes that were compressed on the way could not be counted, nor asked for from the middle.
        request.setValue("identity", forHTTPHeaderField: "Accept-Encoding")
        if let validator = file.validator, start > .zero {
            request.setValue("bytes=\(start.bytes)-", forHTTPHeaderField: "Range")
            request.setValue(validator, forHTTPHeaderField: "If-Range")
        }
        return request
    }

    private func transfer(_ address: URL, until deadline: ContinuousClock.Instant) async throws {
        let configuration = URLSessionConfiguration.ephemeral
        configuration.httpShouldSetCookies = false
        configuration.urlCache = nil
        // Our own watch decides.
        configuration.timeoutIntervalForRequest = 2 * (limits.silence / .seconds(1)) + 60
        let session = URLSession(configuration: configuration, delegate: self, delegateQueue: BoundedQueue())
        defer { session.finishTasksAndInvalidate() }
        let task = session.dataTask(with: request(address))
        async let _: Void = watch(task, until: deadline)
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                state.withLock { $0.waiter = continuation }
                task.resume()
            }
        } onCancel: {
            Self.cancel(task)
        }
    }

    /// Ends a request that brings too little.
    private func watch(_ task: URLSessionTask, until deadline: ContinuousClock.Instant) async {
        var before = ByteCount.zero
        while true {
            do { try await Task.sleep(for: limits.silence) } catch { return }
            guard ContinuousClock.now < deadline else {
                return fail(task, .stalled("its host is too slow to ever send all of it"))
            }
            let (received, hasAnswer) = state.withLock { ($0.received, $0.hasAnswer) }
            guard hasAnswer else { return fail(task, .stalled("its host does not answer")) }
            guard received - before >= limits.leastBytes else {
                return fail(task, .stalled("its host stopped sending"))
            }
            before = received
        }
    }

    private func fail(_ task: URLSessionTask, _ failure: ImageFetchFault) {
        state.withLock { $0.failure = $0.failure ?? failure }
        Self.cancel(task)
    }

    private func leave(_ task: URLSessionTask, _ end: End) {
        state.withLock { $0.end = end }
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
        do {
            try take(AnswerHead(head), dataTask)
        } catch {
            fail(dataTask, ImageFetchFault(error))
        }
    }

    private func take(_ head: AnswerHead, _ task: URLSessionTask) throws {
        switch head.status {
        case 200:
            try head.requireContent()
            if let length = head.length, length > bounds.size { throw ImageFetchFault.tooLarge(bounds.size) }
            // What is cut off to begin again leaves its room.
            try accept(head.length, room: bounds.room + start)
            try file.restart(validator: head.strongValidator, length: head.length)
        case 206 where start > .zero:
            guard head.range?.start == start, head.range?.whole == file.wholeLength else {
                return leave(task, .notContinuable)
            }
            try accept(file.wholeLength.map { $0 - start }, room: bounds.room)
        case 416 where start > .zero:
            return leave(task, .notContinuable)
        case 301, 302, 303, 307, 308:
            if case .redirected = state.withLock(\.end) { return }
            throw ImageFetchFault.badAddress("redirects to nowhere")
        default:
            throw ImageFetchFault.status(head.status)
        }
        state.withLock { $0.hasAnswer = true }
        progress(file.length, file.wholeLength ?? .zero)
    }

    /// Refuses what cannot fit before any of it comes.
    private func accept(_ coming: ByteCount?, room: ByteCount) throws {
        if let coming, coming > room { throw ImageFetchFault.noRoom(for: coming, room) }
        state.withLock { $0.room = room }
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        let (isWanted, isInRoom) = state.withLock { state in
            state.received += ByteCount(Int64(data.count))
            return (state.isWanted, state.received <= state.room)
        }
        guard isWanted else { return }
        do {
            guard file.length + ByteCount(Int64(data.count)) <= bounds.size else {
                throw ImageFetchFault.tooLarge(bounds.size)
            }
            guard isInRoom else { throw ImageFetchFault.noRoom(for: nil, .zero) }
            try data.withUnsafeBytes { try file.append($0) }
            progress(file.length, file.wholeLength ?? .zero)
        } catch {
            fail(dataTask, ImageFetchFault(error))
        }
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        let (waiter, isLeft) = state.withLock { state in
            defer { state.waiter = nil }
            if case .complete = state.end { return (state.waiter, false) }
            return (state.waiter, true)
        }
        // We cancelled it ourselves once its answer led elsewhere.
        if let error, !isLeft {
            waiter?.resume(throwing: error)
        } else {
            waiter?.resume()
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
        // As it is written: the library gives a target that names no host the host that it comes from.
        let location = response.value(forHTTPHeaderField: "Location")
        if let target = location.flatMap({ URL(string: $0, relativeTo: response.url) }) {
            state.withLock { $0.end = .redirected(target.absoluteURL) }
        }
        completionHandler(nil)
    }
}

/// What an answer says before its content.
private struct AnswerHead {
    let status: Int
    /// Of the whole image; nil when it is not said, or when the bytes come in another form.
    let length: ByteCount?
    /// An entity tag that promises the same bytes.
    let strongValidator: String?
    let range: (start: ByteCount, whole: ByteCount)?
    private let type: String

    init(_ response: HTTPURLResponse) {
        func field(_ name: String) -> String? { response.value(forHTTPHeaderField: name) }
        status = response.statusCode
        type = (field("Content-Type") ?? "").lowercased()
        let isPlain = ["", "identity"].contains((field("Content-Encoding") ?? "").lowercased())
        length = isPlain ? field("Content-Length").flatMap { Int64($0) }.map { ByteCount($0) } : nil
        let takesRanges = field("Accept-Ranges")?.lowercased() != "none"
        // A weak one promises the same meaning only, and may not be asked for a part with. Without a length there would be
        // no telling whether all of it came.
        let hasParts = takesRanges && length != nil
        strongValidator = field("ETag").flatMap { hasParts && $0.hasPrefix("\"") ? $0 : nil }
        range = field("Content-Range").flatMap(Self.range)
    }

    /// `bytes 100-199/200`.
    private static func range(_ text: String) -> (ByteCount, ByteCount)? {
        guard let found = text.lowercased().wholeMatch(of: /bytes (\d+)-\d+\/(\d+)/) else { return nil }
        guard let start = Int64(found.1), let whole = Int64(found.2) else { return nil }
        return (ByteCount(start), ByteCount(whole))
    }

    /// Refuses what is made for people to read: most often it says why there is no image.
    func requireContent() throws {
        guard !["text/html", "application/xhtml+xml"].contains(where: type.hasPrefix) else {
            throw ImageFetchFault.badContent("a web page")
        }
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
