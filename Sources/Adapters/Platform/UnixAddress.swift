package import Glibc

/// Where a Unix socket is in the file system.
package struct UnixAddress: Sendable {
    /// The longest path that fits, in bytes; its end is marked by one more.
    package static let maximumPathBytes = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1

    private let address: sockaddr_un

    /// Takes a path; nil when it is too long.
    package init?(_ path: String) {
        guard path.utf8.count <= Self.maximumPathBytes else { return nil }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        self.address = address
    }

    /// Lends the address to `bind` or `connect`, and tells what they answered.
    package func lend(to call: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                call($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
