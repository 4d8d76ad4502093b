import Foundation
import Logging
import Platform
import QEMU
import SnapshotPorts

extension QEMUMachine {
    func console(from offset: Int64, atMost limit: Int) async throws(HypervisorFault) -> ConsoleText {
        let log = ConsoleLog(path: folder.console)
        return try await host.files("read the console") { try log.read(from: offset, atMost: limit) }
    }

    /// Keeps the console's log from growing without end.
    func trimConsole() async {
        let log = ConsoleLog(path: folder.console)
        do {
            try await host.files("trim the console") { try log.trim() }
        } catch {
            logger.warning("Cannot trim a console's log", metadata: ["cause": "\(error)"])
        }
    }

    func screenshot() async throws(HypervisorFault) -> Data {
        try await requireLiving(to: "see its screen")
        let path = folder.temporaryFile()
        let result = await takePicture(path)
        await shielded { [host] in
            // One that is not there, or stays until the next start, harms nobody.
            _ = try? await host.pool.run { try FileManager.default.removeItem(atPath: path) }
        }
        return try result.get()
    }

    private func takePicture(_ path: String) async -> Result<Data, HypervisorFault> {
        do throws(HypervisorFault) {
            try await ask(
                "screendump",
                ["filename": .string(path), "format": "png"],
                to: "take a picture of the screen"
            )
            return .success(
                try await host.files("read the picture of the screen") {
                    try Data(contentsOf: URL(fileURLWithPath: path))
                }
            )
        } catch {
            return .failure(error)
        }
    }
}
