import Glibc
import Logging
import NIOPosix
import SnapshotDomain

/// A new file that bytes are appended to, readable for the service alone.
///
/// Its calls block, so they are made on threads that may: see ``onThread(_:)``. Nothing is synced: an image that a crash
/// interrupts on its way in is of no use.
struct FileSink: Sendable {
    let path: String
    private let descriptor: Int32

    /// Creates the file, or empties the one that is there; a symbolic link is not followed.
    init(_ path: String) throws(ServiceError) {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.failure() }
    }

    func append(_ bytes: UnsafeRawBufferPointer) throws(ServiceError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if count < 0 {
                guard errno == EINTR else { throw Self.failure() }
            } else {
                rest = rest.dropFirst(count)
            }
        }
    }

    func finish() throws(ServiceError) {
        guard close(descriptor) == 0 else { throw Self.failure() }
    }

    /// Closes and removes the file.
    func abandon() {
        close(descriptor)
        Self.remove(path)
    }

    /// Removes a file.
    ///
    /// What is gone already is no error; any other failure is for the log only.
    static func remove(_ path: String) {
        guard unlink(path) != 0, errno != ENOENT else { return }
        let reason = String(cString: strerror(errno))
        Logger.current.warning("an unused upload stays", metadata: ["path": "\(path)", "error": "\(reason)"])
    }

    /// Runs a blocking call on one of NIO's own threads.
    static func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await NIOThreadPool.singleton.runIfActive(body)
    }

    private static func failure() -> ServiceError {
        switch errno {
        case ENOSPC, EDQUOT:
            ServiceError(.noSpace, "The pool has no room for the image; free some space or send a smaller one.")
        default:
            ServiceError(.unavailable, "The image cannot be stored: \(String(cString: strerror(errno))).")
        }
    }
}
