package import SnapshotDomain
package import SnapshotPorts

/// What one kind of job does.
///
/// A program is a value that holds every identifier it will need, chosen before it was recorded. That is the whole of its
/// memory: its work looks at the catalog, the store and the machine to find what is done already, so the engine runs it
/// from the start again after a restart, and the second run ends where the first would have.
///
/// ```
///  submit ──► [rows + job]  one transaction: the intent
///                 │
///              perform ───── failed ──► undo ──► [rows + outcome]
///                 │
///              [rows + outcome]  one transaction: the result
/// ```
///
/// - Important: Between `perform` and the last transaction the process may die at any point.
package protocol JobProgram: Codable, Sendable {
    /// What `perform` found out and `finish` records.
    associatedtype Findings: Sendable
    /// What `undo` could not take back and `abandon` records.
    associatedtype Residue: Sendable

    static var kind: Job.Kind { get }

    /// Layers that this job may make: nobody else may take them for strangers while it is open.
    var ownLayers: Set<LayerID> { get }
    /// Memory that this job may save: nobody else may take it for a stranger's while it is open.
    var ownMemory: Set<SnapshotGroupID> { get }
    /// Uploads that this job needs: they stay while it is open.
    var ownUploads: Set<String> { get }
    /// Copies, hashes or converts whole disks: takes one of the few slots for such work.
    var isHeavy: Bool { get }
    /// Waits for a source on the network: takes one of the slots for that, and none of the others.
    var usesNetwork: Bool { get }

    /// Pools that it works on beside those of the volumes and snapshots that its job names.
    var ownPools: Set<PoolID> { get }
    /// Whether it can do nothing while a pool that it works on is down.
    ///
    /// Deletions can: what they leave in the pool is collected when it is back.
    var needsPools: Bool { get }

    /// Does the work, except for the rows that make it visible.
    func perform(_ work: JobWork) async throws -> Findings

    /// Makes the result visible, in the transaction that ends the job.
    func finish(_ findings: Findings, _ writer: any CatalogWriter, _ work: JobWork) throws

    /// Takes back what a failed or cancelled `perform` left, as far as that is right.
    func undo(_ work: JobWork) async throws -> Residue

    /// Brings the rows in order after a failure, in the transaction that ends the job.
    ///
    /// - Parameters:
    ///   - residue: Nil when `undo` itself failed.
    ///   - error: Why the job failed.
    ///   - writer: The transaction.
    ///   - work: What the job has at hand.
    /// - Throws: Only what the catalog throws.
    func abandon(_ residue: Residue?, because error: ServiceError, _ writer: any CatalogWriter, _ work: JobWork) throws

    /// Lets go of what the job no longer needs, after it ended and however it did. A crash may skip it.
    func tidyUp(_ work: JobWork) async

    /// Layers whose surroundings may have something to collect now.
    func disturbedLayers(_ reader: any CatalogReader) throws -> Set<LayerID>
}

extension JobProgram {
    package var ownLayers: Set<LayerID> { [] }
    package var ownMemory: Set<SnapshotGroupID> { [] }
    package var ownUploads: Set<String> { [] }
    package var isHeavy: Bool { false }
    package var usesNetwork: Bool { false }
    package var ownPools: Set<PoolID> { [] }
    package var needsPools: Bool { true }
    package func tidyUp(_ work: JobWork) async {}
    package func disturbedLayers(_ reader: any CatalogReader) throws -> Set<LayerID> { [] }
}

extension JobProgram {
    /// Where a job works.
    func pools(_ subjects: [JobSubject], _ reads: [JobSubject], _ reader: any CatalogReader) throws -> Set<PoolID> {
        guard needsPools else { return [] }
        var pools = ownPools
        for subject in subjects + reads {
            switch subject {
            case .volume(let id): if let pool = try reader.findVolume(id)?.pool { pools.insert(pool) }
            case .snapshot(let id): if let pool = try reader.findSnapshot(id)?.pool { pools.insert(pool) }
            case .instance(let id): pools.formUnion(try reader.volumes(of: id).map(\.pool))
            // A template may be in several: the program says from which one it takes it.
            case .template, .environment: continue
            }
        }
        return pools
    }
}

extension JobProgram where Residue == Void {
    package func undo(_ work: JobWork) async throws {}
}

extension JobProgram where Findings == Void {
    package func finish(_ findings: Void, _ writer: any CatalogWriter, _ work: JobWork) throws {}
}

extension JobProgram where Residue == Void {
    package func abandon(
        _ residue: Void?,
        because error: ServiceError,
        _ writer: any CatalogWriter,
        _ work: JobWork
    ) throws {}
}
