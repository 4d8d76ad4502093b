/// Waits for a call only so long.
///
/// A call into a store that hangs may not react to cancellation, and a task group would wait for it all the same. So it
/// runs in a task of its own, which is cancelled and left behind when its time is up.
///
/// - Returns: What the call returned; nil when it takes too long.
/// - Throws: What the call threw, or `CancellationError` when the caller is cancelled.
func promptly<Value: Sendable>(
    within limit: Duration,
    _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value? {
    let (answers, sink) = AsyncStream.makeStream(of: Result<Value, any Error>?.self)
    let work = Task {
        do {
            sink.yield(.success(try await body()))
        } catch {
            sink.yield(.failure(error))
        }
    }
    let timer = Task {
        try? await Task.sleep(for: limit)
        sink.yield(nil)
    }
    defer {
        timer.cancel()
        work.cancel()
    }
    for await answer in answers { return try answer?.get() }
    throw CancellationError()
}
