import Foundation
import FoundationNetworking
import Synchronization

/// Compares what came with the digest that its head announced (`Digest: sha-256=…`, RFC 3230).
///
/// A service that makes an image while it sends it knows no digest beforehand; then nothing is computed.
final class AnnouncedDigest: Sendable {
    private struct State {
        /// Nil until the first bytes came.
        var announced: String??
        var hash = SHA256()
    }

    private let state = Mutex(State())

    /// Takes the next bytes of an answer.
    func update(_ data: Data, of response: HTTPURLResponse) {
        state.withLock { state in
            let announced = state.announced ?? Self.read(response)
            state.announced = .some(announced)
            guard announced != nil else { return }
            data.withUnsafeBytes { state.hash.update($0) }
        }
    }

    /// - Throws: ``CommandFailure`` when other bytes came than were announced.
    func check() throws {
        let (announced, digest) = state.withLock { ($0.announced ?? nil, $0.hash.digest()) }
        guard let announced, announced != Data(digest).base64EncodedString() else { return }
        throw CommandFailure(.failed, "The bytes were damaged on their way.", remedy: "Export it again.")
    }

    private static func read(_ response: HTTPURLResponse) -> String? {
        let digests = response.value(forHTTPHeaderField: "Digest")?.split(separator: ",") ?? []
        return digests.lazy.compactMap { digest -> String? in
            let parts = digest.trimmingCharacters(in: .whitespaces).split(separator: "=", maxSplits: 1)
            return parts.count == 2 && parts[0].lowercased() == "sha-256" ? String(parts[1]) : nil
        }.first
    }
}
