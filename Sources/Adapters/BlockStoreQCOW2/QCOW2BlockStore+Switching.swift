import DiskImages
import Foundation
import Logging
import QEMU
import SnapshotDomain
package import SnapshotPorts

/// Puts a running machine on new layers: everything before the instant, then one transaction.
extension QCOW2BlockStore {
    package func prepareSwitch(
        _ switches: [LayerSwitch],
        through channel: any LiveBlockChannel
    ) async throws(BlockStoreFault) {
        let client = try machine(of: channel)
        var added: [LayerID] = []
        do {
            for change in switches where try await open(change.to, client) {
                added.append(change.to)
                try reached(.switchPrepared)
            }
        } catch {
            let fault = BlockStoreFault(error, trying: "prepare a machine for new layers")
            guard fault.outcome == .notDone else { throw fault }
            do {
                let disks = try await MachineDisks(of: client)
                for layer in added { try await client.close(layer, in: disks) }
            } catch {
                logger.warning("a prepared layer stays open", metadata: ["error": .string("\(error)")])
            }
            throw fault
        }
    }

    /// Opens a layer with nothing below.
    ///
    /// The transaction puts the present top there; the header names it for the next start.
    ///
    /// - Throws: ``QMPFault`` when it cannot be opened.
    ///
    /// - Returns: Whether it was not open already.
    private func open(_ layer: LayerID, _ client: QMPClient) async throws -> Bool {
        do throws(QMPFault) {
            try await client.execute(
                "blockdev-add",
                BlockChain.blockdevArguments(node(layer), over: nil, isWritable: true)
            )
            return true
        } catch {
            // Looking only now: a machine lists its nodes in a time that grows with their number.
            guard case .refused = error.code, try await MachineDisks(of: client).open[layer] != nil else { throw error }
            return false
        }
    }

    package func finishSwitch(
        _ switches: [LayerSwitch],
        through channel: any LiveBlockChannel
    ) async throws(BlockStoreFault) {
        let client = try machine(of: channel)
        let actions = switches.map { change -> JSONValue in
            let data: JSONValue = [
                "node": .string(LayerNode(change.from).name), "overlay": .string(LayerNode(change.to).name),
            ]
            return ["type": "blockdev-snapshot", "data": data]
        }
        do throws(QMPFault) {
            // QEMU writes out each old layer, with an fsync, before it switches any.
            try await client.execute("transaction", ["actions": .array(actions)])
        } catch {
            // Refused because it was done before, or done and the answer lost: what the machine writes tells.
            let fault = BlockStoreFault(error, trying: "switch a machine to new layers")
            let isDone: Bool
            do {
                isDone = try await isSwitched(switches, client)
            } catch {
                throw (error as? BlockStoreFault) ?? fault
            }
            guard isDone else { throw BlockStoreFault(fault.code, .notDone, fault.message, cause: fault.cause) }
        }
        try await attempt("switch a machine to new layers") { try reached(.switchDone) }
    }

    package func abandonSwitch(
        _ switches: [LayerSwitch],
        through channel: any LiveBlockChannel
    ) async throws(BlockStoreFault) {
        let client = try machine(of: channel)
        try await attempt("take back the preparation of a switch") {
            let disks = try await MachineDisks(of: client)
            for change in switches where !disks.reads(change.to) { try await client.close(change.to, in: disks) }
        }
    }

    /// Whether a machine writes all the new layers, or none of them.
    private func isSwitched(_ switches: [LayerSwitch], _ client: QMPClient) async throws -> Bool {
        let disks = try await MachineDisks(of: client)
        let done = switches.filter { disks.reads($0.to) }
        guard done.isEmpty || done.count == switches.count else {
            throw BlockStoreFault(
                .exists,
                .notDone,
                "The machine has been switched to some of these layers by another call; switch the others in a call of their own."
            )
        }
        return done.count == switches.count
    }
}
