import Platform
import SnapshotPorts
import Synchronization

/// One change of an image at a time, in the order in which they came.
final class ImageTurns: Sendable {
    private struct Entry {
        var turnstile = Turnstile()
        var users = 0
    }

    private static let longest = Duration.seconds(7 * 86_400)
    private let entries = Mutex<[String: Entry]>([:])

    /// Runs a body when it is the turn of all the given images.
    func hold<Value>(
        _ images: Set<String>,
        _ body: () async throws(BlockStoreFault) -> Value
    ) async throws(BlockStoreFault) -> Value {
        var held: [String] = []
        defer { for image in held.reversed() { leave(image) } }
        // In one order for all, so that no two wait for each other.
        for image in images.sorted() {
            let turnstile = entries.withLock { entries in
                entries[image, default: Entry()].users += 1
                return entries[image]?.turnstile ?? Turnstile()
            }
            guard await turnstile.enter(within: Self.longest) else {
                drop(image)
                throw BlockStoreFault(.cancelled, .notDone, "The work was cancelled before it could begin.")
            }
            held.append(image)
        }
        return try await body()
    }

    private func leave(_ image: String) {
        entries.withLock { $0[image]?.turnstile }?.leave()
        drop(image)
    }

    private func drop(_ image: String) {
        entries.withLock { entries in
            guard var entry = entries[image] else { return }
            entry.users -= 1
            entries[image] = entry.users > 0 ? entry : nil
        }
    }
}
