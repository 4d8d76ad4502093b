package import SnapshotPorts

/// A fetcher whose calls can be made to fail.
package struct FaultyImageFetcher: ImageFetcher {
    private let real: any ImageFetcher
    private let faults: CallFaults

    package init(_ real: any ImageFetcher, _ faults: CallFaults) {
        self.real = real
        self.faults = faults
    }

    package func fetch(
        _ image: RemoteImage,
        to path: String,
        within bounds: FetchBounds,
        progress: @escaping ProgressHandler
    ) async throws(ImageFetchFault) {
        try await faults.run("images.fetch", fault: Self.fault) { () async throws(ImageFetchFault) in
            try await real.fetch(image, to: path, within: bounds, progress: progress)
        }
    }

    private static func fault(_ moment: CallFaults.Moment) -> ImageFetchFault {
        switch moment {
        case .before: ImageFetchFault(.io, .notDone, "An injected fault: the source was not reached.")
        case .after, .dying: ImageFetchFault(.io, .unknown, "An injected fault: the end of a fetch was lost.")
        }
    }
}
