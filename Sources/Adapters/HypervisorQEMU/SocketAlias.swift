import Foundation
import Glibc
import Platform

/// A short name for the folder of the machines.
///
/// The path of a socket has at most 107 bytes (`sun_path` in `man 7 unix`), and data directories may lie deep. Sockets
/// are then reached through a symbolic link in a private folder. Nothing is lost with the link: it is made anew at every
/// start of the service.
enum SocketAlias {
    private static let longestSocketPath = 107

    /// Returns the folder itself if its sockets have short enough paths, else a link to it.
    ///
    /// Blocks.
    ///
    /// - Parameters:
    /// - machines: The folder, as an absolute path.
    /// - runtimeFolder: Where links are made; created with mode 0700, and refused when others may write to it.
    /// - Returns: A path to the folder.
    /// - Throws: `PlatformFault` when a link is needed and cannot be made.
    static func make(for machines: String, in runtimeFolder: String) throws -> String {
        // A UUID has 36 characters.
        let longest = machines.utf8.count + 1 + 36 + 1 + MachineFolder.longestSocketName.utf8.count
        guard longest > longestSocketPath else { return machines }
        try makePrivateFolder(runtimeFolder)
        removeLinksToNothing(in: runtimeFolder)
        let link = "\(runtimeFolder)/\(fingerprint(machines))"
        let files = FileManager.default
        if (try? files.destinationOfSymbolicLink(atPath: link)) == machines { return link }
        try DurableFile.remove(link)
        try files.createSymbolicLink(atPath: link, withDestinationPath: machines)
        return link
    }

    /// The folder for links when nobody names one: the session's own if there is one, else one in `/tmp`.
    static func defaultRuntimeFolder(environment: [String: String]) -> String {
        if let folder = environment["XDG_RUNTIME_DIR"], folder.hasPrefix("/"), folder.utf8.count < 40 {
            return "\(folder)/instanta"
        }
        return "/tmp/instanta-\(getuid())"
    }

    private static func makePrivateFolder(_ path: String) throws {
        if mkdir(path, 0o700) == 0 { return }
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_uid == getuid(),
            status.st_mode & 0o022 == 0
        else {
            throw PlatformFault(
                .permission,
                outcome: .notDone,
                "the folder for sockets, \(path), is not a folder that only we may write to: remove it, or name another"
            )
        }
    }

    private static func removeLinksToNothing(in folder: String) {
        let files = FileManager.default
        for name in (try? files.contentsOfDirectory(atPath: folder)) ?? [] {
            let link = "\(folder)/\(name)"
            guard (try? files.destinationOfSymbolicLink(atPath: link)) != nil, !files.fileExists(atPath: link) else {
                continue
            }
            _ = unlink(link)
        }
    }

    /// FNV-1a with 64 bits: the same in every run, which Swift's own hashes are not.
    private static func fingerprint(_ text: String) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return String(hash, radix: 36)
    }
}
