package import Foundation
import Glibc

/// Changes to files that survive a power loss once the call has returned.
///
/// All functions block on the disk: call them through a ``BlockingPool``. A fault with outcome `notDone` means that the
/// directory reads as before; `unknown` means that the change is visible but may not outlive a power loss.
package enum DurableFile {
    /// Gives `path` a new content, or creates it; readers see the old content or the new, never a mixture.
    ///
    /// Costs two fsyncs. A power loss can leave a file called `.<name>.<random>.tmp` beside `path`.
    package static func replace(_ path: String, with data: Data, mode: mode_t = 0o600) throws(PlatformFault) {
        let temporary = try writeTemporary(beside: path, data, mode: mode)
        guard Glibc.rename(temporary, path) == 0 else {
            let number = errno
            _ = unlink(temporary)
            throw .system("cannot replace \(path)", errno: number)
        }
        try sync(directory: parent(of: path), after: "replacing \(path)")
    }

    /// Creates `path` with its whole content, or fails.
    ///
    /// - Throws: Code `exists` when there is something at `path` already, which stays as it is.
    package static func createExclusive(_ path: String, with data: Data, mode: mode_t = 0o600) throws(PlatformFault) {
        let temporary = try writeTemporary(beside: path, data, mode: mode)
        // A link, unlike a rename, never replaces anything.
        let result = link(temporary, path)
        let number = errno
        _ = unlink(temporary)
        guard result == 0 else { throw .system("cannot create \(path)", errno: number) }
        try sync(directory: parent(of: path), after: "creating \(path)")
    }

    /// Makes the content of a file durable.
    package static func sync(file path: String) throws(PlatformFault) {
        try Descriptor.open(path, O_RDONLY).sync(named: path)
    }

    /// Makes the names in a directory durable: what was created, renamed or removed there.
    package static func sync(directory path: String) throws(PlatformFault) {
        try Descriptor.open(path, O_RDONLY | O_DIRECTORY).sync(named: path)
    }

    /// Renames within a file system, replacing what is at `target`.
    ///
    /// The content of the file is not made durable: see ``sync(file:)``.
    package static func rename(_ path: String, to target: String) throws(PlatformFault) {
        guard Glibc.rename(path, target) == 0 else {
            throw .system("cannot rename \(path) to \(target)", errno: errno)
        }
        let (source, destination) = (parent(of: path), parent(of: target))
        // The new name first: a power loss in between leaves two names, not none.
        try sync(directory: destination, after: "renaming \(path)")
        if source != destination { try sync(directory: source, after: "renaming \(path)") }
    }

    /// Removes a file or an empty directory; succeeds when it is gone already.
    package static func remove(_ path: String) throws(PlatformFault) {
        if Glibc.remove(path) != 0 {
            let number = errno
            guard number == ENOENT || number == ENOTDIR else { throw .system("cannot remove \(path)", errno: number) }
        }
        // Also when it was gone: an earlier call may have ended between its two steps.
        do {
            try sync(directory: parent(of: path), after: "removing \(path)")
        } catch  where error.code == .notFound {
            return
        }
    }

    private static func writeTemporary(
        beside path: String,
        _ data: Data,
        mode: mode_t
    ) throws(PlatformFault) -> String {
        let name = path.split(separator: "/").last ?? ""
        let temporary = "\(parent(of: path))/.\(name).\(RandomName.make()).tmp"
        let file = try Descriptor.open(temporary, O_WRONLY | O_CREAT | O_EXCL, mode: mode)
        do {
            try file.write(data, named: temporary)
            try file.sync(named: temporary)
        } catch {
            _ = unlink(temporary)
            throw PlatformFault(error.code, outcome: .notDone, error.message, errno: error.errno)
        }
        return temporary
    }

    private static func sync(directory: String, after change: String) throws(PlatformFault) {
        do {
            try sync(directory: directory)
        } catch {
            throw PlatformFault(
                error.code,
                outcome: .unknown,
                "\(change) may not be durable: \(error.message)",
                errno: error.errno
            )
        }
    }

    private static func parent(of path: String) -> String {
        let parent = (path as NSString).deletingLastPathComponent
        return parent.isEmpty ? "." : parent
    }
}
