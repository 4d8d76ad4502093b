package import Foundation
package import SnapshotDomain
package import SnapshotPorts

/// One promise of ``BlockStore``, and how to see that it is kept.
///
/// Every driver runs all of them. Contents are written and read around the store, by means that the driver's test supplies,
/// so that a store cannot agree with itself and be wrong.
///
/// ```swift
/// @Test("keeps the contract", arguments: BlockStoreContract.all)
/// func contract(_ promise: BlockStoreContract) async throws {
///     try await withGround { try await promise.check($0) }
/// }
/// ```
package struct BlockStoreContract: Sendable, CustomStringConvertible {
    /// What holds, as a sentence.
    package let description: String
    package let check: @Sendable (any BlockStoreGround) async throws -> Void

    init(_ description: String, _ check: @escaping @Sendable (any BlockStoreGround) async throws -> Void) {
        self.description = description
        self.check = check
    }

    package static let all: [BlockStoreContract] = making + removing + merging + contents + machines

    /// A promise that was not kept.
    package struct Broken: Error, CustomStringConvertible {
        package let description: String

        package init(description: String) {
            self.description = description
        }
    }
}

/// Where a contract is checked: a store, and ways to its contents that do not go through it.
package protocol BlockStoreGround: Sendable {
    var store: any BlockStore { get async }

    /// Changes the content of a layer that nothing has open.
    func write(_ fills: [Fill], to layer: LayerID) async throws

    /// The whole content of a layer, which a machine may have open for reading.
    func read(_ layer: LayerID) async throws -> DiskModel

    /// Runs a machine whose disks write some layers, for as long as `body` runs.
    func withMachine(writing layers: [LayerID], _ body: (any ContractMachine) async throws -> Void) async throws

    /// Lets go of the store, as the service's end does, and opens it again.
    func restart() async throws

    /// What all layers take on the medium.
    func bytesOnDisk() async throws -> ByteCount

    /// Puts something into the pool that is no layer.
    func litter(named name: String) async throws

    /// Makes a file outside of the pool.
    func makeFile(_ chunks: ImageStream) async throws -> String
}

/// A machine without a guest: the test writes to its disks in the guest's place.
package protocol ContractMachine: Sendable {
    var channel: any LiveBlockChannel { get }

    /// Writes as a guest does, acknowledged and not flushed.
    func write(_ fill: Fill, toDisk disk: Int) async throws

    /// Reads as a guest does, and fails when a byte differs.
    func expect(_ fill: Fill, onDisk disk: Int) async throws

    /// The layers that the disks write now.
    func activeLayers() async throws -> [LayerID]

    /// Every layer that the machine has open.
    func openLayers() async throws -> Set<LayerID>

    /// What the disks write to, as a hypervisor reports it.
    func writtenDisks() async throws -> [DiskHandle]

    /// Everything that the machine has open, as a hypervisor reports it.
    func openDisks() async throws -> Set<DiskHandle>
}

/// One value, written over a range of a disk.
package struct Fill: Hashable, Sendable {
    package var byte: UInt8
    package var range: Range<Int64>

    package init(_ byte: UInt8, _ range: Range<Int64>) {
        self.byte = byte
        self.range = range
    }
}

/// What a disk should hold, byte for byte.
package struct DiskModel: Hashable, Sendable {
    package private(set) var bytes: Data

    package init(bytes: Data) {
        self.bytes = bytes
    }

    package init(size: ByteCount, _ fills: [Fill] = []) {
        bytes = Data(count: Int(size.bytes))
        for fill in fills { apply(fill) }
    }

    package var size: ByteCount { ByteCount(Int64(bytes.count)) }

    package mutating func apply(_ fill: Fill) {
        let range = Int(fill.range.lowerBound)..<Int(fill.range.upperBound)
        bytes.replaceSubrange(range, with: Data(repeating: fill.byte, count: range.count))
    }

    package mutating func grow(to size: ByteCount) {
        bytes.append(Data(count: Int(size.bytes) - bytes.count))
    }

    /// The first place where two disks differ, for messages.
    package func firstDifference(from other: DiskModel) -> Int? {
        guard bytes != other.bytes else { return nil }
        let common = min(bytes.count, other.bytes.count)
        // Whole pieces at once: byte by byte takes minutes without optimisation.
        let piece = 1 << 16
        for start in stride(from: 0, to: common, by: piece) {
            let end = min(start + piece, common)
            guard bytes[start..<end] != other.bytes[start..<end] else { continue }
            return (start..<end).first { bytes[$0] != other.bytes[$0] }
        }
        return common
    }
}

extension BlockStoreGround {
    /// Makes a chain of layers, each with some content of its own, and returns it base first.
    func makeChain(_ contents: [[Fill]], size: ByteCount = .mebibytes(4)) async throws -> [LayerID] {
        var chain: [LayerID] = []
        for fills in contents {
            chain.append(try await makeLayer(on: chain.last, size: size, fills))
        }
        return chain
    }

    func makeLayer(
        on parent: LayerID? = nil,
        size: ByteCount = .mebibytes(4),
        _ fills: [Fill] = []
    ) async throws -> LayerID {
        let id = LayerID.random()
        if let parent {
            try await store.createLayer(id, on: parent, size: size, through: nil)
        } else {
            try await store.createLayer(id, size: size)
        }
        if !fills.isEmpty { try await write(fills, to: id) }
        return id
    }

    /// Expects a layer to hold what the fills make of a blank disk.
    func expectContent(of layer: LayerID, _ fills: [Fill], size: ByteCount = .mebibytes(4), _ what: String) async throws
    {
        try await expectContent(of: layer, DiskModel(size: size, fills), what)
    }

    func expectContent(of layer: LayerID, _ model: DiskModel, _ what: String) async throws {
        let found = try await read(layer)
        guard let place = found.firstDifference(from: model) else { return }
        let sizes = "\(found.size) instead of \(model.size)"
        throw BlockStoreContract.Broken(description: "\(what) has another content, first at byte \(place) (\(sizes))")
    }

    /// Expects a layer to be there, in a place.
    func expectLayer(_ layer: LayerID, on parent: LayerID?, size: ByteCount = .mebibytes(4)) async throws {
        guard let found = try await store.findLayer(layer) else {
            throw BlockStoreContract.Broken(description: "the layer \(layer) should be there")
        }
        try require(found.parent == parent, "\(layer) should stand on \(String(describing: parent)), not \(found)")
        try require(found.size == size, "\(layer) should have \(size), not \(found)")
    }

    func expectGone(_ layer: LayerID) async throws {
        try require(try await store.findLayer(layer) == nil, "the layer \(layer) should be gone")
    }
}

func require(_ isKept: Bool, _ what: @autoclosure () -> String) throws(BlockStoreContract.Broken) {
    guard isKept else { throw BlockStoreContract.Broken(description: what()) }
}

/// Expects a call to fail with a code, having left nothing behind.
func requireFault(
    _ code: BlockStoreFault.Code,
    _ what: String,
    _ call: () async throws -> Void
) async throws {
    do {
        try await call()
    } catch let fault as BlockStoreFault {
        try require(fault.code == code, "\(what) should fail with \(code), not with \(fault)")
        return try require(fault.outcome == .notDone, "\(what) should fail without effect, not with \(fault)")
    }
    throw BlockStoreContract.Broken(description: "\(what) should fail with \(code)")
}

/// For calls whose progress does not matter.
func ignore(_ done: ByteCount, _ total: ByteCount) {}
