import Foundation
import Glibc
import Platform
import QEMU

/// One kept connection to the service, with as little of its own time as possible.
///
/// It knows of HTTP/1.1 what the service's answers need: a status, headers, and a body of a declared length.
final class HTTPClient: Sendable {
    struct Answer: Sendable {
        var status: Int
        var body: Data
        /// What `Set-Cookie` lines ask to be sent from now on, as `Cookie` has it.
        var cookies: String

        /// Takes longer than many an answer does: not for what is being timed.
        var json: JSONValue { get throws { try JSONValue(parsing: body) } }

        func contains(_ text: String) -> Bool { body.range(of: Data(text.utf8)) != nil }
    }

    private let port: Int
    private let headers: String
    private let socket: Int32
    private let thread = BlockingPool(name: "http", width: 1)

    convenience init(port: Int, key: String) throws {
        try self.init(port: port, ["MC-Api-Key": key])
    }

    /// - Parameters:
    ///   - port: Where the service listens, on the loopback interface.
    ///   - others: Headers of every request.
    /// - Throws: ``BenchFault`` when nobody listens there.
    init(port: Int, _ others: [String: String]) throws {
        self.port = port
        headers = (["Host: 127.0.0.1:\(port)"] + others.map { "\($0): \($1)" }).map { $0 + "\r\n" }.joined()
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else {
            close(socket)
            throw BenchFault("nobody listens on port \(port)")
        }
        var yes: Int32 = 1
        setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
    }

    deinit { close(socket) }

    /// Sends a request and waits for its answer.
    func send(
        _ method: String,
        _ path: String,
        _ body: JSONValue? = nil,
        waits: Int? = nil
    ) async throws -> Answer {
        var head = "\(method) \(path) HTTP/1.1\r\n\(headers)"
        if let waits { head += "Prefer: wait=\(waits)\r\n" }
        let content = Data((body?.text ?? "").utf8)
        if method != "GET" { head += "Content-Type: application/json\r\nContent-Length: \(content.count)\r\n" }
        return try await send(head, content)
    }

    /// Sends a form, whose fields are encoded already.
    func send(form: String, to path: String) async throws -> Answer {
        try await send(
            """
            POST \(path) HTTP/1.1\r
            \(headers)Content-Type: application/x-www-form-urlencoded\r
            Content-Length: \(form.utf8.count)\r

            """,
            Data(form.utf8)
        )
    }

    private func send(_ head: String, _ content: Data) async throws -> Answer {
        let request = Data("\(head)\r\n".utf8) + content
        return try await thread.run { [socket] in
            try Self.write(request, to: socket)
            return try Self.readAnswer(from: socket)
        }
    }

    private static func write(_ request: Data, to socket: Int32) throws {
        let count = request.withUnsafeBytes {
            Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        guard count == request.count else { throw BenchFault("the service closed the connection") }
    }

    private static func readAnswer(from socket: Int32) throws -> Answer {
        var received = Data()
        let end = Data("\r\n\r\n".utf8)
        while true {
            if let head = received.range(of: end) {
                let lines = String(decoding: received[..<head.lowerBound], as: UTF8.self).components(
                    separatedBy: "\r\n"
                )
                let status = lines[0].split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
                let cookies = lines.filter { $0.lowercased().hasPrefix("set-cookie:") }.compactMap { line in
                    line.dropFirst("set-cookie:".count).split(separator: ";").first?.trimmingCharacters(
                        in: .whitespaces
                    )
                }
                let length = lines.lazy.compactMap { line -> Int? in
                    let parts = line.split(separator: ":", maxSplits: 1)
                    guard parts.count == 2, parts[0].lowercased() == "content-length" else { return nil }
                    return Int(parts[1].trimmingCharacters(in: .whitespaces))
                }.first
                guard let length else { throw BenchFault("an answer without a length: \(lines[0])") }
                while received.count < head.upperBound + length { received += try read(from: socket) }
                return Answer(
                    status: status,
                    body: received.subdata(in: head.upperBound..<head.upperBound + length),
                    cookies: cookies.joined(separator: "; ")
                )
            }
            received += try read(from: socket)
        }
    }

    private static func read(from socket: Int32) throws -> Data {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let count = recv(socket, &buffer, buffer.count, 0)
        guard count > 0 else { throw BenchFault("the service closed the connection") }
        return Data(buffer[..<count])
    }
}

/// Why something could not be measured.
struct BenchFault: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
