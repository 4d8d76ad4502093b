package import SnapshotDomain
package import SnapshotPorts

/// A block store whose calls can be made to fail.
package struct FaultyBlockStore: BlockStore {
    private let real: any BlockStore
    private let faults: CallFaults
    private let absence: Absence?

    package init(_ real: any BlockStore, _ faults: CallFaults, absence: Absence? = nil) {
        self.real = real
        self.faults = faults
        self.absence = absence
    }

    package var pool: PoolID { real.pool }

    package var switchesDisksTogether: Bool { !faults.splitsSwitches && real.switchesDisksTogether }

    private func call<Value>(
        _ name: String,
        _ body: () async throws(BlockStoreFault) -> Value
    ) async throws(BlockStoreFault) -> Value {
        try await absence?.pass(pool)
        return try await faults.run("store.\(name)", fault: Self.fault, body)
    }

    private static func fault(_ moment: CallFaults.Moment) -> BlockStoreFault {
        switch moment {
        case .before: BlockStoreFault(.io, .notDone, "An injected fault: the pool's disk failed.")
        case .after, .dying: BlockStoreFault(.io, .unknown, "An injected fault: the pool's answer was lost.")
        }
    }

    package func capacity() async throws(BlockStoreFault) -> PoolCapacity {
        try await call("capacity", real.capacity)
    }

    package func inventory() async throws(BlockStoreFault) -> PoolInventory {
        try await call("inventory", real.inventory)
    }

    package func findLayer(_ id: LayerID) async throws(BlockStoreFault) -> StoredLayer? {
        try await call("findLayer") { () async throws(BlockStoreFault) in try await real.findLayer(id) }
    }

    package func createLayer(_ id: LayerID, size: ByteCount) async throws(BlockStoreFault) {
        try await call("createLayer") { () async throws(BlockStoreFault) in try await real.createLayer(id, size: size) }
    }

    package func createLayer(
        _ id: LayerID,
        on parent: LayerID,
        size: ByteCount,
        through channel: (any LiveBlockChannel)?
    ) async throws(BlockStoreFault) {
        try await call("createLayer.on") { () async throws(BlockStoreFault) in
            try await real.createLayer(id, on: parent, size: size, through: channel)
        }
    }

    package func deleteLayer(_ id: LayerID) async throws(BlockStoreFault) {
        try await call("deleteLayer") { () async throws(BlockStoreFault) in try await real.deleteLayer(id) }
    }

    package func quarantine(_ item: UnknownItem) async throws(BlockStoreFault) -> String {
        try await call("quarantine") { () async throws(BlockStoreFault) in try await real.quarantine(item) }
    }

    package func growLayer(
        _ id: LayerID,
        to size: ByteCount,
        through channel: (any LiveBlockChannel)?
    ) async throws(BlockStoreFault) {
        try await call("growLayer") { () async throws(BlockStoreFault) in
            try await real.growLayer(id, to: size, through: channel)
        }
    }

    package func prepareSwitch(
        _ switches: [LayerSwitch],
        through channel: any LiveBlockChannel
    ) async throws(BlockStoreFault) {
        try await call("prepareSwitch") { () async throws(BlockStoreFault) in
            try await real.prepareSwitch(switches, through: channel)
        }
    }

    package func finishSwitch(
        _ switches: [LayerSwitch],
        through channel: any LiveBlockChannel
    ) async throws(BlockStoreFault) {
        try await call("finishSwitch") { () async throws(BlockStoreFault) in
            guard faults.splitsSwitches else { return try await real.finishSwitch(switches, through: channel) }
            for change in switches {
                try await real.finishSwitch([change], through: channel)
                try? await Task.sleep(for: .milliseconds(100))
            }
        }
    }

    package func abandonSwitch(
        _ switches: [LayerSwitch],
        through channel: any LiveBlockChannel
    ) async throws(BlockStoreFault) {
        try await call("abandonSwitch") { () async throws(BlockStoreFault) in
            try await real.abandonSwitch(switches, through: channel)
        }
    }

    package func foldLayer(
        _ id: LayerID,
        into parent: LayerID,
        through channel: (any LiveBlockChannel)?,
        progress: @escaping ProgressHandler
    ) async throws(BlockStoreFault) {
        try await call("foldLayer") { () async throws(BlockStoreFault) in
            try await real.foldLayer(id, into: parent, through: channel, progress: progress)
        }
    }

    package func pullLayer(
        _ id: LayerID,
        downTo ancestor: LayerID?,
        through channel: (any LiveBlockChannel)?,
        progress: @escaping ProgressHandler
    ) async throws(BlockStoreFault) {
        try await call("pullLayer") { () async throws(BlockStoreFault) in
            try await real.pullLayer(id, downTo: ancestor, through: channel, progress: progress)
        }
    }

    package func copyLayer(
        _ source: LayerID,
        to copy: LayerID,
        progress: @escaping ProgressHandler
    ) async throws(BlockStoreFault) {
        try await call("copyLayer") { () async throws(BlockStoreFault) in
            try await real.copyLayer(source, to: copy, progress: progress)
        }
    }

    package func digest(
        of layer: LayerID,
        progress: @escaping ProgressHandler
    ) async throws(BlockStoreFault) -> ContentDigest {
        try await call("digest") { () async throws(BlockStoreFault) in
            try await real.digest(of: layer, progress: progress)
        }
    }

    package func export(
        _ layer: LayerID,
        as format: ImageFormat,
        progress: @escaping ProgressHandler
    ) async throws(BlockStoreFault) -> ImageStream {
        try await call("export") { () async throws(BlockStoreFault) in
            try await real.export(layer, as: format, progress: progress)
        }
    }

    package func inspectImage(at path: String, format: ImageFormat) async throws(BlockStoreFault) -> ImageFacts {
        try await call("inspectImage") { () async throws(BlockStoreFault) in
            try await real.inspectImage(at: path, format: format)
        }
    }

    package func importImage(
        at path: String,
        format: ImageFormat,
        to layer: LayerID,
        progress: @escaping ProgressHandler
    ) async throws(BlockStoreFault) {
        try await call("importImage") { () async throws(BlockStoreFault) in
            try await real.importImage(at: path, format: format, to: layer, progress: progress)
        }
    }

    package func importContent(
        _ content: ImageStream,
        to layer: LayerID,
        progress: @escaping ProgressHandler
    ) async throws(BlockStoreFault) {
        try await call("importContent") { () async throws(BlockStoreFault) in
            try await real.importContent(content, to: layer, progress: progress)
        }
    }

    package func diskSource(for chain: [LayerID]) async throws(BlockStoreFault) -> DiskSource {
        try await call("diskSource") { () async throws(BlockStoreFault) in try await real.diskSource(for: chain) }
    }

    package func writtenLayer(through handle: DiskHandle) async throws(BlockStoreFault) -> LayerID? {
        try await call("writtenLayer") { () async throws(BlockStoreFault) in
            try await real.writtenLayer(through: handle)
        }
    }

    package func openLayers(through handles: Set<DiskHandle>) async throws(BlockStoreFault) -> Set<LayerID> {
        try await call("openLayers") { () async throws(BlockStoreFault) in try await real.openLayers(through: handles) }
    }
}
