package import Foundation
import Glibc
import Platform
import Synchronization

/// An HTTP server on the loopback that serves images, and misbehaves as it is told.
///
/// Every connection has a thread of its own and takes one request.
package final class ImageServer: Sendable {
    package struct Request: Sendable {
        package var path: String
        /// By names in lower case.
        package var headers: [String: String]

        /// The first byte that is asked for.
        package var start: Int? {
            headers["range"].flatMap { $0.wholeMatch(of: /bytes=(\d+)-/) }.flatMap { Int($0.1) }
        }
    }

    package struct Answer: Sendable {
        package enum Ending: Sendable {
            case whole
            /// Closes the connection after so many bytes of the body.
            case broken(after: Int)
            /// Sends no more after so many bytes of the body, and keeps the connection.
            case silent(after: Int)
            /// Sends nothing at all, and keeps the connection.
            case mute
        }

        package var status: Int
        package var headers: [String: String]
        package var body: Data
        package var ending = Ending.whole

        package init(_ status: Int, _ headers: [String: String] = [:], body: Data = Data(), ending: Ending = .whole) {
            self.status = status
            self.headers = headers
            self.body = body
            self.ending = ending
        }

        /// An image, or the part that is asked for if it is still that version.
        package static func image(
            _ content: Data,
            version: String? = nil,
            for request: Request,
            ending: Ending = .whole
        ) -> Answer {
            var answer = Answer(200, ["Content-Type": "application/octet-stream"], body: content, ending: ending)
            guard let version else { return answer }
            answer.headers["ETag"] = "\"\(version)\""
            let isSame = request.headers["if-range"] == answer.headers["ETag"]
            guard let start = request.start, start < content.count, isSame else { return answer }
            answer.status = 206
            answer.headers["Content-Range"] = "bytes \(start)-\(content.count - 1)/\(content.count)"
            answer.body = Data(content[(content.startIndex + start)...])
            return answer
        }
    }

    package typealias Handler = @Sendable (Request) -> Answer

    private struct State {
        var requests: [Request] = []
        var connections: Set<Int32> = []
        var isStopped = false
    }

    private let handler: Handler
    private let listener: Int32
    package let port: Int
    private let state = Mutex(State())

    /// Lends a server, and ends it afterwards.
    package static func run<Value>(
        _ handler: @escaping Handler,
        _ body: (ImageServer) async throws -> Value
    ) async throws -> Value {
        let server = try start(handler)
        defer { server.stop() }
        return try await body(server)
    }

    /// Serves until it is stopped.
    package static func start(_ handler: @escaping Handler) throws -> ImageServer {
        let server = try ImageServer(handler)
        let thread = Thread { server.accept() }
        thread.start()
        return server
    }

    private init(_ handler: @escaping Handler) throws {
        self.handler = handler
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
                bind(listener, name, length) == 0 && listen(listener, 16) == 0
                    && getsockname(listener, name, &length) == 0
            }
        }
        self.listener = listener
        port = Int(UInt16(bigEndian: address.sin_port))
        guard result else { throw CocoaError(.fileReadUnknown) }
    }

    package func url(_ path: String = "/image") -> URL {
        var components = URLComponents()
        components.scheme = "http"
        components.host = "127.0.0.1"
        components.port = port
        components.path = path
        return components.url ?? URL(filePath: path)
    }

    /// What was asked for, in its order.
    package var requests: [Request] { state.withLock(\.requests) }

    package func stop() {
        let connections = state.withLock { state in
            state.isStopped = true
            return state.connections
        }
        // Wakes the threads that wait on them, which close them.
        for connection in connections { shutdown(connection, Int32(SHUT_RDWR)) }
        shutdown(listener, Int32(SHUT_RDWR))
    }

    private func accept() {
        defer { close(listener) }
        while true {
            let connection = Glibc.accept(listener, nil, nil)
            guard connection >= 0 else { return }
            let isWelcome = state.withLock { state in
                guard !state.isStopped else { return false }
                state.connections.insert(connection)
                return true
            }
            guard isWelcome else {
                close(connection)
                continue
            }
            let thread = Thread {
                self.serve(connection)
                self.state.withLock { _ = $0.connections.remove(connection) }
                close(connection)
            }
            thread.start()
        }
    }

    private func serve(_ connection: Int32) {
        guard let request = Self.read(connection) else { return }
        state.withLock { $0.requests.append(request) }
        let answer = handler(request)
        if case .mute = answer.ending { return Self.waitForEnd(connection) }
        var head = "HTTP/1.1 \(answer.status) Status\r\nConnection: close\r\n"
        var headers = answer.headers
        if headers["Content-Length"] == nil { headers["Content-Length"] = "\(answer.body.count)" }
        // Without a length the end of the connection ends the body.
        for (name, value) in headers where !value.isEmpty { head += "\(name): \(value)\r\n" }
        guard Self.write(Data((head + "\r\n").utf8), connection) else { return }
        switch answer.ending {
        case .whole:
            _ = Self.write(answer.body, connection)
        case .broken(let count):
            _ = Self.write(answer.body.prefix(count), connection)
        case .silent(let count):
            _ = Self.write(answer.body.prefix(count), connection)
            Self.waitForEnd(connection)
        case .mute:
            break
        }
    }

    /// Until the client gives up, or the test ends.
    private static func waitForEnd(_ connection: Int32) {
        var byte: UInt8 = 0
        while recv(connection, &byte, 1, 0) > 0 {}
    }

    private static func read(_ connection: Int32) -> Request? {
        var text = ""
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while !text.contains("\r\n\r\n") {
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return nil }
            text += String(decoding: buffer.prefix(count), as: UTF8.self)
        }
        let lines = text.split(separator: "\r\n")
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count == 3 else { return nil }
        let pairs = lines.dropFirst().compactMap { line -> (String, String)? in
            guard let colon = line.firstIndex(of: ":") else { return nil }
            let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            return (line[..<colon].lowercased(), value)
        }
        return Request(path: String(words[1]), headers: Dictionary(pairs, uniquingKeysWith: { $1 }))
    }

    private static func write(_ data: Data, _ connection: Int32) -> Bool {
        data.withUnsafeBytes { (bytes: UnsafeRawBufferPointer) in
            var rest = bytes[...]
            while !rest.isEmpty {
                let piece = UnsafeRawBufferPointer(rebasing: rest)
                let count = send(connection, piece.baseAddress, piece.count, Int32(MSG_NOSIGNAL))
                guard count > 0 else { return false }
                rest = rest.dropFirst(count)
            }
            return true
        }
    }
}
