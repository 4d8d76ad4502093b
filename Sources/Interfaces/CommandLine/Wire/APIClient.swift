import Foundation
import FoundationNetworking

/// Speaks CloudMC's REST API.
///
/// One value holds the connections to one service. Every method throws ``CommandFailure``, with status `unreachable` when
/// no answer came, or `CancellationError`.
struct APIClient: Sendable {
    /// An address below the root of the API.
    struct Endpoint: Sendable, Hashable {
        /// Not yet encoded: a part may hold any character.
        var path: [String]
        var query: [String: String] = [:]
    }

    enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case delete = "DELETE"
    }

    let settings: ConnectionSettings
    let transport: HTTPTransport

    init(settings: ConnectionSettings) {
        self.settings = settings
        transport = HTTPTransport()
    }

    // MARK: Reading

    /// One resource, or whatever else the `data` of an answer is.
    func get(_ endpoint: Endpoint) async throws -> JSONValue {
        try await send(.get, endpoint)["data"]
    }

    /// A list, page by page.
    func list(_ endpoint: Endpoint, atMost limit: Int = .max) async throws -> [JSONValue] {
        var elements = [JSONValue]()
        var page = 1
        while true {
            var paged = endpoint
            paged.query["page_number"] = String(page)
            let size = min(limit, Self.pageSize)
            paged.query["page_size"] = String(size)
            let answer = try await send(.get, paged)
            let rows = answer["data"].elements
            elements += rows
            let total = answer["metadata"]["recordCount"].int64 ?? 0
            // A server without paging sends everything at once, and would do so for ever.
            guard rows.count == size, elements.count < limit, Int64(elements.count) < total else {
                return Array(elements.prefix(limit))
            }
            page += 1
        }
    }

    /// Few enough to answer at once, and enough that most lists are one page.
    static let pageSize = 500

    /// A body that is no JSON, such as a screenshot.
    ///
    /// The answer's headers come with it.
    func bytes(_ endpoint: Endpoint) async throws -> (Data, HTTPURLResponse) {
        let (data, response) = try await transport.data(for: try request(.get, endpoint))
        try Self.check(response, data)
        return (data, response)
    }

    // MARK: Changing

    /// Starts a change.
    ///
    /// When the answer is lost the request is sent again with the same `Idempotency-Key`, so that nothing is done twice.
    func change(_ method: Method, _ endpoint: Endpoint, _ body: JSONValue? = nil) async throws -> Submission {
        var request = try request(method, endpoint, body)
        request.setValue(UUID().uuidString.lowercased(), forHTTPHeaderField: "Idempotency-Key")
        for _ in 0..<Self.repetitions {
            do {
                return Submission(try await send(request))
            } catch let failure as CommandFailure where failure.mayBeDone {
                try await Task.sleep(for: .milliseconds(500))
            }
        }
        return Submission(try await send(request))
    }

    private static let repetitions = 2

    /// One request and its JSON.
    ///
    /// `waits` are seconds that the service may take to answer, when it would otherwise answer "not yet".
    func send(_ method: Method, _ endpoint: Endpoint, waits: Int? = nil) async throws -> JSONValue {
        var request = try request(method, endpoint)
        if let waits {
            request.setValue("wait=\(waits)", forHTTPHeaderField: "Prefer")
            request.timeoutInterval = HTTPTransport.silence + Double(waits)
        }
        return try await send(request)
    }

    private func send(_ request: URLRequest) async throws -> JSONValue {
        let (data, response) = try await transport.data(for: request)
        return try Self.check(response, data)
    }

    // MARK: Requests and answers

    func request(_ method: Method, _ endpoint: Endpoint, _ body: JSONValue? = nil) throws -> URLRequest {
        let path = (["api", "v2"] + endpoint.path).map(Self.encode).joined(separator: "/")
        var text = "\(settings.url.absoluteString)/\(path)"
        if !endpoint.query.isEmpty {
            let items = endpoint.query.sorted { $0.key < $1.key }
            text += "?" + items.map { "\(Self.encode($0.key))=\(Self.encode($0.value))" }.joined(separator: "&")
        }
        guard let url = URL(string: text) else {
            throw CommandFailure(.usage, "'\(text)' is not an address.")
        }
        var request = URLRequest(url: url)
        request.httpMethod = method.rawValue
        request.setValue(settings.key.value, forHTTPHeaderField: "MC-Api-Key")
        request.setValue("application/json", forHTTPHeaderField: "Accept")
        if let body {
            request.httpBody = try JSONEncoder().encode(body)
            request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        }
        return request
    }

    /// Everything but letters, digits and `-._~` is encoded, slashes and plus signs too.
    private static func encode(_ text: String) -> String {
        let unreserved = CharacterSet(
            charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
        )
        return text.addingPercentEncoding(withAllowedCharacters: unreserved) ?? ""
    }

    /// The body of a good answer as JSON; an empty one is null.
    ///
    /// - Throws: ``CommandFailure`` for every other answer.
    @discardableResult
    static func check(_ response: HTTPURLResponse, _ data: Data) throws -> JSONValue {
        let isJSON = response.value(forHTTPHeaderField: "Content-Type")?.contains("json") ?? true
        let body = isJSON && !data.isEmpty ? (try? JSONDecoder().decode(JSONValue.self, from: data)) : .null
        if (300..<400).contains(response.statusCode) {
            throw CommandFailure(
                .unreachable,
                "The service sends its callers elsewhere (status \(response.statusCode)); the key stays here.",
                remedy: response.value(forHTTPHeaderField: "Location").map {
                    "Set INSTANTA_URL to it if you trust \($0)."
                }
            )
        }
        guard (200..<300).contains(response.statusCode), body?["errors"].isNull ?? true else {
            throw CommandFailure(
                httpStatus: response.statusCode,
                body: body ?? .null,
                requestID: response.value(forHTTPHeaderField: "X-Request-Id")
            )
        }
        guard let body else {
            throw CommandFailure(.failed, "The service's answer is not JSON.", remedy: "Look at INSTANTA_URL.")
        }
        return body
    }
}

/// The answer to a change: a task, and perhaps what it has made by now.
struct Submission: Sendable {
    var answer: JSONValue

    init(_ answer: JSONValue) {
        self.answer = answer
    }

    var task: String? { answer["taskId"].string }
    var isDone: Bool { answer["taskStatus"].string == "SUCCESS" }
    var hasFailed: Bool { answer["taskStatus"].string == "FAILED" }
    /// The resource as it is now; null when the answer has none.
    var resource: JSONValue { answer["data"] }
}
