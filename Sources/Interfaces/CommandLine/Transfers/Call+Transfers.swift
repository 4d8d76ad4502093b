import Foundation
import FoundationNetworking

/// Files that go to the service and come from it.
extension Call {
    /// Downloads bytes into a file, and checks them against what the service announced.
    ///
    /// - Returns: The number of bytes.
    /// - Throws: ``CommandFailure``; the file is then not there.
    func download(_ endpoint: APIClient.Endpoint, to path: String, overwrites: Bool, label: String) async throws
        -> Int64
    {
        var request = try client.request(.get, endpoint)
        request.setValue("application/octet-stream", forHTTPHeaderField: "Accept")
        let path = surroundings.absolute(path)
        let file = try await OwnThread.run { try PartialFile(path: path, overwrites: overwrites) }
        let digest = AnnouncedDigest()
        do {
            let exchanged = request
            let response = try await surroundings.interruptible {
                CommandFailure(.interrupted, "Stopped; nothing was left at '\(path)'.")
            } _: {
                try await StreamedExchange.download(exchanged) { data, response in
                    digest.update(data, of: response)
                    try file.append(data)
                } progress: { exchange in
                    try await showProgress(label, of: exchange, total: nil)
                }
            }
            try Self.check(file.length, against: response)
            try digest.check()
            try await OwnThread.run { try file.finish() }
            return file.length
        } catch {
            file.abandon()
            throw error
        }
    }

    /// Sends a file as the body of a change.
    func upload(_ path: String, to endpoint: APIClient.Endpoint, label: String) async throws -> Submission {
        let path = surroundings.absolute(path)
        let length = try Self.length(of: path)
        var request = try client.request(.post, endpoint)
        request.setValue("application/octet-stream", forHTTPHeaderField: "Content-Type")
        let exchanged = request
        let (response, body) = try await surroundings.interruptible {
            CommandFailure(.interrupted, "Stopped; the service drops what it had of '\(path)'.")
        } _: {
            try await StreamedExchange.upload(URL(fileURLWithPath: path), exchanged) { exchange in
                try await showProgress(label, of: exchange, total: length)
            }
        }
        return Submission(try APIClient.check(response, body))
    }

    private static func length(of path: String) throws -> Int64 {
        let attributes: [FileAttributeKey: Any]
        do {
            attributes = try FileManager.default.attributesOfItem(atPath: path)
        } catch {
            throw CommandFailure(.notFound, "'\(path)' cannot be read: there is no such file, or it may not be read.")
        }
        guard attributes[.type] as? FileAttributeType == .typeRegular, FileManager.default.isReadableFile(atPath: path),
            let length = attributes[.size] as? NSNumber
        else {
            throw CommandFailure(.usage, "'\(path)' is not a file that can be read.")
        }
        return length.int64Value
    }

    private static func check(_ length: Int64, against response: HTTPURLResponse) throws {
        guard let announced = response.value(forHTTPHeaderField: "Content-Length").flatMap({ Int64($0) }),
            announced != length
        else { return }
        throw CommandFailure(
            .failed,
            "Only \(length) of \(announced) bytes came.",
            remedy: "Export it again; if it happens again, look at the service's log."
        )
    }

    /// Shows how far a transfer is, until cancelled.
    private func showProgress(_ label: String, of exchange: StreamedExchange, total: Int64?) async throws {
        let clock = ContinuousClock()
        let start = clock.now
        var display = ProgressDisplay(surroundings)
        defer { display.clear() }
        while true {
            let seconds = (clock.now - start) / .seconds(1)
            display.show(
                .transfer(label, done: exchange.doneBytes, total: total ?? exchange.announcedBytes, seconds: seconds)
            )
            try await Task.sleep(for: .milliseconds(100))
        }
    }
}

extension ProgressLine {
    /// A transfer at its mean rate.
    static func transfer(_ label: String, done: Int64, total: Int64?, seconds: Double) -> ProgressLine {
        var line = ProgressLine(label: label, elapsedSeconds: seconds)
        line.doneBytes = done
        line.totalBytes = total
        guard seconds > 0, done > 0 else { return line }
        let rate = Double(done) / seconds
        line.bytesPerSecond = Int64(rate)
        line.remainingSeconds = total.map { Int((Double(max(0, $0 - done)) / rate).rounded()) }
        return line
    }
}

extension Surroundings {
    /// A path of the command line as one from the root.
    func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : "\(directory)/\(path)"
    }
}
