package import Foundation
import Glibc

/// What the file system knows about one file.
package struct FileFacts: Sendable, Equatable {
    /// The length a reader sees, in bytes; holes count.
    package let length: Int64
    /// The space it takes, in bytes; holes do not count, blocks shared by reflink count in each file.
    package let allocatedBytes: Int64
    package let inode: UInt64
    package let modifiedAt: Date
    package let isDirectory: Bool

    /// Looks at a file, or at a symbolic link itself; nil when there is none.
    ///
    /// Blocks on the file system.
    package static func find(_ path: String) throws(PlatformFault) -> FileFacts? {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            guard errno == ENOENT || errno == ENOTDIR else { throw .system("cannot look at \(path)", errno: errno) }
            return nil
        }
        let seconds = Double(status.st_mtim.tv_sec) + Double(status.st_mtim.tv_nsec) / 1e9
        return FileFacts(
            length: Int64(status.st_size),
            // The unit of st_blocks is 512 bytes, whatever the block size of the file system.
            allocatedBytes: Int64(status.st_blocks) * 512,
            inode: UInt64(status.st_ino),
            modifiedAt: Date(timeIntervalSince1970: seconds),
            isDirectory: status.st_mode & S_IFMT == S_IFDIR
        )
    }

    /// Looks at a file that must exist.
    ///
    /// - Throws: Code `notFound` when it does not.
    package static func get(_ path: String) throws(PlatformFault) -> FileFacts {
        guard let facts = try find(path) else { throw .system("cannot look at \(path)", errno: ENOENT) }
        return facts
    }
}

/// How full a file system is.
package struct FileSystemSpace: Sendable, Equatable {
    package let totalBytes: Int64
    /// What an unprivileged process can still write: without the blocks reserved for root.
    package let availableBytes: Int64

    /// Asks the file system that holds `path`, which must exist.
    ///
    /// Blocks on it.
    package static func at(_ path: String) throws(PlatformFault) -> FileSystemSpace {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else {
            throw .system("cannot tell the space left at \(path)", errno: errno)
        }
        let unit = Int64(status.f_frsize)
        return FileSystemSpace(
            totalBytes: Int64(status.f_blocks) * unit,
            availableBytes: Int64(status.f_bavail) * unit
        )
    }
}
