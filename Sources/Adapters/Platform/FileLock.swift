import Foundation
import Glibc
import Synchronization

/// An exclusive claim on a file or directory, held by an open descriptor.
///
/// The kernel drops it when the holder ends, however it ends, so a lock is never stale. A lock file is never removed:
/// removing it would let two processes hold "the same" lock on two files. The lock binds only those who ask for it.
package final class FileLock: Sendable {
    package let path: String
    private let descriptor: Mutex<Int32?>

    private init(path: String, descriptor: consuming Descriptor) {
        self.path = path
        self.descriptor = Mutex(descriptor.release())
    }

    deinit { release() }

    /// Locks the file at `path`, creating it if need be, and writes our process id into it for others to read.
    ///
    /// - Parameters:
    ///   - path: A file that exists for nothing but this lock.
    ///   - otherHolder: How to name whoever holds it, as in "another instanta serves this directory".
    /// - Returns: The lock, held until it is released or dropped.
    /// - Throws: Code `locked`, with the holder's process id in the message, when somebody else holds it.
    package static func tryAcquire(
        _ path: String,
        otherHolder: String = "another process holds this lock"
    ) throws(PlatformFault) -> FileLock {
        let file = try Descriptor.open(path, O_RDWR | O_CREAT)
        guard try lock(file, path) else {
            let holder = owner(in: file).map { " (pid \($0))" } ?? ""
            throw PlatformFault(.locked, outcome: .notDone, "\(otherHolder)\(holder): \(path)", errno: EWOULDBLOCK)
        }
        guard ftruncate(file.raw, 0) == 0 else { throw .system("cannot write \(path)", errno: errno) }
        try file.write(Data("\(getpid())\n".utf8), named: path)
        return FileLock(path: path, descriptor: file)
    }

    /// Locks a directory itself; nil when somebody else holds it.
    package static func tryAcquire(directory path: String) throws(PlatformFault) -> FileLock? {
        let directory = try Descriptor.open(path, O_RDONLY | O_DIRECTORY)
        return try lock(directory, path) ? FileLock(path: path, descriptor: directory) : nil
    }

    /// Gives the lock back; further calls do nothing.
    package func release() {
        let held: Int32? = descriptor.withLock { descriptor in
            defer { descriptor = nil }
            return descriptor
        }
        guard let held else { return }
        // Closing is not enough: a child that is being started at this moment has a copy until it executes its program.
        _ = flock(held, LOCK_UN)
        _ = Glibc.close(held)
    }

    /// Locks a directory, waiting for its present holder.
    static func acquire(directory path: String, shared: Bool) throws(PlatformFault) -> FileLock {
        let directory = try Descriptor.open(path, O_RDONLY | O_DIRECTORY)
        guard retryingInterrupts({ flock(directory.raw, shared ? LOCK_SH : LOCK_EX) }) == 0 else {
            throw .system("cannot lock \(path)", errno: errno)
        }
        return FileLock(path: path, descriptor: directory)
    }

    private static func lock(_ file: borrowing Descriptor, _ path: String) throws(PlatformFault) -> Bool {
        guard flock(file.raw, LOCK_EX | LOCK_NB) != 0 else { return true }
        guard errno == EWOULDBLOCK else { throw .system("cannot lock \(path)", errno: errno) }
        return false
    }

    private static func owner(in file: borrowing Descriptor) -> pid_t? {
        var bytes = [UInt8](repeating: 0, count: 32)
        let count = pread(file.raw, &bytes, bytes.count, 0)
        guard count > 0 else { return nil }
        return pid_t(String(decoding: bytes[..<count], as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
    }
}
