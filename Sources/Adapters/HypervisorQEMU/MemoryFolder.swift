import Foundation
import Glibc
import Platform
import SnapshotDomain
import SnapshotPorts

/// `memory/`: a folder for each machine's memory that was saved, named by the group of snapshots that it belongs to.
///
/// ```
/// memory/<group>/machine.json   what the machine was (MemoryDescription)
/// memory/<group>/memory         its memory and devices, as QEMU writes them
/// memory/tmp/<group>/           one that is being made
/// ```
///
/// One that has its name is complete and durable. All of this blocks.
struct MemoryFolder: Sendable {
    let path: String
    let quarantine: String

    private var drafts: String { "\(path)/tmp" }

    func image(_ id: SnapshotGroupID) -> String { "\(path)/\(id)" }
    func stream(_ id: SnapshotGroupID) -> String { "\(image(id))/memory" }
    func draftStream(_ id: SnapshotGroupID) -> String { "\(drafts)/\(id)/memory" }

    /// Makes the folders, and removes what an earlier service left half made: its writer was that service.
    func prepare() throws {
        if try FileFacts.find(drafts) != nil { try FileManager.default.removeItem(atPath: drafts) }
        try makeFolder(drafts)
        try DurableFile.sync(directory: path)
    }

    /// Makes an empty draft.
    func makeDraft(_ id: SnapshotGroupID) throws {
        try discardDraft(id)
        try makeFolder("\(drafts)/\(id)")
    }

    func discardDraft(_ id: SnapshotGroupID) throws {
        let draft = "\(drafts)/\(id)"
        if try FileFacts.find(draft) != nil { try FileManager.default.removeItem(atPath: draft) }
    }

    /// Gives a draft its name, once all of it is durable.
    func publish(_ id: SnapshotGroupID, _ description: MemoryDescription) throws {
        let draft = "\(drafts)/\(id)"
        try DurableFile.sync(file: "\(draft)/memory")
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try DurableFile.replace("\(draft)/machine.json", with: try encoder.encode(description))
        try DurableFile.sync(directory: draft)
        try DurableFile.rename(draft, to: image(id))
    }

    /// One as it lies there; nil when there is none.
    func find(_ id: SnapshotGroupID) throws -> (stored: StoredMemory, description: MemoryDescription)? {
        guard let facts = try FileFacts.find(stream(id)),
            let data = FileManager.default.contents(atPath: "\(image(id))/machine.json")
        else { return nil }
        let description = try JSONDecoder().decode(MemoryDescription.self, from: data)
        return (
            StoredMemory(
                id: id,
                instance: description.instance,
                size: ByteCount(facts.allocatedBytes),
                digest: ContentDigest(description.digest),
                shape: description.shape,
                pauseMilliseconds: description.pauseMilliseconds
            ), description
        )
    }

    func inventory() throws -> MemoryInventory {
        var inventory = MemoryInventory(images: [], unknown: [])
        for name in try FileManager.default.contentsOfDirectory(atPath: path).sorted() where name != "tmp" {
            if let id = SnapshotGroupID(name), let found = try? find(id) {
                inventory.images.append(found.stored)
            } else {
                inventory.unknown.append(name)
            }
        }
        return inventory
    }

    /// Removes one; succeeds when it is gone.
    ///
    /// The name goes first, so that half of one is never found.
    func remove(_ id: SnapshotGroupID) throws {
        try discardDraft(id)
        guard try FileFacts.find(image(id)) != nil else { return try DurableFile.sync(directory: path) }
        let going = "\(drafts)/\(id)"
        try DurableFile.rename(image(id), to: going)
        try FileManager.default.removeItem(atPath: going)
    }

    /// Moves something out of the way, never away.
    func setAside(_ name: String) throws -> String {
        try makeFolder(quarantine)
        var place = "\(quarantine)/memory-\(name)"
        if try FileFacts.find(place) != nil { place += ".\(RandomName.make())" }
        try DurableFile.rename("\(path)/\(name)", to: place)
        return place
    }

    private func makeFolder(_ path: String) throws {
        try FileManager.default.createDirectory(
            atPath: path,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
    }
}

/// What must be known of a machine to bring its memory back to life.
///
/// Stored.
struct MemoryDescription: Codable, Sendable, Equatable {
    /// The version of this form.
    var format = 1
    var instance: InstanceID
    var shape: MachineShape
    /// `kvm` or `tcg`.
    var accelerator: String
    /// The processors are all that the host and this version of QEMU can do, so both must be the same.
    var emulator: String
    var hostProcessor: String
    var machineType: String
    var bytes: Int64
    /// `sha256:` over the bytes of the file.
    var digest: String
    var pauseMilliseconds: Int

    /// The name of the host's processors where they are the guest's; empty where they are translated.
    ///
    /// Blocks.
    static func hostProcessor(under accelerator: Accelerator.Kind) -> String {
        guard accelerator == .kvm, let text = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8) else {
            return ""
        }
        let line = text.split(whereSeparator: \.isNewline).first { $0.hasPrefix("model name") }
        return line?.split(separator: ":").last?.trimmingCharacters(in: .whitespaces) ?? ""
    }

    /// Why this memory cannot be loaded here, as the end of a sentence; nil when it can.
    func obstacle(accelerator: Accelerator.Kind, emulator: String, hostProcessor: String) -> String? {
        if self.accelerator != accelerator.rawValue {
            return "it was saved under \(self.accelerator), and machines run under \(accelerator.rawValue) here now"
        }
        if self.machineType != MachineCommandLine.machineType {
            return "it was saved on a machine of type \(machineType)"
        }
        if self.emulator != emulator {
            return "it was saved by QEMU \(self.emulator), and this is QEMU \(emulator)"
        }
        if self.hostProcessor != hostProcessor {
            return "it was saved on another processor (\(self.hostProcessor))"
        }
        return nil
    }
}
