import Foundation
import Glibc
import SnapshotPorts

/// Where sockets live: a path short enough for a socket's address, which has room for 107 bytes.
struct RuntimeFolder: Sendable {
    /// What a storage daemon adds to it takes the rest.
    private static let longest = 60

    let path: String
    private let isShared: Bool

    /// - Parameters:
    ///   - preferred: Taken when it is short enough.
    ///   - fallback: Where everybody may make folders.
    init(preferred: String, fallback: String = "/tmp") {
        isShared = preferred.utf8.count > Self.longest
        // Of this user alone, and the same at each start, so that leftovers are found.
        path = isShared ? "\(fallback)/instanta-\(getuid())" : preferred
    }

    /// Makes the folder if need be.
    ///
    /// Blocks on the disk.
    ///
    /// - Throws: ``BlockStoreFault`` when somebody else has made it first, to see or replace what we put there.
    func make() throws {
        guard isShared else {
            return try FileManager.default.createDirectory(
                atPath: path,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        }
        var status = stat()
        guard mkdir(path, 0o700) == 0 || errno == EEXIST, lstat(path, &status) == 0,
            status.st_mode & S_IFMT == S_IFDIR, status.st_uid == getuid(), status.st_mode & 0o077 == 0
        else {
            throw BlockStoreFault(
                .unavailable,
                .notDone,
                "'\(path)' is not a folder of this user alone. Remove it, or choose a data folder with a shorter path."
            )
        }
    }
}
