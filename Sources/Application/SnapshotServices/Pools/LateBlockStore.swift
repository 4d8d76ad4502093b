package import SnapshotDomain
package import SnapshotPorts
import Synchronization

/// A store that is opened by the first call that finds it can be: the service starts without it.
///
/// Until then every call fails with what opening failed with, as a call that was not done. A store that has been opened
/// stays open; that its medium goes away later is for the store itself to notice.
package final class LateBlockStore: BlockStore {
    package typealias Opening = @Sendable () async throws(BlockStoreFault) -> any BlockStore

    private enum State {
        case closed
        case opening(Task<Result<any BlockStore, BlockStoreFault>, Never>)
        case open(any BlockStore)
    }

    package let pool: PoolID
    private let opening: Opening
    private let state = Mutex(State.closed)

    package init(pool: PoolID, opening: @escaping Opening) {
        self.pool = pool
        self.opening = opening
    }

    /// The store, if it has been opened.
    package var opened: (any BlockStore)? {
        if case .open(let store) = state.withLock(\.self) { store } else { nil }
    }

    /// Of one that is not open no more is promised than of any.
    package var switchesDisksTogether: Bool { opened?.switchesDisksTogether ?? false }

    private func store() async throws(BlockStoreFault) -> any BlockStore {
        let attempt = state.withLock { state -> Task<Result<any BlockStore, BlockStoreFault>, Never>? in
            switch state {
            case .open: return nil
            case .opening(let task): return task
            case .closed:
                let task = Task { [opening] () -> Result<any BlockStore, BlockStoreFault> in
                    do throws(BlockStoreFault) {
                        return .success(try await opening())
                    } catch {
                        return .failure(BlockStoreFault(error.code, .notDone, error.message, cause: error.cause))
                    }
                }
                state = .opening(task)
                return task
            }
        }
        guard let attempt else {
            guard let opened else { throw BlockStoreFault(.unavailable, .notDone, "The pool '\(pool)' is closed.") }
            return opened
        }
        let result = await attempt.value
        state.withLock { state in
            guard case .opening(attempt) = state else { return }
            state = if case .success(let store) = result { .open(store) } else { .closed }
        }
        return try result.get()
    }

    package func capacity() async throws(BlockStoreFault) -> PoolCapacity { try await store().capacity() }

    package func inventory() async throws(BlockStoreFault) -> PoolInventory { try await store().inventory() }

    package func findLayer(_ id: LayerID) async throws(BlockStoreFault) -> StoredLayer? {
        try await store().findLayer(id)
    }

    package func createLayer(_ id: LayerID, size: ByteCount) async throws(BlockStoreFault) {
        try await store().createLayer(id, size: size)
    }

    package func createLayer(
        _ id: LayerID,
        on parent: LayerID,
        size: ByteCount,
        through channel: (any LiveBlockChannel)?
    ) async throws(BlockStoreFault) {
        try await store().createLayer(id, on: parent, size: size, through: channel)
    }

    package func deleteLayer(_ id: LayerID) async throws(BlockStoreFault) { try await store().deleteLayer(id) }

    package func quarantine(_ item: UnknownItem) async throws(BlockStoreFault) -> String {
        try await store().quarantine(item)
    }

    package func growLayer(
        _ id: LayerID,
        to size: ByteCount,
        through channel: (any LiveBlockChannel)?
    ) async throws(BlockStoreFault) {
        try await store().growLayer(id, to: size, through: channel)
    }

    package func prepareSwitch(
        _ switches: [LayerSwitch],
        through channel: any LiveBlockChannel
    ) async throws(BlockStoreFault) {
        try await store().prepareSwitch(switches, through: channel)
    }

    package func finishSwitch(
        _ switches: [LayerSwitch],
        through channel: any LiveBlockChannel
    ) async throws(BlockStoreFault) {
        try await store().finishSwitch(switches, through: channel)
    }

    package func abandonSwitch(
        _ switches: [LayerSwitch],
        through channel: any LiveBlockChannel
    ) async throws(BlockStoreFault) {
        try await store().abandonSwitch(switches, through: channel)
    }

    package func foldLayer(
        _ id: LayerID,
        into parent: LayerID,
        through channel: (any LiveBlockChannel)?,
        progress: @escaping ProgressHandler
    ) async throws(BlockStoreFault) {
        try await store().foldLayer(id, into: parent, through: channel, progress: progress)
    }

    package func pullLayer(
        _ id: LayerID,
        downTo ancestor: LayerID?,
        through channel: (any LiveBlockChannel)?,
        progress: @escaping ProgressHandler
    ) async throws(BlockStoreFault) {
        try await store().pullLayer(id, downTo: ancestor, through: channel, progress: progress)
    }

    package func copyLayer(
        _ source: LayerID,
        to copy: LayerID,
        progress: @escaping ProgressHandler
    ) async throws(BlockStoreFault) {
        try await store().copyLayer(source, to: copy, progress: progress)
    }

    package func digest(
        of layer: LayerID,
        progress: @escaping ProgressHandler
    ) async throws(BlockStoreFault) -> ContentDigest {
        try await store().digest(of: layer, progress: progress)
    }

    package func export(
        _ layer: LayerID,
        as format: ImageFormat,
        progress: @escaping ProgressHandler
    ) async throws(BlockStoreFault) -> ImageStream {
        try await store().export(layer, as: format, progress: progress)
    }

    package func inspectImage(at path: String, format: ImageFormat) async throws(BlockStoreFault) -> ImageFacts {
        try await store().inspectImage(at: path, format: format)
    }

    package func importImage(
        at path: String,
        format: ImageFormat,
        to layer: LayerID,
        progress: @escaping ProgressHandler
    ) async throws(BlockStoreFault) {
        try await store().importImage(at: path, format: format, to: layer, progress: progress)
    }

    package func importContent(
        _ content: ImageStream,
        to layer: LayerID,
        progress: @escaping ProgressHandler
    ) async throws(BlockStoreFault) {
        try await store().importContent(content, to: layer, progress: progress)
    }

    package func diskSource(for chain: [LayerID]) async throws(BlockStoreFault) -> DiskSource {
        try await store().diskSource(for: chain)
    }

    package func writtenLayer(through handle: DiskHandle) async throws(BlockStoreFault) -> LayerID? {
        try await store().writtenLayer(through: handle)
    }

    package func openLayers(through handles: Set<DiskHandle>) async throws(BlockStoreFault) -> Set<LayerID> {
        try await store().openLayers(through: handles)
    }
}
