import SnapshotDomain

/// The content of a disk as the model keeps it: one byte for each 64 KiB, which is filled with it.
struct DiskContent: Hashable, Sendable {
    static let blockSize = ByteCount.kibibytes(64)

    private(set) var blocks: [UInt8]

    init(size: ByteCount) {
        blocks = Array(repeating: 0, count: Int(size.bytes / Self.blockSize.bytes))
    }

    var size: ByteCount { ByteCount(Int64(blocks.count) * Self.blockSize.bytes) }

    mutating func fill(_ value: UInt8, at block: Int, count: Int) {
        for index in block..<min(block + count, blocks.count) { blocks[index] = value }
    }

    mutating func grow(by count: Int) {
        blocks += Array(repeating: 0, count: count)
    }
}

/// What should be there: volumes, snapshots, templates and machines, and what each holds.
struct ModelState: Sendable {
    struct Disk: Sendable {
        var environment: EnvironmentID
        var instance: InstanceID?
        var isRoot: Bool
        var content: DiskContent
    }

    struct Frozen: Sendable {
        var environment: EnvironmentID
        var volume: VolumeID
        var isRoot: Bool
        var content: DiskContent
        /// Undo snapshots in the order in which they came; nil for the others.
        var undoNumber: Int?
    }

    struct Machine: Sendable {
        var environment: EnvironmentID
        var isRunning: Bool
    }

    var volumes = Roster<VolumeID, Disk>()
    var snapshots = Roster<SnapshotID, Frozen>()
    var templates = Roster<TemplateID, DiskContent>()
    var machines = Roster<InstanceID, Machine>()

    func volumes(of instance: InstanceID) -> [VolumeID] {
        volumes.filter { $0.value.instance == instance }.keys
    }

    func isRunning(_ volume: VolumeID) -> Bool {
        volumes[volume]?.instance.flatMap { machines[$0]?.isRunning } ?? false
    }

    /// What "undo revert" brings back.
    func undo(of volume: VolumeID) -> SnapshotID? {
        snapshots.filter { $0.value.volume == volume && $0.value.undoNumber != nil }.entries
            .max { ($0.value.undoNumber ?? 0) < ($1.value.undoNumber ?? 0) }?.key
    }
}

/// A dictionary in the order of arrival.
///
/// Identities are random: any other order would make a choice among them different in each run.
struct Roster<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private(set) var entries: [(key: Key, value: Value)] = []

    var count: Int { entries.count }
    var keys: [Key] { entries.map(\.key) }
    var values: [Value] { entries.map(\.value) }

    subscript(_ key: Key) -> Value? {
        get { entries.first { $0.key == key }?.value }
        set {
            let index = entries.firstIndex { $0.key == key }
            switch (index, newValue) {
            case (let index?, let value?): entries[index].value = value
            case (let index?, nil): entries.remove(at: index)
            case (nil, let value?): entries.append((key, value))
            case (nil, nil): break
            }
        }
    }

    func filter(_ isWanted: ((key: Key, value: Value)) -> Bool) -> Self {
        var copy = self
        copy.entries.removeAll { !isWanted($0) }
        return copy
    }
}

/// Random numbers that a seed repeats (SplitMix64).
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
