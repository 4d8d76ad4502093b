import Foundation
import Glibc

/// A directory for one half-built thing, which is removed with its content or found abandoned later.
///
/// It lives below a common parent (`tmp/`) and is locked for as long as its owner lives, so that what a crash left can
/// be told from what is in use. All functions block on the disk.
package final class ScratchDirectory: Sendable {
    package let path: String
    private let lock: FileLock

    private init(path: String, lock: FileLock) {
        self.path = path
        self.lock = lock
    }

    /// Makes a locked directory of a new name below `parent`, and `parent` itself if need be.
    package static func create(in parent: String, prefix: String = "scratch") throws(PlatformFault) -> ScratchDirectory
    {
        try makeDirectory(parent, mayExist: true)
        // Shared with other creators, exclusive of a sweep, which must not see the directory before it is locked.
        let noSweep = try FileLock.acquire(directory: parent, shared: true)
        defer { noSweep.release() }
        let path = "\(parent)/\(prefix)-\(RandomName.make())"
        try makeDirectory(path, mayExist: false)
        guard let lock = try FileLock.tryAcquire(directory: path) else {
            throw PlatformFault(.locked, outcome: .unknown, "another process locked the new directory \(path)")
        }
        return ScratchDirectory(path: path, lock: lock)
    }

    /// Removes the directory and all that is in it.
    ///
    /// Repeatable.
    package func remove() throws(PlatformFault) {
        try removeTree(path)
        lock.release()
    }

    /// Removes the directories below `parent` that no living process holds.
    ///
    /// - Returns: The paths removed. Files directly in `parent` are left alone and not reported.
    /// - Throws: The first failure, after having tried every directory.
    package static func sweepAbandoned(in parent: String) throws(PlatformFault) -> [String] {
        guard try FileFacts.find(parent) != nil else { return [] }
        let noCreation = try FileLock.acquire(directory: parent, shared: false)
        defer { noCreation.release() }
        var removed: [String] = []
        var firstFault: PlatformFault?
        for name in try names(in: parent) {
            let path = "\(parent)/\(name)"
            do {
                guard try FileFacts.find(path)?.isDirectory == true,
                    let lock = try FileLock.tryAcquire(directory: path)
                else { continue }
                defer { lock.release() }
                try removeTree(path)
                removed.append(path)
            } catch {
                firstFault = firstFault ?? error
            }
        }
        if let firstFault { throw firstFault }
        return removed
    }

    private static func makeDirectory(_ path: String, mayExist: Bool) throws(PlatformFault) {
        guard mkdir(path, 0o700) != 0 else { return }
        guard mayExist, errno == EEXIST else { throw .system("cannot create \(path)", errno: errno) }
    }

    private static func names(in path: String) throws(PlatformFault) -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: path).sorted()
        } catch {
            throw PlatformFault(.io, outcome: .notDone, "cannot list \(path): \(error.localizedDescription)")
        }
    }
}

private func removeTree(_ path: String) throws(PlatformFault) {
    guard try FileFacts.find(path) != nil else { return }
    do {
        try FileManager.default.removeItem(atPath: path)
    } catch {
        throw PlatformFault(.io, outcome: .unknown, "cannot remove \(path): \(error.localizedDescription)")
    }
}
