import Foundation
import Platform
import SnapshotPorts

/// Uploads as files in one folder of the data directory.
struct UploadFolder: UploadArea {
    /// An upload that no job took in so long will never be taken.
    private static let lifetime: TimeInterval = 86_400

    let path: String
    let pool: BlockingPool

    func makePath() async throws -> String {
        "\(path)/\(RandomName.make(length: 24))"
    }

    func discard(_ file: String) async {
        guard URL(fileURLWithPath: file).standardizedFileURL.deletingLastPathComponent().path == path else { return }
        // What cannot be removed now is swept at a later start.
        try? await pool.run { try DurableFile.remove(file) }
    }

    /// Removes what interrupted uploads left.
    func sweep() async throws {
        let folder = path
        try await pool.run {
            for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
                let facts = try FileFacts.get("\(folder)/\(name)")
                guard Date().timeIntervalSince(facts.modifiedAt) > Self.lifetime else { continue }
                try DurableFile.remove("\(folder)/\(name)")
            }
        }
    }
}
