import Logging
import Platform
import QEMU
import SnapshotDomain
import SnapshotPorts

// Disks are nodes below a device in each slot: a chain of layers, or one image of a cluster (``OpenableDisk``). Disks of
// one machine may stand on the same layers, as a volume and the clone of its own snapshot do: a node is opened by the
// first disk that needs it and closed with the last. Which disk reads which node is asked of the machine each time, as
// snapshots and merges change it under our feet.
extension QEMUMachine {
    /// What the disks of a machine are to be opened as, by slot.
    static func openables(of disks: [MachineDisk]) throws(HypervisorFault) -> [Int: OpenableDisk] {
        var found: [Int: OpenableDisk] = [:]
        for disk in disks {
            guard MachineCommandLine.slots.contains(disk.slot), found[disk.slot] == nil else {
                throw HypervisorFault(
                    .noSlot,
                    .notDone,
                    "There is no free slot \(disk.slot); a machine has the slots \(MachineCommandLine.slots), each for one disk."
                )
            }
            found[disk.slot] = try openable(disk)
        }
        return found
    }

    private static func openable(_ disk: MachineDisk) throws(HypervisorFault) -> OpenableDisk {
        do {
            if let found = try OpenableDisk(disk.source) { return found }
        } catch {
            throw HypervisorFault(
                .io,
                .notDone,
                "The description of disk \(disk.volume) is damaged.",
                cause: "\(error)"
            )
        }
        throw HypervisorFault(
            .unavailable,
            .notDone,
            "Disk \(disk.volume) lies in a pool of a kind that QEMU on this host cannot open (\(disk.source.scheme))."
        )
    }

    func writtenDisks() async throws(HypervisorFault) -> [Int: DiskHandle] {
        try await requireLiving(to: "see its disks")
        return try await readDisks().compactMapValues(\.first)
    }

    func openDisks() async throws(HypervisorFault) -> Set<DiskHandle> {
        try await requireLiving(to: "see its disks")
        return Set(try await openNodes().compactMap { DiskHandle(node: $0) })
    }

    // MARK: Attaching

    func attach(_ disk: MachineDisk) async throws(HypervisorFault) {
        let pass = try await turn()
        defer { pass.leave() }
        try await requireLiving(to: "attach a disk")
        guard let openable = try Self.openables(of: [disk])[disk.slot] else { return }
        if try await readDisks()[disk.slot] != nil {
            return try await requireAttached(disk)
        }
        try await forgetReleasedDisk(disk.slot)
        let present = try await openNodes()
        var added: [String] = []
        do {
            for node in openable.blockdevArguments() {
                guard let name = node["node-name"]?.string, !present.contains(name) else { continue }
                try await ask("blockdev-add", node, to: "open disk \(disk.volume)")
                added.append(name)
            }
            let device = MachineCommandLine.device(for: disk, node: openable.topNode)
            try await ask("device_add", device, to: "attach disk \(disk.volume)")
        } catch {
            // What was opened for nothing is closed again. What QEMU did after a lost answer stays: the call is repeated.
            if error.outcome == .notDone { await close(added.reversed()) }
            throw error
        }
    }

    /// Accepts that a slot is taken by this very disk, and by no other.
    private func requireAttached(_ disk: MachineDisk) async throws(HypervisorFault) {
        if record?.leaving[disk.slot] != nil {
            throw HypervisorFault(
                .wrongState,
                .notDone,
                "The disk in slot \(disk.slot) is being taken out; wait until the guest has let it go."
            )
        }
        let path = "/machine/peripheral/\(MachineCommandLine.disk(disk.slot))"
        let serial = try await ask(
            "qom-get",
            ["path": .string(path), "property": "serial"],
            to: "see which disk is in slot \(disk.slot)"
        )
        guard serial.string == MachineCommandLine.serial(of: disk.volume) else {
            throw HypervisorFault(.noSlot, .notDone, "Slot \(disk.slot) is taken by another disk; choose another slot.")
        }
    }

    // MARK: Detaching

