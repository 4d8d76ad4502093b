import Foundation
import Logging
import Platform
import QEMU
import SnapshotDomain
import SnapshotPorts

extension QCOW2BlockStore {
    /// Runs a body with a storage daemon that has a chain open for reading, and ends the daemon, whatever happens.
    ///
    /// - Parameters:
    ///   - chain: Nearest first.
    ///   - body: Gets the daemon and its monitor.
    /// - Returns: What `body` returned.
    /// - Throws: What `body` throws, or why there is no daemon.
    func withDaemon<Value: Sendable>(
        opening chain: [LayerID],
        _ body: (StorageDaemon, QMPClient) async throws -> Value
    ) async throws -> Value {
        try await withDaemon(opening: blockChain(chain), isTopWritable: false, body)
    }

    /// Runs a body with a storage daemon that has some files open, and ends the daemon, whatever happens.
    ///
    /// - Parameters:
    ///   - chain: The files.
    ///   - isTopWritable: Whether the last of them may be written.
    ///   - body: Gets the daemon and its monitor.
    /// - Returns: What `body` returned.
    /// - Throws: What `body` throws, or why there is no daemon.
    func withDaemon<Value: Sendable>(
        opening chain: BlockChain,
        isTopWritable: Bool,
        _ body: (StorageDaemon, QMPClient) async throws -> Value
    ) async throws -> Value {
        let parent = runtime.path
        let scratch = try await quick.run { try ScratchDirectory.create(in: parent, prefix: "qsd") }
        let daemon = StorageDaemon(directory: "\(scratch.path)/d", group: group, pool: quick, logger: logger)
        let result: Result<Value, any Error>
        do {
            let client = try await start(daemon)
            for arguments in chain.blockdevArguments(isTopWritable: isTopWritable) {
                try await client.execute("blockdev-add", arguments)
            }
            result = .success(try await body(daemon, client))
        } catch {
            result = .failure(error)
        }
        // Closing in good order writes what the daemon still holds.
        await daemon.shutdown()
        do {
            try await quick.run(evenCancelled: true) { try scratch.remove() }
        } catch {
            logger.warning(
                "a daemon's directory stays until the next start",
                metadata: [
                    "path": .string(scratch.path), "error": .string("\(error)"),
                ]
            )
        }
        return try result.get()
    }

    /// Starts a daemon, and once more when the first one does not answer.
    ///
    /// Under load, one of some ten thousand daemons of QEMU 7.2 greets its first client and then never answers it.
    private func start(_ daemon: StorageDaemon) async throws(QMPFault) -> QMPClient {
        do {
            return try await daemon.client()
        } catch {
            guard error.code == .timedOut, error.outcome == .notDone else { throw error }
            logger.warning(
                "a storage daemon did not answer; starting another one",
                metadata: [
                    "error": .string(error.message)
                ]
            )
            return try await daemon.client()
        }
    }

    /// Lends the content of a layer over NBD, for reading.
    func withContent<Value: Sendable>(
        of layer: LayerID,
        _ body: @escaping @Sendable (NBDClient) async throws -> Value
    ) async throws -> Value {
        let chain = try await storedChain(of: layer)
        return try await withDaemon(opening: chain) { daemon, _ in
            try await daemon.withExport(node: LayerNode(layer).name, writable: false, body)
        }
    }

    /// Opens a layer that is open anew, over another one, without its users noticing.
    ///
    /// QEMU writes out all that it holds of the layer on that occasion, and says when it cannot.
    func reopen(
        _ layer: LayerID,
        over below: LayerID?,
        isWritable: Bool,
        _ client: QMPClient
    ) async throws(QMPFault) {
        let backing = below.map { LayerNode($0).name }
        var options = BlockChain.blockdevArguments(node(layer), over: backing, isWritable: isWritable)
        // The node of the file stays as it is.
        options["file"] = .string(LayerNode(layer).fileName)
        try await client.execute("blockdev-reopen", ["options": .array([.object(options)])], evenCancelled: true)
    }

    /// The same for every attempt, so that a repeated call joins a job that still runs.
    static func job(_ layer: LayerID) -> String {
        "j\(LayerNode(layer).name)"
    }

    static func bytes(_ progress: @escaping ProgressHandler) -> @Sendable (BlockJobProgress) -> Void {
        { progress(ByteCount($0.doneBytes), ByteCount($0.totalBytes)) }
    }
}
