/// Runs `body` and gives it up when `limit` has passed.
///
/// Only for work that reacts to cancellation: the call returns when `body` has returned, so a body that ignores its
/// cancellation makes the deadline wait for it.
///
/// - Parameters:
///   - limit: How long `body` may take.
///   - clock: What measures the limit.
///   - what: Names the work in the message of the fault.
///   - body: The work.
/// - Returns: What `body` returned, even if it did so after the limit.
/// - Throws: What `body` throws before the limit; ``PlatformFault`` with code `timedOut` and outcome `unknown` when it
///   fails after the limit, whatever it threw.
package func withDeadline<T: Sendable>(
    _ limit: Duration,
    clock: any Clock<Duration> = ContinuousClock(),
    for what: String,
    _ body: @escaping @Sendable () async throws -> T
) async throws -> T {
    try await withThrowingTaskGroup(of: DeadlineEvent<T>.self) { group in
        group.addTask {
            do { return .finished(.success(try await body())) } catch { return .finished(.failure(error)) }
        }
        group.addTask {
            do {
                try await clock.sleep(for: limit)
                return .expired
            } catch {
                return .timerStopped
            }
        }
        var hasExpired = false
        while let event = try await group.next() {
            switch event {
            case .finished(.success(let value)):
                group.cancelAll()
                return value
            case .finished(.failure(let error)):
                group.cancelAll()
                if hasExpired {
                    throw PlatformFault(.timedOut, outcome: .unknown, "\(what) took longer than \(limit)")
                }
                throw error
            case .expired:
                hasExpired = true
                group.cancelAll()
            case .timerStopped:
                // Our own task was cancelled, and the body's with it: its answer follows.
                continue
            }
        }
        throw PlatformFault(.cancelled, outcome: .unknown, "\(what) was cancelled")
    }
}

private enum DeadlineEvent<T: Sendable>: Sendable {
    case finished(Result<T, any Error>)
    case expired
    case timerStopped
}
