import Foundation
import Glibc
import Platform
import QEMU
import Synchronization

/// A guest agent's end of a channel, played by the test: one client at a time, as QEMU serves it.
final class FakeAgent: Sendable {
    /// What it does with a command.
    enum Reaction: Sendable {
        case answer(JSONValue)
        case refuse(String)
        case ignore
        /// Ends the connection.
        case hangUp
    }

    typealias Script = @Sendable (_ command: String, _ agent: FakeAgent) -> Reaction

    private struct State {
        var frozen = 0
        var commands: [String] = []
        var isClosed = false
        var client: Int32 = -1
    }

    let path: String
    private let listener: Int32
    private let script: Script
    private let state = Mutex(State())
    private let ended = Eventual<Void>()

    /// - Parameters:
    ///   - path: Where to listen.
    ///   - script: Plays the commands; by default a guest with two file systems.
    /// - Throws: When the path cannot be listened at.
    init(path: String, script: @escaping Script = FakeAgent.wellBehaved) throws {
        self.path = path
        self.script = script
        listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        let result = UnixAddress(path)?.lend { [listener] in bind(listener, $0, $1) }
        guard result == 0, listen(listener, 1) == 0 else { throw POSIXError(.EADDRINUSE) }
        let thread = Thread { self.serve() }
        thread.start()
    }

    /// Freezes two file systems, and knows whether they are.
    static let wellBehaved: Script = { command, agent in
        switch command {
        case "guest-fsfreeze-freeze": .answer(.integer(agent.setFrozen(2)))
        case "guest-fsfreeze-thaw": .answer(.integer(agent.setFrozen(0)))
        case "guest-fsfreeze-status": .answer(agent.isFrozen ? "frozen" : "thawed")
        default: .answer([:])
        }
    }

    var isFrozen: Bool { state.withLock { $0.frozen > 0 } }

    /// The commands so far, without those that only synchronise.
    var commands: [String] { state.withLock(\.commands) }

    /// Sets how many file systems are frozen; returns how many changed.
    @discardableResult
    func setFrozen(_ count: Int) -> Int64 {
        state.withLock { state in
            let changed = max(state.frozen, count)
            state.frozen = count
            return Int64(changed)
        }
    }

    /// Ends as a machine does: nobody serves the socket any more.
    func close() async {
        state.withLock { state in
            state.isClosed = true
            _ = shutdown(listener, Int32(SHUT_RDWR))
            if state.client >= 0 { _ = shutdown(state.client, Int32(SHUT_RDWR)) }
        }
        await ended.value()
    }

    private func serve() {
        while true {
            let client = accept(listener, nil, nil)
            guard client >= 0 else { break }
            let isWanted = state.withLock { state in
                state.client = client
                return !state.isClosed
            }
            if isWanted { converse(client) }
            state.withLock { state in
                state.client = -1
                _ = Glibc.close(client)
            }
        }
        _ = Glibc.close(listener)
        _ = unlink(path)
        ended.settle(())
    }

    private func converse(_ client: Int32) {
        var pending: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = read(client, &buffer, buffer.count)
            guard count > 0 else { return }
            pending += buffer[..<count]
            while let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                let line = pending[..<end].filter { $0 != 0xFF }
                pending.removeSubrange(...end)
                guard let message = try? JSONValue(parsing: Data(line)) else { continue }
                guard let reply = reply(to: message) else { return }
                _ = send(client, reply, reply.count, Int32(MSG_NOSIGNAL))
            }
        }
    }

    /// The bytes to send; nil to hang up.
    private func reply(to message: JSONValue) -> [UInt8]? {
        let command = message["execute"]?.string ?? ""
        let answer: JSONValue
        switch command {
        case "guest-sync", "guest-sync-delimited":
            answer = ["return": message["arguments"]?["id"] ?? .null]
        default:
            state.withLock { $0.commands.append(command) }
            switch script(command, self) {
            case .answer(let value): answer = ["return": value]
            case .refuse(let reason): answer = ["error": ["class": "GenericError", "desc": .string(reason)]]
            case .ignore: return []
            case .hangUp: return nil
            }
        }
        return (command == "guest-sync-delimited" ? [0xFF] : []) + Array("\(answer.text)\n".utf8)
    }
}

/// Lends an agent in a directory of its own.
func withFakeAgent<T: Sendable>(
    _ script: @escaping FakeAgent.Script = FakeAgent.wellBehaved,
    _ body: (FakeAgent) async throws -> T
) async throws -> T {
    try await withTemporaryDirectory { directory in
        let agent = try FakeAgent(path: "\(directory)/agent", script: script)
        let result: Result<T, any Error>
        do {
            result = .success(try await body(agent))
        } catch {
            result = .failure(error)
        }
        await agent.close()
        return try result.get()
    }
}
