import Foundation
import Glibc
import Platform
import SnapshotDomain
import SnapshotPorts
import Synchronization

/// An image on its way into a file, and the note beside it from which a repeat goes on.
///
/// ```
///  <path>          the first bytes of the image
///  <path>.origin   where they come from, which version it is, and how many of them are durable
/// ```
///
/// The bytes are made durable before the note counts them, and what the note does not count is cut off when the file is opened
/// again: so a repeat never goes on behind bytes that a power loss took. Without a note the file counts for nothing.
///
/// All calls block on the disk.
final class PartialImage: Sendable {
    private struct Note: Codable {
        var url: URL
        /// The strong entity tag of the image, in the form in which it was sent.
        var validator: String?
        var length: ByteCount?
        var durable: ByteCount
        var isComplete: Bool
    }

    private struct State {
        var length: ByteCount
        var note: Note
    }

    private let path: String
    private let noteEvery: ByteCount
    private let descriptor: Int32
    private let state: Mutex<State>

    private var notePath: String { "\(path).origin" }

    /// Opens what a former fetch of the same address left, or begins.
    init(at path: String, of url: URL, noteEvery: ByteCount) throws {
        self.path = path
        self.noteEvery = noteEvery
        descriptor = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw ImageFetchFault.disk(errno) }
        state = Mutex(
            State(length: .zero, note: Note(url: url, validator: nil, length: nil, durable: .zero, isComplete: false))
        )
        // What cannot be read or is of something else is no reason to fail: it begins again.
        let data = FileManager.default.contents(atPath: "\(path).origin")
        let found = data.flatMap { try? JSONDecoder().decode(Note.self, from: $0) }
        let present = try FileFacts.get(path).length
        if let found, found.url == url, found.durable.bytes <= present {
            try cut(to: found.durable)
            state.withLock { $0 = State(length: found.durable, note: found) }
        } else {
            try restart(validator: nil, length: nil)
        }
    }

    deinit { close(descriptor) }

    /// How much is there.
    var length: ByteCount { state.withLock(\.length) }
    /// How much there will be, as far as it is known.
    var wholeLength: ByteCount? { state.withLock(\.note.length) }
    var isComplete: Bool { state.withLock(\.note.isComplete) }
    /// Proves to the source which version is meant; nil when it cannot be asked for a rest.
    var validator: String? { state.withLock(\.note.validator) }
    var isContinuable: Bool { validator != nil }

    /// Begins again, with nothing.
    func restart(validator: String?, length: ByteCount?) throws {
        state.withLock { state in
            state.length = .zero
            state.note.validator = validator
            state.note.length = length
            state.note.durable = .zero
            state.note.isComplete = false
        }
        // First the note: it must not count what is cut off next.
        try DurableFile.remove(notePath)
        try cut(to: .zero)
    }

    func append(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes[...]
        var end = length
        while !rest.isEmpty {
            let count = pwrite(
                descriptor,
                UnsafeRawBufferPointer(rebasing: rest).baseAddress,
                rest.count,
                off_t(end.bytes)
            )
            if count < 0 {
                guard errno == EINTR else { throw ImageFetchFault.disk(errno) }
            } else {
                rest = rest.dropFirst(count)
                end += ByteCount(Int64(count))
            }
        }
        let isDue = state.withLock { state in
            state.length = end
            return end - state.note.durable >= noteEvery
        }
        if isDue { try keep() }
    }

    /// Makes what is there durable and notes it, if the source can be asked for the rest.
    func keep() throws {
        guard isContinuable, !isComplete else { return }
        try note(isComplete: false)
    }

    /// Notes that nothing is missing.
    func complete() throws {
        try note(isComplete: true)
    }

    private func note(isComplete: Bool) throws {
        guard fsync(descriptor) == 0 else { throw ImageFetchFault.disk(errno) }
        let note = state.withLock { state in
            state.note.durable = state.length
            state.note.isComplete = isComplete
            return state.note
        }
        try DurableFile.replace(notePath, with: try JSONEncoder().encode(note))
    }

    private func cut(to length: ByteCount) throws {
        guard ftruncate(descriptor, off_t(length.bytes)) == 0 else { throw ImageFetchFault.disk(errno) }
    }
}
