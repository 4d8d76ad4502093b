import SnapshotDomain
import SnapshotPorts

/// Deletes a snapshot, then waits until its bytes are collected as far as they can be.
///
/// The row goes first, in a transaction of its own: from then on the collector may take the layer. Dying after that leaves a
/// tree with something to collect, which every start looks for.
struct DeleteSnapshot: JobProgram {
    static let kind = Job.Kind.deleteSnapshot

    var snapshot: SnapshotID

    var needsPools: Bool { false }

    func perform(_ work: JobWork) async throws {
        let snapshot = snapshot
        let layers = try await work.unpin { reader in
            Set([try reader.findSnapshot(snapshot)?.layer].compactMap { $0 })
        } rows: { writer in
            try writer.deleteSnapshot(snapshot)
        }
        work.world.feed.publish([.snapshot(snapshot)], in: work.job.environment)
        try await work.step("collect", evenCancelled: true) { await work.collect(around: layers) }
    }

    func abandon(_ residue: Void?, because error: ServiceError, _ writer: any CatalogWriter, _ work: JobWork) throws {
        guard var row = try writer.findSnapshot(snapshot), case .deleting = row.state else { return }
        row.state = .available
        try writer.update(row)
    }
}

/// Reads a snapshot's whole content and compares it with what it was when it was first read.
///
/// The memory that was saved with it is read, too. What it finds is left on the snapshot: the digest, or the damage.
struct VerifySnapshot: JobProgram {
    static let kind = Job.Kind.verifySnapshot

    var snapshot: SnapshotID

    var isHeavy: Bool { true }

    func perform(_ work: JobWork) async throws -> ContentDigest {
        let snapshot = try await work.snapshot(snapshot)
        let digest = try await work.step("digest") {
            try await work.holdingChain(of: snapshot.layer) {
                try await work.world.store(snapshot.pool).digest(of: snapshot.layer, progress: work.progress)
            }
        }
        try await work.step("memory") { try await verifyMemory(of: snapshot, work) }
        return digest
    }

    private func verifyMemory(of snapshot: Snapshot, _ work: JobWork) async throws {
        guard let group = snapshot.group,
            let image = try await work.world.catalog.read({ try $0.findMemoryImage(group) })
        else { return }
        if let damage = image.damage { throw ServiceError(.damaged, damage, subject: .snapshot(snapshot.id)) }
        let digest = try await work.world.hypervisor.digestMemory(group, progress: work.progress)
        guard digest != image.digest else { return }
        throw ServiceError(
            .damaged,
            """
            The memory that was saved with '\(snapshot.name)' is not what was written: its digest was \(image.digest) and is \
            \(digest). Revert without it, and check the disk below the data directory.
            """,
            subject: .snapshot(snapshot.id)
        )
    }

    func finish(_ digest: ContentDigest, _ writer: any CatalogWriter, _ work: JobWork) throws {
        guard var row = try writer.findSnapshot(snapshot) else { return }
        if let known = row.verification?.digest, known != digest {
            throw ServiceError(
                .damaged,
                """
                The content of '\(row.name)' is not what it was on first reading: its digest was \(known) and is \(digest). \
                Do not rely on it; check the disk below the pool '\(row.pool)'.
                """,
                subject: .snapshot(row.id)
            )
        }
        row.verification = Verification(digest: digest, verifiedAt: work.world.time.now)
        row.damage = nil
        try writer.update(row)
    }

    /// Leaves the damage on the snapshot, for everybody who looks at it later; the next verification that succeeds takes it away.
    func abandon(_ residue: Void?, because error: ServiceError, _ writer: any CatalogWriter, _ work: JobWork) throws {
        guard error.code == .damaged, var row = try writer.findSnapshot(snapshot) else { return }
        row.damage = Damage(reason: error.message, foundAt: work.world.time.now)
        try writer.update(row)
    }
}
