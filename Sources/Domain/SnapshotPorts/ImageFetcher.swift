package import Foundation
package import SnapshotDomain

/// Brings images from the network into files.
///
/// ## Promises
///
/// - **Repeatable.** A call that was cut off, by an error, a cancelled task or the end of the process, can be made again with
///   the same path. It goes on where the former one stopped if the source proves that the image is still the same, and begins
///   again if not. Once the whole image is there, a repeat asks nobody.
/// - **Nothing is mixed.** The file never holds parts of two versions of an image, also after a power loss.
/// - **The caller's network stays closed.** What ``RemoteImage/reach`` does not permit is not asked, wherever a redirect
///   leads.
/// - **Bounded.** In size, time, redirects, and in how long a source may be silent.
///
/// What a call left stays until ``UploadArea/discard(_:)``.
package protocol ImageFetcher: Sendable {
    /// Fetches an image into a file that only the service can read.
    ///
    /// Cancelling the task ends it soon with code `cancelled`.
    ///
    /// - Parameters:
    ///   - image: What to fetch.
    ///   - path: A path of the ``UploadArea``, chosen once for all repeats.
    ///   - bounds: How much it may be.
    ///   - progress: Told how much is there, and of how much: zero while that is not known.
    /// - Throws: ``ImageFetchFault``.
    func fetch(
        _ image: RemoteImage,
        to path: String,
        within bounds: FetchBounds,
        progress: @escaping ProgressHandler
    ) async throws(ImageFetchFault)
}

/// An image behind an address.
package struct RemoteImage: Hashable, Sendable, Codable {
    /// Where the service may look on somebody's behalf.
    ///
    /// Stored with jobs.
    package enum Reach: String, Sendable, Codable {
        /// For operators, who can look there themselves.
        case anywhere
        /// For everybody else: `https`, and only hosts whose every address is public.
        ///
        /// A name may resolve to another address when the connection is made. That is why it must be `https`: a host inside
        /// has no certificate for the name of one outside, so no byte of it can be read.
        case publicOnly = "public_only"
    }

    package var url: URL
    package var reach: Reach

    package init(url: URL, reach: Reach) {
        self.url = url
        self.reach = reach
    }
}

/// How much a fetch may bring.
package struct FetchBounds: Hashable, Sendable {
    /// The largest image.
    package var size: ByteCount
    /// What may still be written where the file lies; what an earlier call brought does not count.
    package var room: ByteCount

    package init(size: ByteCount, room: ByteCount) {
        self.size = size
        self.room = room
    }
}
