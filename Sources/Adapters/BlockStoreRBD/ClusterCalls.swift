import Ceph
import Foundation
import Glibc
import Platform
import SnapshotPorts
import Synchronization

/// Calls of one cluster, on threads of their own, over one connection that is made when it is needed.
///
/// A cluster that is silent makes each call wait for its patience. The first one that waited in vain lets the next ones fail
/// at once for some seconds, so that it cannot use up the threads, and nobody else's calls wait behind them.
final class ClusterCalls: Sendable {
    private static let rest = Duration.seconds(3)

    let address: ClusterAddress
    private let patience: ClusterPatience
    private let quick: BlockingPool
    private let heavy: BlockingPool
    private let cluster = Mutex<Cluster?>(nil)
    /// While it lies in the future, calls fail at once.
    private let restsUntil = Mutex<ContinuousClock.Instant?>(nil)

    init(_ address: ClusterAddress, patience: ClusterPatience, name: String) {
        self.address = address
        self.patience = patience
        // As many as snapshots of one machine's disks may be taken at once, and some.
        quick = BlockingPool(name: "\(name)-rbd", width: 16)
        heavy = BlockingPool(name: "\(name)-rbd-heavy", width: 3)
    }

    func close() async {
        await quick.shutdown()
        await heavy.shutdown()
        cluster.withLock { $0 = nil }
    }

    /// Runs a body with the connection.
    ///
    /// - Parameters:
    ///   - what: Completes the sentence "The pool could not …".
    ///   - isHeavy: Moves many bytes: such calls have threads of their own.
    ///   - evenCancelled: Runs `body` in a cancelled task too.
    ///   - changes: The call changes something: when it fails, the outcome is not known.
    ///   - body: The work, which blocks.
    /// - Returns: What `body` returned.
    /// - Throws: What `body` throws, as a fault of the store.
    func run<Value: Sendable>(
        _ what: String,
        isHeavy: Bool = false,
        evenCancelled: Bool = false,
        changes: Bool = false,
        _ body: @escaping @Sendable (Cluster) throws -> Value
    ) async throws(BlockStoreFault) -> Value {
        if let until = restsUntil.withLock({ $0 }), until > .now {
            throw BlockStoreFault(.unavailable, .notDone, silence(what))
        }
        let thread = isHeavy ? heavy : quick
        do {
            return try await thread.run(evenCancelled: evenCancelled) {
                let cluster = try self.connection()
                do {
                    return try body(cluster)
                } catch let fault as CephFault {
                    self.note(fault, cluster)
                    throw self.fault(fault, what, outcome: changes ? .unknown : .notDone)
                }
            }
        } catch let fault as BlockStoreFault {
            throw fault
        } catch let fault as PlatformFault where fault.code == .cancelled {
            throw BlockStoreFault(.cancelled, .notDone, "The work was cancelled before the pool could \(what).")
        } catch {
            throw BlockStoreFault(.io, changes ? .unknown : .notDone, "The pool could not \(what).", cause: "\(error)")
        }
    }

    private func connection() throws -> Cluster {
        // Others wait here while one connects: in vain or not, they need no attempt of their own.
        try cluster.withLock { current in
            if let current { return current }
            if let until = restsUntil.withLock({ $0 }), until > .now {
                throw BlockStoreFault(.unavailable, .notDone, silence("be reached"))
            }
            do throws(CephFault) {
                let fresh = try Cluster(address, patience: patience)
                current = fresh
                return fresh
            } catch {
                note(error, nil)
                throw fault(error, "be reached", outcome: .notDone)
            }
        }
    }

    private func note(_ fault: CephFault, _ used: Cluster?) {
        switch fault.errno {
        case ETIMEDOUT, ENOTCONN, EIO:
            restsUntil.withLock { $0 = .now + Self.rest }
        case ESHUTDOWN where used != nil:
            // Somebody has shut this connection out; a new one is somebody else to the cluster.
            cluster.withLock { if $0 === used { $0 = nil } }
        default: break
        }
    }

    private func silence(_ what: String) -> String {
        """
        The cluster of the pool '\(address.pool)' does not answer: the pool could not \(what). Nothing is lost. Look at \
        'ceph --conf \(address.configuration) status'; the pool is tried again by itself.
        """
    }

    private func fault(_ fault: CephFault, _ what: String, outcome: FaultOutcome) -> BlockStoreFault {
        switch fault.errno {
        case 0:
            return BlockStoreFault(.unavailable, .notDone, "The pool needs a library of Ceph's: \(fault.message).")
        case ETIMEDOUT, ENOTCONN, ESHUTDOWN:
            return BlockStoreFault(.unavailable, outcome, silence(what), cause: fault.description)
        case EACCES, EPERM:
            return BlockStoreFault(
                .unavailable,
                .notDone,
                """
                The cluster does not let client.\(address.user) do this: the pool could not \(what). Compare the key that \
                \(address.configuration) names with 'ceph auth get client.\(address.user)'; the user needs the profile 'rbd'.
                """,
                cause: fault.description
            )
        case ENOENT where fault.call.hasPrefix("reading ") || fault.call.hasPrefix("connecting "):
            return BlockStoreFault(
                .unavailable,
                .notDone,
                "'\(address.configuration)' or the keyring that it names cannot be read: the pool could not \(what).",
                cause: fault.description
            )
        case ENOENT where fault.call.hasPrefix("opening the pool"):
            return BlockStoreFault(
                .unavailable,
                .notDone,
                "The cluster has no pool '\(address.pool)'. Make it with 'ceph osd pool create' and 'rbd pool init'.",
                cause: fault.description
            )
        case ENOENT:
            return BlockStoreFault(
                .notFound,
                .notDone,
                "The pool could not \(what): it is not there.",
                cause: fault.description
            )
        case EBUSY:
            return BlockStoreFault(
                .busy,
                .notDone,
                "Another program has the image open: the pool could not \(what). Try again when it has ended.",
                cause: fault.description
            )
        case ENOSPC, EDQUOT:
            return BlockStoreFault(
                .noSpace,
                .notDone,
                "The pool '\(address.pool)' of the cluster is full: it could not \(what). Free space and try again.",
                cause: fault.description
            )
        case ECANCELED:
            return BlockStoreFault(.cancelled, .notDone, "The work was cancelled before the pool could \(what).")
        default:
            return BlockStoreFault(.io, outcome, "The pool could not \(what).", cause: fault.description)
        }
    }
}
