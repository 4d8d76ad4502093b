import Foundation
import Platform
package import SnapshotDomain
package import SnapshotPorts

/// Images behind `http` and `https` addresses.
package struct HTTPImageFetcher: ImageFetcher {
    /// What a source may ask of our patience.
    package struct Limits: Sendable {
        /// How long a source may send less than ``leastBytes``.
        package var silence = Duration.seconds(60)
        package var leastBytes = ByteCount.kibibytes(64)
        /// How long a whole fetch may take.
        package var duration = Duration.seconds(86_400)
        package var redirects = 5
        /// How often a connection that breaks off is made again, as long as each brings something.
        package var connections = 10
        /// How much may have to be fetched again after a crash.
        package var noteEvery = ByteCount.mebibytes(64)

        package init() {}
    }

    private let limits: Limits
    private let pool = BlockingPool(name: "fetch", width: 4)

    package init(limits: Limits = Limits()) {
        self.limits = limits
    }

    package func fetch(
        _ image: RemoteImage,
        to path: String,
        within bounds: FetchBounds,
        progress: @escaping ProgressHandler
    ) async throws(ImageFetchFault) {
        let noteEvery = limits.noteEvery
        let file = try await onDisk { try PartialImage(at: path, of: image.url, noteEvery: noteEvery) }
        guard !file.isComplete else { return progress(file.length, file.length) }
        let deadline = ContinuousClock.now + limits.duration
        let first = file.length
        var rest = limits.connections
        while true {
            let before = file.length
            do {
                let left = FetchBounds(size: bounds.size, room: bounds.room - (before - first))
                try await follow(image, into: file, within: left, until: deadline, progress)
                return try await onDisk { try file.complete() }
            } catch {
                await keep(file)
                rest -= 1
                let isWorthwhile = file.isContinuable && file.length > before && rest > 0
                guard error.code == .interrupted, isWorthwhile, !Task.isCancelled else { throw error }
            }
        }
    }

    /// Asks the address, and those that it redirects to, for what is missing.
    private func follow(
        _ image: RemoteImage,
        into file: PartialImage,
        within bounds: FetchBounds,
        until deadline: ContinuousClock.Instant,
        _ progress: @escaping ProgressHandler
    ) async throws(ImageFetchFault) {
        var address = image.url
        for _ in 0...limits.redirects {
            try await permit(address, image.reach)
            let exchange = FetchExchange(into: file, within: bounds, limits: limits, progress)
            switch try await exchange.run(address, until: deadline) {
            case .complete:
                return
            case .redirected(let next):
                address = next
            case .notContinuable:
                try await onDisk { try file.restart(validator: nil, length: nil) }
            }
        }
        throw .badAddress("redirects more than \(limits.redirects) times")
    }

    private func permit(_ address: URL, _ reach: RemoteImage.Reach) async throws(ImageFetchFault) {
        guard let host = address.host, !host.isEmpty, let scheme = address.scheme?.lowercased() else {
            throw .badAddress("leads to something that is no http or https address")
        }
        switch reach {
        case .anywhere:
            guard ["http", "https"].contains(scheme) else {
                throw .badAddress("leads to something that is no http or https")
            }
        case .publicOnly:
            guard scheme == "https" else { throw .badAddress("is not https, or leads to something that is not") }
            guard try await HostAddresses.resolve(host, on: pool).isPublic else {
                throw .badAddress("leads to a host of a private network")
            }
        }
    }

    /// Makes what came so far good for a repeat, as far as that can be done now.
    private func keep(_ file: PartialImage) async {
        try? await pool.run(evenCancelled: true) { try file.keep() }
    }

    private func onDisk<Value: Sendable>(
        _ body: @escaping @Sendable () throws -> Value
    ) async throws(ImageFetchFault) -> Value {
        do {
            return try await pool.run(body)
        } catch {
            throw ImageFetchFault(error)
        }
    }
}
