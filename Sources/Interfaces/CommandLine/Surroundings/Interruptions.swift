@preconcurrency import Dispatch

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Ctrl-C as something that can be awaited.
enum Interruptions {
    /// Yields at every interrupt signal until the stream is dropped; then the signal ends the process again, as usual.
    @Sendable
    static func watch() -> AsyncStream<Void> {
        AsyncStream { continuation in
            signal(SIGINT, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: SIGINT)
            source.setEventHandler { continuation.yield() }
            source.resume()
            continuation.onTermination = { _ in
                source.cancel()
                signal(SIGINT, SIG_DFL)
            }
        }
    }
}

extension Surroundings {
    /// Runs work that ends early when the person presses Ctrl-C.
    ///
    /// The work is cancelled and awaited first, so that it can clean up behind itself.
    ///
    /// The message is what the person should know then, such as that a job goes on. Otherwise what the work throws is
    /// thrown.
    func interruptible<Value: Sendable>(
        _ message: @escaping @Sendable () -> CommandFailure,
        _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let interruptions = interruptions()
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await work() }
            group.addTask {
                for await _ in interruptions { return nil }
                // The stream ends without a signal only when this task is cancelled.
                throw CancellationError()
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let value = first else {
                group.cancelAll()
                do { while try await group.next() != nil {} } catch {}
                throw message()
            }
            return value
        }
    }
}
