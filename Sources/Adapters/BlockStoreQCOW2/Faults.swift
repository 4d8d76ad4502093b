import DiskImages
import Foundation
import Logging
import Platform
import SnapshotDomain
import SnapshotPorts

/// Runs work of the layers below, and says what its failures mean to a store.
extension QCOW2BlockStore {
    /// Runs a body that blocks, on the store's own threads.
    ///
    /// - Parameters:
    ///   - what: Completes the sentence "The pool could not …".
    ///   - evenCancelled: Runs `body` in a cancelled task too: what is done is made durable and is recorded.
    ///   - body: The work.
    /// - Returns: What `body` returned.
    /// - Throws: What `body` throws, as a fault of the store.
    func onDisk<Value: Sendable>(
        _ what: String,
        evenCancelled: Bool = false,
        _ body: @escaping @Sendable () throws -> Value
    ) async throws(BlockStoreFault) -> Value {
        do {
            return try await quick.run(evenCancelled: evenCancelled, body)
        } catch {
            throw BlockStoreFault(error, trying: what)
        }
    }

    func attempt<Value>(_ what: String, _ body: () async throws -> Value) async throws(BlockStoreFault) -> Value {
        do {
            return try await body()
        } catch {
            throw BlockStoreFault(error, trying: what)
        }
    }

    /// Removes a file of ours in `tmp/`, in a cancelled task too.
    ///
    /// What cannot be removed is swept at the next start.
    func removeTemporary(_ path: String) async {
        do {
            try await quick.run(evenCancelled: true) { try DurableFile.remove(path) }
        } catch {
            logger.warning(
                "a temporary file stays until the next start",
                metadata: [
                    "path": .string(path), "error": .string("\(error)"),
                ]
            )
        }
    }
}

extension BlockStoreFault {
    static func missing(_ layer: LayerID) -> BlockStoreFault {
        BlockStoreFault(.notFound, .notDone, "The layer \(layer) is not in the pool.")
    }

    static func shape(of layer: LayerID) -> BlockStoreFault {
        BlockStoreFault(.exists, .notDone, "The layer \(layer) exists with another size or on another layer.")
    }
}
