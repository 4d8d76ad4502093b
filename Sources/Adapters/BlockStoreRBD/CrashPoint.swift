/// The moments at which the death of the service would leave something different in the cluster.
///
/// `docs/storage-design.md` says for each what is there then and what repeats the work. Tests make the work fail at every
/// one of them, and repeat it.
package enum CrashPoint: String, Sendable, CaseIterable {
    /// An image exists under its layer's name, perhaps in another size than was asked for.
    case imageMade
    /// A snapshot froze the layer, and the new one goes on, perhaps in another size than was asked for.
    case pointMade
    /// A content is written into an image that has no layer's name.
    case contentWritten
    /// The notes say what has changed; the images do not show it yet.
    case noted
    /// Nobody needs the head, and it holds no bytes of its own.
    case headFreed
    /// A snapshot that nobody needs is gone, and still noted.
    case pointRemoved
    /// An image that nobody needs has no snapshots.
    case imageEmptied
    /// An image that nobody needs is gone, and still noted.
    case imageRemoved
    /// An image reads nothing of its parent any more, and is still noted to stand on it.
    case flattened
    /// An image is larger.
    case grown
}
