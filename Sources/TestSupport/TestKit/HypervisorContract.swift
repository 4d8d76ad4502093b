package import SnapshotDomain
package import SnapshotPorts

/// One promise of ``Hypervisor``, and how to see that it is kept.
///
/// Every driver runs all of them. They need no guest system: the machines' disks are blank, so nothing in them answers.
///
/// ```swift
/// @Test("keeps the contract", arguments: HypervisorContract.all)
/// func contract(_ promise: HypervisorContract) async throws {
///     try await withGround { try await promise.check($0) }
/// }
/// ```
package struct HypervisorContract: Sendable, CustomStringConvertible {
    /// What holds, as a sentence.
    package let description: String
    package let check: @Sendable (any HypervisorGround) async throws -> Void

    init(_ description: String, _ check: @escaping @Sendable (any HypervisorGround) async throws -> Void) {
        self.description = description
        self.check = check
    }

    package static let all: [HypervisorContract] = life + ends + disks + guests + pauses + memories

    /// A promise that was not kept.
    package struct Broken: Error, CustomStringConvertible {
        package let description: String
    }
}

/// Where a contract is checked: a hypervisor, and the means to make disks for it and to trouble it.
package protocol HypervisorGround: Sendable {
    var hypervisor: any Hypervisor { get async }

    /// Makes a blank disk of two layers. Beside a sibling, it stands on the sibling's lower layer.
    func makeDisk(slot: Int, beside sibling: ContractDisk?) async throws -> ContractDisk

    /// A disk that cannot be opened.
    func makeBrokenDisk(slot: Int) async throws -> MachineDisk

    /// Ends the program of a machine as a crash would, and waits until it is gone.
    func crash(_ instance: InstanceID) async throws

    /// Lets go of the hypervisor, as the service's end does, and puts a new one in its place.
    func restart() async throws
}

/// A disk, and what a machine has open that uses it.
package struct ContractDisk: Sendable {
    package var disk: MachineDisk
    /// The written one first.
    package var handles: [DiskHandle]

    package init(disk: MachineDisk, handles: [DiskHandle]) {
        self.disk = disk
        self.handles = handles
    }
}

extension HypervisorGround {
    func describe(
        _ disks: [ContractDisk],
        id: InstanceID = .random(),
        network: NetworkMode = .isolated
    ) throws -> MachineDescription {
        MachineDescription(
            id: id,
            name: try ResourceName("contract"),
            cpuCount: 1,
            memory: .mebibytes(64),
            macAddress: "52:54:00:12:34:56",
            network: network,
            disks: disks.map(\.disk)
        )
    }

    /// Starts a machine with one blank disk.
    func startMachine(network: NetworkMode = .isolated) async throws -> (id: InstanceID, root: ContractDisk) {
        let root = try await makeDisk(slot: 0, beside: nil)
        let machine = try describe([root], network: network)
        try await hypervisor.start(machine)
        return (machine.id, root)
    }
}

func expect(_ isKept: Bool, _ what: @autoclosure () -> String) throws(HypervisorContract.Broken) {
    guard isKept else { throw HypervisorContract.Broken(description: what()) }
}

func expectEqual<Value: Equatable>(
    _ found: Value,
    _ wanted: Value,
    _ what: String
) throws(HypervisorContract.Broken) {
    try expect(found == wanted, "\(what) should be \(wanted) and is \(found)")
}

/// Expects a call to fail with one of the given codes.
func expectFault(
    _ codes: Set<HypervisorFault.Code>,
    _ what: String,
    _ call: () async throws -> Void
) async throws {
    do {
        try await call()
    } catch let fault as HypervisorFault {
        return try expect(codes.contains(fault.code), "\(what) failed with \(fault) instead of \(codes)")
    }
    throw HypervisorContract.Broken(description: "\(what) should fail with \(codes) and succeeded")
}
