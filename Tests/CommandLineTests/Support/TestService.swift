import Foundation
import Glibc
import Synchronization

@testable import CommandLine

/// A small HTTP server on loopback, for what the real service cannot be made to do: wrong answers, cut bodies, silence.
final class TestService: Sendable {
    struct Request: Sendable {
        var method: String
        var path: String
        var query: [String: String]
        /// Names in lower case.
        var headers: [String: String]
        var body: Data

        var json: JSONValue {
            (try? JSONDecoder().decode(JSONValue.self, from: body)) ?? .null
        }

        /// Method and path, as routes are written.
        var route: String { "\(method) \(path)" }
    }

    struct Response: Sendable {
        var status = 200
        var headers: [String: String] = ["Content-Type": "application/json"]
        var body = Data()
        /// What `Content-Length` says, when it is not the truth.
        var announcedLength: Int?

        /// The connection ends without an answer.
        static let none = Response(status: 0)

        static func json(_ value: JSONValue, status: Int = 200) -> Response {
            Response(status: status, body: Data(JSONText.json(value).utf8))
        }

        static func data(_ value: JSONValue) -> Response {
            .json(["data": value])
        }

        static func list(_ values: [JSONValue]) -> Response {
            .json(["data": .list(values), "metadata": ["recordCount": .integer(Int64(values.count))]])
        }

        static func error(_ status: Int, _ reason: String, _ message: String) -> Response {
            .json(["errors": [["reason": .text(reason), "message": .text(message)]]], status: status)
        }
    }

    typealias Handler = @Sendable (Request) -> Response

    private let listener: Int32
    private let handler: Handler
    private let received = Mutex<[Request]>([])
    let port: UInt16

    var url: String { "http://127.0.0.1:\(port)" }

    /// All requests until now, in the order in which they came.
    var requests: [Request] {
        received.withLock { $0 }
    }

    private init(_ handler: @escaping Handler) throws {
        self.handler = handler
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr = in_addr(s_addr: inet_addr("127.0.0.1"))
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(listener, pointer, length) == 0 && listen(listener, 64) == 0
                    && getsockname(listener, pointer, &length) == 0
            }
        }
        guard listener >= 0, isBound else { throw POSIXError(.EADDRNOTAVAIL) }
        port = UInt16(bigEndian: address.sin_port)
    }

    /// Runs a body beside a service, which is gone afterwards.
    static func with<Value>(
        _ handler: @escaping Handler,
        _ body: (TestService) async throws -> Value
    ) async throws -> Value {
        let service = try TestService(handler)
        Thread.detachNewThread { service.accept() }
        defer { shutdown(service.listener, Int32(SHUT_RDWR)) }
        return try await body(service)
    }

    /// A service that knows these routes, and finds nothing anywhere else.
    static func with<Value>(
        routes: [String: Response],
        _ body: (TestService) async throws -> Value
    ) async throws -> Value {
        try await with(
            { request in
                routes[request.route] ?? .error(404, "not_found", "Nothing is at \(request.route).")
            },
            body
        )
    }

    private func accept() {
        while true {
            let connection = Glibc.accept(listener, nil, nil)
            guard connection >= 0 else { break }
            Thread.detachNewThread {
                self.serve(connection)
                close(connection)
            }
        }
        close(listener)
    }

    private func serve(_ connection: Int32) {
        guard let request = read(from: connection) else { return }
        received.withLock { $0.append(request) }
        let response = handler(request)
        guard response.status != Response.none.status else { return }
        var head = "HTTP/1.1 \(response.status) X\r\nConnection: close\r\n"
        head += "Content-Length: \(response.announcedLength ?? response.body.count)\r\n"
        for (name, value) in response.headers { head += "\(name): \(value)\r\n" }
        write(Data("\(head)\r\n".utf8) + response.body, to: connection)
        shutdown(connection, Int32(SHUT_WR))
    }

    private func write(_ data: Data, to connection: Int32) {
        data.withUnsafeBytes { (bytes: UnsafeRawBufferPointer) in
            var rest = bytes
            while !rest.isEmpty {
                let count = send(connection, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
                guard count > 0 else { return }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
        }
    }

    private func read(from connection: Int32) -> Request? {
        var received = Data()
        let end = Data("\r\n\r\n".utf8)
        var headEnd = received.range(of: end)
        while headEnd == nil {
            guard receive(from: connection, into: &received) else { return nil }
            headEnd = received.range(of: end)
        }
        guard let headEnd else { return nil }
        var lines = String(decoding: received[..<headEnd.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        let start = lines.removeFirst().split(separator: " ")
        guard start.count == 3, let target = URLComponents(string: String(start[1])) else { return nil }
        var headers = [String: String]()
        for line in lines {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
        }
        if headers["expect"] != nil { write(Data("HTTP/1.1 100 Continue\r\n\r\n".utf8), to: connection) }
        var body = Data(received[headEnd.upperBound...])
        let length = headers["content-length"].flatMap { Int($0) } ?? 0
        while body.count < length {
            guard receive(from: connection, into: &body) else { return nil }
        }
        let items = target.queryItems ?? []
        return Request(
            method: String(start[0]),
            path: target.path,
            query: Dictionary(items.map { ($0.name, $0.value ?? "") }) { first, _ in first },
            headers: headers,
            body: body
        )
    }

    private func receive(from connection: Int32, into data: inout Data) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        let count = recv(connection, &buffer, buffer.count, 0)
        guard count > 0 else { return false }
        data.append(contentsOf: buffer[..<count])
        return true
    }
}
