package import Foundation
package import SnapshotDomain

/// An image behind an address, to be brought into a file of the service.
package struct RemoteImage: Sendable {
    /// Where a caller may make the service look.
    package enum Reach: Sendable {
        /// For operators, who can look there themselves.
        case anywhere
        /// For everybody else: `https`, and only hosts whose every address is public.
        ///
        /// A name may resolve to another address when the connection is made. That is why it must be `https`: a host inside
        /// has no certificate for the name of one outside, so no byte of it can be read.
        case publicOnly
    }

    package var url: URL
    /// Where it goes.
    package var path: String
    package var limit: ByteCount
    package var reach: Reach

    package init(url: URL, path: String, limit: ByteCount, reach: Reach) {
        self.url = url
        self.path = path
        self.limit = limit
        self.reach = reach
    }

    private static let mostRedirects = 5

    /// Fetches it, following redirects that it would have fetched from itself.
    ///
    /// What was written is gone when it throws.
    ///
    /// - Throws: ``ServiceError`` with `invalidInput` for an address that is refused or answers with something else,
    ///   `limitExceeded` for an image that is too large, `unavailable` when nobody answers, `noSpace`, `cancelled`.
    package func fetch() async throws(ServiceError) {
        var address = url
        for _ in 0...Self.mostRedirects {
            try await permit(address)
            guard let next = try await FetchExchange.run(address, into: path, atMost: limit) else { return }
            address = next
        }
        throw refusal("redirects more than \(Self.mostRedirects) times")
    }

    private func permit(_ address: URL) async throws(ServiceError) {
        guard let host = address.host, !host.isEmpty, let scheme = address.scheme?.lowercased() else {
            throw refusal("leads to something that is no http or https address")
        }
        switch reach {
        case .anywhere:
            guard ["http", "https"].contains(scheme) else {
                throw refusal("leads to something that is no http or https")
            }
        case .publicOnly:
            guard scheme == "https" else { throw refusal("is not https, or leads to something that is not") }
            guard try await HostAddresses.resolve(host).isPublic else {
                throw refusal("leads to a host of a private network")
            }
        }
    }

    private func refusal(_ reason: String) -> ServiceError {
        ServiceError(
            .invalidInput,
            "The image is not fetched: its address \(reason). Use another address, or upload the image.",
            subject: .field("url")
        )
    }
}
