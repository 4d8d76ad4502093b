package import Foundation

/// Where a resource is in its life.
///
/// Which operation runs on it, or failed, belongs to the job.
///
/// There is no `busy`: the open jobs are the lock. They queue by what they work on, and a resource that some job holds is
/// busy because of that job and no longer than it. So no resource can be left busy by a crash.
package enum ResourceState: Hashable, Sendable, Codable {
    /// Its row exists, its bytes may not. Held by the job that makes it.
    case creating(JobID)
    case available
    case deleting(JobID)
    /// It could not be made, or its bytes are lost. It can only be deleted.
    case failed(reason: String)
    /// Put aside by its owner, with all its bytes, and recoverable until it is purged. Its name is free for others.
    ///
    /// Only instances and volumes can be.
    case destroyed(at: Date)

    /// The word that is stored: append-only.
    package enum Word: String, Sendable, Codable, CaseIterable {
        case creating, available, deleting, failed, destroyed

        /// Those of what is not put aside: what ordinary lists show.
        package static let ordinary = Set(allCases).subtracting([.destroyed])
    }

    package var word: Word {
        switch self {
        case .creating: .creating
        case .available: .available
        case .deleting: .deleting
        case .failed: .failed
        case .destroyed: .destroyed
        }
    }

    /// The job that holds it, if any.
    package var job: JobID? {
        switch self {
        case .creating(let job), .deleting(let job): job
        case .available, .failed, .destroyed: nil
        }
    }

    /// When it was put aside, if it is.
    package var destroyedAt: Date? {
        guard case .destroyed(let instant) = self else { return nil }
        return instant
    }

    package var failure: String? {
        guard case .failed(let reason) = self else { return nil }
        return reason
    }
}