    func detach(slot: Int) async throws(HypervisorFault) {
        let pass = try await turn()
        defer { pass.leave() }
        try await requireLiving(to: "take out a disk while it runs")
        guard let handles = try await readDisks()[slot] else {
            return try await forgetReleasedDisk(slot)
        }
        // Durable first: the guest may let go when this service is long gone, and the nodes must still be closed.
        if var record, record.leaving[slot] == nil {
            record.leaving[slot] = handles.map(\.name)
            try await save(record)
        }
        try await askGuestToRelease(slot)
        try await forgetReleasedDisk(slot)
    }

    private func askGuestToRelease(_ slot: Int) async throws(HypervisorFault) {
        let disk = MachineCommandLine.disk(slot)
        let events = try await client().events()
        do {
            try await ask("device_del", ["id": .string(disk)], to: "take out the disk in slot \(slot)")
        } catch  where error.cause?.contains("DeviceNotFound") == true || error.message.contains("process of unplug") {
            // Gone between two looks, or asked already: what counts is below.
        }
        let isReleased = try? await withDeadline(host.limits.detach, for: "the release of a disk") {
            for await event in events where event.name == "DEVICE_DELETED" && event.data["device"]?.string == disk {
                return true
            }
            return false
        }
        if isReleased == true { return }
        if Task.isCancelled { throw HypervisorFault(.cancelled, .unknown, "Taking out a disk was cancelled.") }
        guard try await readDisks()[slot] != nil else { return }
        throw HypervisorFault(
            .guestUnresponsive,
            .unknown,
            """
            The guest did not let go of the disk in slot \(slot) within \(host.limits.detach). It may still do so: \
            try again, or stop the instance first.
            """
        )
    }

    /// Closes what a disk had open once the guest has let it go, which may be long after it was asked.
    func closeReleasedDisk(_ slot: Int) async {
        guard let pass = await changes.pass(within: host.limits.turn) else { return }
        defer { pass.leave() }
        do {
            guard record?.leaving[slot] != nil, try await readDisks()[slot] == nil else { return }
            try await forgetReleasedDisk(slot)
        } catch {
            logger.warning(
                "Cannot close a disk that was taken out",
                metadata: ["slot": "\(slot)", "cause": "\(error)"]
            )
        }
    }

    private func forgetReleasedDisk(_ slot: Int) async throws(HypervisorFault) {
        guard let nodes = record?.leaving[slot] else { return }
        let stillRead = Set(try await readDisks().values.joined().map(\.name))
        await close(nodes.filter { !stillRead.contains($0) })
        guard var record else { return }
        record.leaving[slot] = nil
        try await save(record)
    }

    /// Closes nodes, the upper ones first.
    ///
    /// What is gone or in use by a job of the store is not ours to close.
    private func close(_ nodes: [String]) async {
        for node in nodes {
            do throws(HypervisorFault) {
                try await ask("blockdev-del", ["node-name": .string(node)], to: "close a layer")
            } catch {
                logger.debug("A layer stays open", metadata: ["node": "\(node)", "cause": "\(error)"])
            }
        }
    }

    // MARK: Looking

    /// The nodes of every disk, the written one first, by slot.
    private func readDisks() async throws(HypervisorFault) -> [Int: [DiskHandle]] {
        let devices = try await ask("query-blockstats", to: "see the machine's disks").array ?? []
        var disks: [Int: [DiskHandle]] = [:]
        for device in devices {
            guard let path = device["qdev"]?.string, let slot = MachineCommandLine.slot(ofDisk: path) else { continue }
            var handles: [DiskHandle] = []
            var node: JSONValue? = device
            while let current = node {
                // A filter that a job has put in between has no name of ours.
                if let handle = current["node-name"]?.string.flatMap(DiskHandle.init(node:)) { handles.append(handle) }
                node = current["backing"]
            }
            disks[slot] = handles
        }
        return disks
    }

    private func openNodes() async throws(HypervisorFault) -> Set<String> {
        let nodes = try await ask("query-named-block-nodes", ["flat": true], to: "see what the machine has open")
        return Set((nodes.array ?? []).compactMap { $0["node-name"]?.string })
    }
}
