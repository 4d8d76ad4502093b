import Foundation
import Platform
import SnapshotDomain
import SnapshotPorts

/// What the service remembers of a machine over its own end: only what the machine cannot tell.
struct MachineRecord: Codable, Sendable, Equatable {
    /// Stored.
    enum Expectation: String, Codable, Sendable {
        case running
        case stopped
    }

    /// The version of this form.
    var format = 1
    var name: ResourceName
    var network: NetworkMode
    /// What the machine does as far as we know; when it does otherwise, it ended by itself.
    var expected: Expectation
    /// The port on the host's loopback that leads to the guest's SSH; kept for the next start.
    var sshPort: Int?
    /// The nodes of disks that the guest was asked to let go, the written one first, by slot.
    ///
    /// Once it has, they are closed.
    var leaving: [Int: [String]] = [:]
    /// The machine's program was started to load a memory, and may not have come to let it run.
    var isLoading: Bool?
    /// The last memory that the machine went on from, over later starts too.
    var resumed: Resumption?

    /// The record of a machine that does not run yet.
    init(_ machine: MachineDescription) {
        name = machine.name
        network = machine.network
        expected = .stopped
    }

    /// Reads a record; nil when there is none.
    ///
    /// Blocks.
    static func find(_ path: String) throws -> MachineRecord? {
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        return try JSONDecoder().decode(MachineRecord.self, from: data)
    }

    /// Writes the record durably.
    ///
    /// Blocks.
    func save(to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try DurableFile.replace(path, with: try encoder.encode(self))
    }
}
