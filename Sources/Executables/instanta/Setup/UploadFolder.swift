import Foundation
import Platform
import SnapshotPorts

/// Uploads as files in one folder of the data directory.
struct UploadFolder: UploadArea {
    let path: String
    let pool: BlockingPool

    func makePath() async throws -> String {
        "\(path)/\(RandomName.make(length: 24))"
    }

    func discard(_ file: String) async {
        let upload = URL(fileURLWithPath: file).standardizedFileURL
        guard upload.deletingLastPathComponent().path == path else { return }
        let name = upload.lastPathComponent
        // What cannot be removed now is swept at the next start.
        try? await remove { $0 == name || $0.hasPrefix(name + ".") }
    }

    func sweep(keeping paths: Set<String>) async throws {
        let kept = paths.map { URL(fileURLWithPath: $0).lastPathComponent }
        try await remove { name in !kept.contains { name == $0 || name.hasPrefix($0 + ".") } }
    }

    private func remove(where isWanted: @escaping @Sendable (String) -> Bool) async throws {
        let folder = path
        try await pool.run(evenCancelled: true) {
            for name in try FileManager.default.contentsOfDirectory(atPath: folder) where isWanted(name) {
                try DurableFile.remove("\(folder)/\(name)")
            }
        }
    }
}
