import Foundation
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file that gets its name only when it is whole.
///
/// It is written as `NAME.part`, locked so that two downloads do not write into each other, and renamed at the end. Blocks
/// of zeros are not written: an image of a mostly empty disk takes the room of what is on it.
final class PartialFile: Sendable {
    private struct State {
        var descriptor: Int32
        var length: Int64 = 0
    }

    let path: String
    private var partialPath: String { path + ".part" }
    private let state: Mutex<State>

    /// - Throws: ``CommandFailure`` when the name is taken and shall not be, when another program writes the same file, or
    ///   when it cannot be written.
    init(path: String, overwrites: Bool) throws {
        self.path = path
        guard overwrites || access(path, F_OK) != 0 else {
            throw CommandFailure(
                .conflict,
                "'\(path)' exists.",
                remedy: "Choose another name, or replace it with --force."
            )
        }
        let partial = path + ".part"
        let descriptor = open(partial, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Self.failure("cannot be written", partial) }
        state = Mutex(State(descriptor: descriptor))
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw CommandFailure(.conflict, "'\(partial)' is being written by another program.")
        }
        guard ftruncate(descriptor, 0) == 0 else {
            let failure = Self.failure("cannot be written", partial)
            close(descriptor)
            throw failure
        }
    }

    /// Appends bytes.
    ///
    /// Blocks.
    func append(_ data: Data) throws {
        try state.withLock { state in
            try data.withUnsafeBytes { bytes in
                state.length += Int64(bytes.count)
                guard !Self.isZero(bytes) else {
                    guard lseek(state.descriptor, off_t(bytes.count), SEEK_CUR) >= 0 else { throw failure() }
                    return
                }
                var rest = bytes
                while let start = rest.baseAddress, !rest.isEmpty {
                    let count = write(state.descriptor, start, rest.count)
                    if count < 0, errno == EINTR { continue }
                    guard count > 0 else { throw failure() }
                    rest = UnsafeRawBufferPointer(rebasing: rest[count...])
                }
            }
        }
    }

    /// The bytes that have been appended until now.
    var length: Int64 {
        state.withLock { $0.length }
    }

    /// Gives the file its name, once its bytes are on the disk.
    ///
    /// Blocks.
    func finish() throws {
        try state.withLock { state in
            guard ftruncate(state.descriptor, off_t(state.length)) == 0, fsync(state.descriptor) == 0,
                rename(partialPath, path) == 0
            else { throw failure() }
            close(state.descriptor)
            state.descriptor = -1
        }
    }

    /// Removes what was written, unless it is finished.
    func abandon() {
        state.withLock { state in
            guard state.descriptor >= 0 else { return }
            unlink(partialPath)
            close(state.descriptor)
            state.descriptor = -1
        }
    }

    private func failure() -> CommandFailure {
        Self.failure("cannot be written", path)
    }

    private static func failure(_ what: String, _ path: String) -> CommandFailure {
        CommandFailure(.failed, "'\(path)' \(what): \(String(cString: strerror(errno))).")
    }

    /// Compares the bytes with themselves, one further: equal and zero at the start means zero all over.
    private static func isZero(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let start = bytes.baseAddress, bytes.count >= 4_096, bytes[0] == 0 else { return false }
        return memcmp(start, start + 1, bytes.count - 1) == 0
    }
}
