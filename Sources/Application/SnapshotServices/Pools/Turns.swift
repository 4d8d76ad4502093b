import Synchronization

/// Lets one at a time work on a thing, in the order in which they came.
///
/// For work that several jobs need and each of them would do: the second finds it done.
package final class Turns<Key: Hashable & Sendable>: Sendable {
    private struct State {
        var waiting: [Key: [(id: Int, continuation: CheckedContinuation<Bool, Never>)]] = [:]
        var next = 0
    }

    /// A key that is here is being worked on.
    private let state = Mutex(State())

    init() {}

    /// Runs a body when nobody else works on the thing.
    ///
    /// - Throws: What the body throws, or `CancellationError` when the caller is cancelled while it waits.
    func alone<Value>(on key: Key, _ body: () async throws -> Value) async throws -> Value {
        let id = state.withLock { state in
            state.next += 1
            return state.next
        }
        let isMine = await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Bool, Never>) in
                let answer = state.withLock { state -> Bool? in
                    if Task.isCancelled { return false }
                    guard state.waiting[key] != nil else {
                        state.waiting[key] = []
                        return true
                    }
                    state.waiting[key, default: []].append((id, continuation))
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            let waiter = state.withLock { state -> CheckedContinuation<Bool, Never>? in
                guard let index = state.waiting[key]?.firstIndex(where: { $0.id == id }) else { return nil }
                return state.waiting[key]?.remove(at: index).continuation
            }
            waiter?.resume(returning: false)
        }
        guard isMine else { throw CancellationError() }
        defer { end(on: key) }
        return try await body()
    }

    private func end(on key: Key) {
        let next = state.withLock { state -> CheckedContinuation<Bool, Never>? in
            guard state.waiting[key]?.isEmpty == false else {
                state.waiting[key] = nil
                return nil
            }
            return state.waiting[key]?.removeFirst().continuation
        }
        next?.resume(returning: true)
    }
}
