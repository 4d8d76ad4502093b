import SnapshotDomain
import SnapshotPorts

/// Puts the root volume of an instance back to a template: a revert whose destination is no snapshot.
///
/// Its crash table is that of ``RevertVolumes``.
struct RestoreInstance: JobProgram {
    static let kind = Job.Kind.restoreInstance

    var revert: RevertVolumes

    var ownLayers: Set<LayerID> { revert.ownLayers }

    func perform(_ work: JobWork) async throws {
        try await revert.perform(work)
    }

    func undo(_ work: JobWork) async throws {
        try await revert.undo(work)
    }

    func disturbedLayers(_ reader: any CatalogReader) throws -> Set<LayerID> {
        try revert.disturbedLayers(reader)
    }
}
