import Logging

/// Keeps what is logged, and tells when.
final class LogCollector: Sendable {
    struct Line: Sendable {
        let level: Logger.Level
        let message: String
        let metadata: Logger.Metadata
    }

    private let storage = Locked<[Line]>([])
    /// Every line, once, in the order of logging.
    let stream: AsyncStream<Line>
    private let continuation: AsyncStream<Line>.Continuation

    init() {
        (stream, continuation) = AsyncStream.makeStream(of: Line.self)
    }

    var lines: [Line] { storage.value }

    var logger: Logger {
        var logger = Logger(label: "test") { _ in Handler(collector: self) }
        logger.logLevel = .debug
        return logger
    }

    private func append(_ line: Line) {
        storage.change { $0.append(line) }
        continuation.yield(line)
    }

    private struct Handler: LogHandler {
        let collector: LogCollector
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.debug

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let merged = metadata.merging(event.metadata ?? [:]) { _, new in new }
            collector.append(Line(level: event.level, message: "\(event.message)", metadata: merged))
        }
    }
}
