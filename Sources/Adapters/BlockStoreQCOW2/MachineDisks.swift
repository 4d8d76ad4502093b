import QEMU
import SnapshotDomain

/// The layers that a QEMU program has open, as it describes them at one moment.
struct MachineDisks: Sendable {
    /// The layers of each device, the one that it writes first.
    let chains: [[LayerID]]
    /// All open layers, those included that no device reads, and whether each is open for reading only.
    let open: [LayerID: Bool]

    init(of client: QMPClient) async throws(QMPFault) {
        let devices = try await client.execute("query-blockstats", evenCancelled: true)
        chains = (devices.array ?? []).map { device in
            var chain: [LayerID] = []
            var node: JSONValue? = device
            while let current = node {
                // A filter that a job has put in between has no layer's name.
                if let layer = current["node-name"]?.string.flatMap(LayerNode.layer(named:)) { chain.append(layer) }
                node = current["backing"]
            }
            return chain
        }
        let nodes = try await client.execute("query-named-block-nodes", ["flat": true], evenCancelled: true)
        var open: [LayerID: Bool] = [:]
        for node in nodes.array ?? [] {
            guard let layer = node["node-name"]?.string.flatMap(LayerNode.layer(named:)) else { continue }
            open[layer] = node["ro"]?.bool ?? true
        }
        self.open = open
    }

    /// A device's chain that goes through a layer.
    func chain(through layer: LayerID) -> [LayerID]? {
        chains.first { $0.contains(layer) }
    }

    /// Whether some device reads or writes a layer.
    func reads(_ layer: LayerID) -> Bool {
        chain(through: layer) != nil
    }

    /// Whether some device writes a layer.
    func writes(_ layer: LayerID) -> Bool {
        chains.contains { $0.first == layer }
    }

    /// The layers that stand directly on one in some device's chain.
    func layers(above layer: LayerID) -> Set<LayerID> {
        Set(
            chains.compactMap { chain in
                guard let place = chain.firstIndex(of: layer), place > 0 else { return nil }
                return chain[place - 1]
            }
        )
    }

    /// Layers that are open and that nothing will use again: no device reads them, and nothing stands on them.
    ///
    /// A disk that is being attached is open and unread too, but the layer on top of it is not open yet, or is writable.
    func leftovers(children: (LayerID) -> Set<LayerID>) -> [LayerID] {
        let unread = open.filter { layer, isReadOnly in isReadOnly && !reads(layer) }.keys
        var found: [LayerID] = []
        var isGrowing = true
        while isGrowing {
            let more = unread.filter { !found.contains($0) && children($0).isSubset(of: found) }
            found += more
            isGrowing = !more.isEmpty
        }
        return found
    }
}

extension QMPClient {
    /// Closes a layer that nothing uses; does nothing when it is not open.
    func close(_ layer: LayerID, in disks: MachineDisks) async throws(QMPFault) {
        guard disks.open[layer] != nil else { return }
        try await execute("blockdev-del", ["node-name": .string(LayerNode(layer).name)], evenCancelled: true)
    }

    /// Forgets a job that has ended and whose end nobody has seen.
    func dismissEndedJob(_ id: String) async throws(QMPFault) {
        let jobs = try await execute("query-jobs")
        guard let job = jobs.array?.first(where: { $0["id"]?.string == id }), job["status"]?.string == "concluded"
        else {
            return
        }
        try await execute("job-dismiss", ["id": .string(id)], evenCancelled: true)
    }
}
