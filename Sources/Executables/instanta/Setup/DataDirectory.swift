import Foundation
import Platform
import SnapshotDomain

/// The folder that holds everything the service keeps: it reads like a table of contents.
///
/// ```
///  DIR/catalog.sqlite         what should exist
///  DIR/credentials.json       how to get in, written once (mode 0600)
///  DIR/identity               what the folders of pools know this service by
///  DIR/pools/<pool>/layers/   the bytes
///  DIR/pools/<pool>/tmp/      half-made things
///  DIR/machines/<id>/         sockets and consoles of machines
///  DIR/uploads/               images on their way in
///  DIR/quarantine/            what was found and not known
///  DIR/lock                   held by the one service that runs on it
/// ```
struct DataDirectory: Sendable {
    let path: String

    init(_ path: String) {
        self.path = URL(fileURLWithPath: path).standardizedFileURL.path
    }

    var catalog: String { "\(path)/catalog.sqlite" }
    var credentials: String { "\(path)/credentials.json" }
    var uploads: String { "\(path)/uploads" }
    var quarantine: String { "\(path)/quarantine" }
    var runtime: String { "\(path)/run" }
    private var identityFile: String { "\(path)/identity" }
    private var lock: String { "\(path)/lock" }

    func pool(_ id: PoolID) -> String { "\(path)/pools/\(id)" }

    /// Makes the folders and takes the lock.
    ///
    /// - Throws: ``SetupFault`` when another service has it or the folder cannot be used.
    func claim() throws -> FileLock {
        do {
            for folder in [path, uploads, quarantine, runtime] { try Self.makeFolder(folder) }
        } catch {
            throw SetupFault("The data folder \(path) cannot be used: \(Self.reason(of: error)).")
        }
        return try FileLock.tryAcquire(lock, otherHolder: "another instanta serves this data folder; stop it first")
    }

    static func makeFolder(_ path: String) throws {
        try FileManager.default.createDirectory(
            atPath: path,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
    }

    /// What this data folder is known by, chosen once.
    ///
    /// Call with the lock.
    func identity() throws -> String {
        if let data = FileManager.default.contents(atPath: identityFile) {
            let text = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
            guard let known = UUID(uuidString: text) else {
                throw SetupFault("The file \(identityFile) is damaged; put it back from a copy of the data folder.")
            }
            return known.uuidString.lowercased()
        }
        let chosen = UUID().uuidString.lowercased()
        try DurableFile.replace(identityFile, with: Data("\(chosen)\n".utf8))
        return chosen
    }

    private static func reason(of error: any Error) -> String {
        switch (error as? CocoaError)?.code {
        case .fileWriteFileExists: "a file has its place; move it away, or choose another folder with --data-dir"
        case .fileWriteNoPermission: "this user may not write there; choose another folder with --data-dir"
        case .fileWriteVolumeReadOnly: "the disk is read-only; choose another folder with --data-dir"
        case .fileWriteOutOfSpace: "the disk is full; free space on it"
        default: error.localizedDescription
        }
    }
}

/// Why the service cannot start: one sentence, with what to do.
struct SetupFault: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
