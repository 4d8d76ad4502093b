import Foundation
import FoundationNetworking

/// Requests over HTTP, for answers that fit in memory.
///
/// No cookies, no cache, and no following of redirects: the key in the header is for one service only.
final class HTTPTransport: Sendable {
    /// Seconds without a byte before an answer counts as lost.
    ///
    /// Calls answer at once, since work goes on in tasks.
    static let silence = 60.0

    private let connections: URLSession

    init() {
        connections = URLSession(configuration: Self.configuration, delegate: RedirectRefusal(), delegateQueue: nil)
    }

    deinit {
        connections.finishTasksAndInvalidate()
    }

    static var configuration: URLSessionConfiguration {
        let configuration = URLSessionConfiguration.ephemeral
        configuration.httpShouldSetCookies = false
        configuration.urlCache = nil
        configuration.timeoutIntervalForRequest = silence
        return configuration
    }

    /// - Throws: ``CommandFailure`` with status `unreachable` when no answer came, or `CancellationError`.
    func data(for request: URLRequest) async throws -> (Data, HTTPURLResponse) {
        let (data, response): (Data, URLResponse)
        do {
            (data, response) = try await connections.data(for: request)
        } catch {
            throw Self.failure(error, for: request)
        }
        guard let answer = response as? HTTPURLResponse else {
            throw CommandFailure(.unreachable, "What answers at \(Self.address(of: request)) does not speak HTTP.")
        }
        return (data, answer)
    }

    /// What a person should know about a request without an answer.
    static func failure(_ error: any Error, for request: URLRequest) -> any Error {
        guard let error = error as? URLError else { return error }
        let address = address(of: request)
        switch error.code {
        case .cancelled:
            return CancellationError()
        case .timedOut:
            return CommandFailure(
                .unreachable,
                "The service at \(address) did not answer in time.",
                remedy: "Try again; if it stays silent, look at its log."
            )
        case .networkConnectionLost, .badServerResponse, .cannotParseResponse:
            var failure = CommandFailure(
                .unreachable,
                "The service at \(address) broke off before its answer was there.",
                remedy: "What was asked for may have been done: look at 'instanta task list' before you ask again."
            )
            failure.mayBeDone = true
            return failure
        case .serverCertificateUntrusted, .serverCertificateHasBadDate, .serverCertificateHasUnknownRoot,
            .serverCertificateNotYetValid, .secureConnectionFailed, .clientCertificateRejected:
            return CommandFailure(
                .unreachable,
                "The identity of the service at \(address) cannot be confirmed: \(error.localizedDescription)",
                remedy: "Its certificate must be valid and trusted on this machine."
            )
        default:
            return CommandFailure(
                .unreachable,
                "The service at \(address) cannot be reached: \(error.localizedDescription)",
                remedy: "Start it with 'instanta serve' or 'make run', or name another one with INSTANTA_URL."
            )
        }
    }

    private static func address(of request: URLRequest) -> String {
        guard let url = request.url, let host = url.host else { return "this address" }
        return "\(url.scheme ?? "http")://\(host)\(url.port.map { ":\($0)" } ?? "")"
    }
}

/// Hands redirects to the caller as they are.
class RedirectRefusal: NSObject, URLSessionTaskDelegate, @unchecked Sendable {
    func urlSession(
        _ session: URLSession,
        task: URLSessionTask,
        willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest,
        completionHandler: @escaping (URLRequest?) -> Void
    ) {
        completionHandler(nil)
    }
}
