import Glibc
import Platform
import SnapshotPorts

/// The network addresses that a host's name stands for.
struct HostAddresses: Sendable {
    /// In network byte order: 4 bytes or 16.
    let addresses: [[UInt8]]

    /// Every address can be reached by anybody on the internet: none is of this host or of its networks.
    var isPublic: Bool {
        !addresses.isEmpty && addresses.allSatisfy(Self.isPublic)
    }

    /// Asks the system's resolver.
    static func resolve(_ host: String, on pool: BlockingPool) async throws(ImageFetchFault) -> HostAddresses {
        do {
            return try await pool.run { try HostAddresses(resolving: host) }
        } catch {
            throw ImageFetchFault(error)
        }
    }

    init(addresses: [[UInt8]]) {
        self.addresses = addresses
    }

    private init(resolving host: String) throws {
        // `URL` keeps the brackets of an IPv6 address, the resolver does not want them.
        let name = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let result = getaddrinfo(name, nil, &hints, &list)
        guard result != EAI_AGAIN else {
            throw ImageFetchFault(
                .unreachable,
                .notDone,
                "The host '\(name)' cannot be looked up now. Try again later, or upload the image."
            )
        }
        guard result == 0 else {
            throw ImageFetchFault(.badAddress, .notDone, "There is no host '\(name)'; check the address.")
        }
        defer { freeaddrinfo(list) }
        addresses = sequence(first: list) { $0?.pointee.ai_next }
            .prefix { $0 != nil }
            .compactMap { $0.flatMap { Self.bytes($0.pointee) } }
    }

    private static func bytes(_ info: addrinfo) -> [UInt8]? {
        guard let address = UnsafeRawPointer(info.ai_addr) else { return nil }
        switch info.ai_family {
        case AF_INET:
            return withUnsafeBytes(of: address.loadUnaligned(as: sockaddr_in.self).sin_addr) { Array($0) }
        case AF_INET6:
            return withUnsafeBytes(of: address.loadUnaligned(as: sockaddr_in6.self).sin6_addr) { Array($0) }
        default:
            return nil
        }
    }

    /// After the IANA registries of special-purpose addresses.
    static func isPublic(_ address: [UInt8]) -> Bool {
        let reserved = address.count == 4 ? reservedV4 : reservedV6
        guard address.count == 4 || (address.count == 16 && address[0] & 0xE0 == 0x20) else { return false }
        return !reserved.contains { prefix, length in matches(address, prefix, length) }
    }

    private static let reservedV4: [([UInt8], Int)] = [
        ([0], 8), ([10], 8), ([100, 64], 10), ([127], 8), ([169, 254], 16), ([172, 16], 12), ([192, 0, 0], 24),
        ([192, 0, 2], 24), ([192, 88, 99], 24), ([192, 168], 16), ([198, 18], 15), ([198, 51, 100], 24),
        ([203, 0, 113], 24), ([224], 4), ([240], 4),
    ]

    /// Within 2000::/3, which alone is handed out: protocol assignments, documentation, 6to4.
    private static let reservedV6: [([UInt8], Int)] = [
        ([0x20, 0x01, 0x00, 0x00], 23), ([0x20, 0x01, 0x0D, 0xB8], 32), ([0x20, 0x02], 16), ([0x3F, 0xFF, 0x00], 20),
    ]

    private static func matches(_ address: [UInt8], _ prefix: [UInt8], _ length: Int) -> Bool {
        prefix.indices.allSatisfy { index in
            let bits = min(8, length - index * 8)
            let mask = UInt8(truncatingIfNeeded: 0xFF << (8 - bits))
            return bits <= 0 || address[index] & mask == prefix[index] & mask
        }
    }
}
