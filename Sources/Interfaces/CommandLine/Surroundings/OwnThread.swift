import Foundation

/// Runs calls that block, such as reading a line or flushing a file, off the pool of Swift's concurrency.
enum OwnThread {
    /// Runs a call on a new thread.
    ///
    /// It is not interrupted by cancellation.
    static func run<Value: Sendable>(_ call: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(with: Result { try call() })
            }
        }
    }
}
