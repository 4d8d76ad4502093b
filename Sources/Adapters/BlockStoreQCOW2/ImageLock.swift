import Foundation
import Glibc
import SnapshotPorts

/// QEMU's locks on image files: who has one open.
enum ImageLock {
    /// QEMU locks single bytes from 100 on for what it does and from 200 on for what it does not share
    /// (`RAW_LOCK_PERM_BASE`, `RAW_LOCK_SHARED_BASE` in `block/file-posix.c`).
    private static let firstByte: off_t = 100
    private static let length: off_t = 200
    /// `F_OFD_GETLK`: asks about locks of open file descriptions, whichever process has them.
    private static let getLock: Int32 = 36

    /// Whether a QEMU program has the file open.
    static func isHeld(_ path: String) throws -> Bool {
        let descriptor = open(path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw BlockStoreFault(
                .io,
                .notDone,
                "The pool cannot open a layer.",
                cause: String(cString: strerror(errno))
            )
        }
        defer { close(descriptor) }
        var lock = flock()
        lock.l_type = Int16(F_WRLCK)
        lock.l_whence = Int16(SEEK_SET)
        lock.l_start = firstByte
        lock.l_len = length
        guard fcntl(descriptor, getLock, &lock) == 0 else {
            throw BlockStoreFault(
                .io,
                .notDone,
                "The pool cannot ask for locks.",
                cause: String(cString: strerror(errno))
            )
        }
        return lock.l_type != Int16(F_UNLCK)
    }
}
