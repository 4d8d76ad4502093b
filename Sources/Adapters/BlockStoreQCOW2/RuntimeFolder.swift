import Foundation
import Glibc

/// Where sockets live: a path short enough for a socket's address, which has room for 107 bytes.
struct RuntimeFolder: Sendable {
    /// What a storage daemon adds to it at most.
    private static let longest = 60

    let path: String

    init(preferred: String) {
        if preferred.utf8.count <= Self.longest {
            path = preferred
        } else {
            // Of this user alone, and the same at each start, so that leftovers are found.
            path = "/tmp/instanta-\(getuid())"
        }
    }
}
