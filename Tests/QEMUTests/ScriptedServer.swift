import Foundation
import Glibc
import Platform

/// A peer that follows a script instead of a protocol: what no real program would send.
///
/// Serves one connection on a thread of its own. The connection and the socket are gone when ``stop()`` returns.
final class ScriptedServer: Sendable {
    enum Step: Sendable {
        case send(Data)
        case line(String)
        /// Reads exactly so many bytes, and sends what the closure makes of them.
        case receive(Int, @Sendable ([UInt8]) -> Data)
        /// Reads up to a line feed, and sends what the closure makes of the line.
        case receiveLine(@Sendable (String) -> Data)
        case close
    }

    private let listener: Int32
    private let path: String

    /// Listens at `path` and follows the script with whoever connects; then holds the connection open.
    init(_ path: String, _ script: [Step]) throws {
        self.path = path
        let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        let isBound = UnixAddress(path)?.lend { bind(listener, $0, $1) } == 0
        self.listener = listener
        guard isBound, listen(listener, 1) == 0 else { throw POSIXError(.EADDRINUSE) }
        let thread = Thread {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else { return }
            Self.follow(script, connection)
            // Until the client closes: a script that has ended is a peer that has gone silent.
            var byte: UInt8 = 0
            while recv(connection, &byte, 1, 0) > 0 {}
            close(connection)
        }
        thread.start()
    }

    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
        unlink(path)
    }

    private static func follow(_ script: [Step], _ connection: Int32) {
        for step in script {
            switch step {
            case .send(let data): send(data, connection)
            case .line(let line): send(Data((line + "\n").utf8), connection)
            case .receive(let count, let reply):
                send(reply(receive(count, connection)), connection)
            case .receiveLine(let reply):
                var line: [UInt8] = []
                while line.last != UInt8(ascii: "\n") {
                    let byte = receive(1, connection)
                    guard !byte.isEmpty else { return }
                    line += byte
                }
                send(reply(String(decoding: line.dropLast(), as: UTF8.self)), connection)
            case .close:
                shutdown(connection, Int32(SHUT_RDWR))
            }
        }
    }

    private static func send(_ data: Data, _ connection: Int32) {
        var rest = data[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    private static func receive(_ count: Int, _ connection: Int32) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let received = recv(connection, &bytes, count, Int32(MSG_WAITALL))
        return Array(bytes.prefix(max(0, received)))
    }

    /// Serves a script for as long as `body` runs.
    static func serve<T>(_ script: [Step], _ body: (String) async throws -> T) async throws -> T {
        try await withTemporaryDirectory { directory in
            let path = "\(directory)/socket"
            let server = try ScriptedServer(path, script)
            defer { server.stop() }
            return try await body(path)
        }
    }
}
