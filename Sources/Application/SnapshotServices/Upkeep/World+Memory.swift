import Logging
import SnapshotDomain
import SnapshotPorts

extension World {
    /// Removes saved memory of whose group no snapshot is left.
    ///
    /// That no snapshot is left is the durable intent. The file goes before its row, so a crash in between leaves a row of
    /// nothing, which is removed the next time; housekeeping comes round once a minute.
    func forgetMemory(_ logger: Logger) async {
        do {
            for image in try await catalog.read({ try $0.orphanedMemoryImages() }) {
                try await hypervisor.deleteMemory(image.id)
                try await catalog.write { try $0.deleteMemoryImage(image.id) }
            }
        } catch is CancellationError {
            return
        } catch {
            logger.error("saved memory could not be removed", metadata: ["error": .string("\(error)")])
        }
    }
}
