import Foundation
import Glibc
import NIOPosix
import Platform
import Testing

@testable import QEMU

@Suite("Monitor protocol, with a real QEMU")
struct QMPClientTests {
    @Test("connects and carries out commands")
    func commands() async throws {
        try await Machine.run { machine in
            #expect(machine.client.version.split(separator: ".").count == 3)
            let version = try await machine.client.execute("query-version")
            #expect(
                version["qemu"]?["major"]?.integer.map { "\($0)" }
                    == machine.client.version.split(separator: ".").first.map(String.init)
            )
            let status = try await machine.client.execute("query-status")
            #expect(status["running"] == false)
        }
    }

    @Test("gives each of many concurrent commands its own answer")
    func concurrent() async throws {
        try await Machine.run { machine in
            for number in 0..<20 {
                try await machine.client.execute(
                    "object-add",
                    [
                        "qom-type": "throttle-group", "id": "t\(number)",
                        "limits": ["iops-total": .integer(Int64(number))],
                    ]
                )
            }
            try await withThrowingTaskGroup(of: (Int64, Int64?).self) { group in
                for number in 0..<200 {
                    let expected = Int64(number % 20)
                    group.addTask {
                        let path = JSONValue.string("/objects/t\(expected)")
                        let limits = try await machine.client.execute("qom-get", ["path": path, "property": "limits"])
                        return (expected, limits["iops-total"]?.integer)
                    }
                }
                for try await (expected, answered) in group { #expect(answered == expected) }
            }
        }
    }

    @Test("tells a refusal with its class and words, and that nothing was done")
    func refused() async throws {
        try await Machine.run { machine in
            let unknown = try await fault { try await machine.client.execute("no-such-command") }
            #expect(unknown.code == .refused("CommandNotFound"))
            #expect(unknown.outcome == .notDone)
            let missing = try await fault { try await machine.client.execute("blockdev-del", ["node-name": "none"]) }
            #expect(missing.code == .refused("GenericError"))
            #expect(missing.message == "blockdev-del was refused: Failed to find node with node-name='none'")
        }
    }

    @Test("gives every reader the events of a command sent after it began to read")
    func events() async throws {
        try await Machine.run { machine in
            let readers = (0..<3).map { _ in machine.client.events() }
            try await machine.client.execute("cont")
            try await machine.client.execute("stop")
            for reader in readers {
                var iterator = reader.makeAsyncIterator()
                #expect(await iterator.next()?.name == "RESUME")
                #expect(await iterator.next()?.name == "STOP")
            }
        }
    }

    @Test("ends the events when the program ends")
    func eventsEnd() async throws {
        try await Machine.run { machine in
            let events = machine.client.events()
            machine.process.signal(SIGKILL)
            for await _ in events {}
            #expect(await machine.client.closed.value().code == .closed)
            for await _ in machine.client.events() {}
        }
    }

    @Test("a program killed during a command leaves its outcome unknown, and later commands undone")
    func killed() async throws {
        try await Machine.run { machine in
            // A stopped program has the command in its socket and cannot answer.
            machine.process.signal(SIGSTOP)
            let underWay = Task { try await machine.client.execute("query-status") }
            try await until("the command is sent") { machine.client.commandsUnderWay == 1 }
            machine.process.signal(SIGKILL)
            let lost = try await fault { _ = try await underWay.value }
            #expect(lost.code == .closed)
            #expect(lost.outcome == .unknown)
            let late = try await fault { try await machine.client.execute("query-status") }
            #expect(late.code == .closed)
            #expect(late.outcome == .notDone)
        }
    }

    @Test("a command that is not answered in time has an unknown outcome, and its late answer confuses nobody")
    func timeout() async throws {
        try await Machine.run { machine in
            machine.process.signal(SIGSTOP)
            let fault = try await fault { try await machine.client.execute("query-status", timeout: .milliseconds(10)) }
            #expect(fault.code == .timedOut)
            #expect(fault.outcome == .unknown)
            machine.process.signal(SIGCONT)
            let version = try await machine.client.execute("query-version")
            #expect(version["qemu"] != nil)
        }
    }

    @Test("a cancelled command stops waiting")
    func cancelled() async throws {
        try await Machine.run { machine in
            machine.process.signal(SIGSTOP)
            let underWay = Task { try await machine.client.execute("query-status", timeout: .seconds(3600)) }
            try await until("the command is sent") { machine.client.commandsUnderWay == 1 }
            underWay.cancel()
            let fault = try await fault { _ = try await underWay.value }
            #expect(fault.code == .cancelled)
            #expect(fault.outcome == .unknown)
        }
    }

    @Test("a second client is told that the monitor is in use, and gets it after the first has left")
    func secondClient() async throws {
        try await Machine.run { machine in
            let fault = try await fault {
                _ = try await QMPClient.connect(machine.socket, group: Shared.group, timeout: .milliseconds(100))
            }
            #expect(fault.code == .timedOut)
            #expect(fault.outcome == .notDone)
            machine.client.close()
            _ = await machine.client.closed.value()
            let second = try await Machine.connect(machine.socket)
            let status = try await second.execute("query-status")
            #expect(status["running"] == false)
            second.close()
        }
    }

    @Test("a socket that nobody serves is unreachable")
    func unreachable() async throws {
        try await withTemporaryDirectory { directory in
            for path in ["\(directory)/none", "\(directory)/\(String(repeating: "long", count: 40))"] {
                let fault = try await fault { _ = try await QMPClient.connect(path, group: Shared.group) }
                #expect(fault.code == .unreachable)
                #expect(fault.outcome == .notDone)
            }
        }
    }
}

@Suite("Monitor protocol, with a peer that breaks it")
struct QMPViolationTests {
    private static let greeting =
        #"{"QMP": {"version": {"qemu": {"micro": 3, "minor": 2, "major": 1}}, "capabilities": []}}"#
    private static let accept = ScriptedServer.Step.receiveLine { answer($0, #"{}"#) }

    /// A reply that carries the id of the command.
    private static func answer(_ command: String, _ value: String) -> Data {
        let id = (try? JSONValue(parsing: Data(command.utf8)))?["id"]?.text ?? "0"
        return Data("{\"return\": \(value), \"id\": \(id)}\n".utf8)
    }

    @Test(
        "a greeting that makes no sense is a violation",
        arguments: [
            "garbage", "[]", "{\"half\": ", "{}", "\u{0}\u{1}", #"{"error": {"class": "GenericError", "desc": "no"}}"#,
        ]
    )
    func badGreeting(_ line: String) async throws {
        try await ScriptedServer.serve([.line(line)]) { path in
            let fault = try await fault { _ = try await QMPClient.connect(path, group: Shared.group) }
            #expect(fault.code == .protocolViolation)
            #expect(fault.outcome == .notDone)
        }
    }

    @Test("a peer that hangs up before the greeting has closed")
    func hangsUp() async throws {
        try await ScriptedServer.serve([.close]) { path in
            let fault = try await fault { _ = try await QMPClient.connect(path, group: Shared.group) }
            #expect(fault.code == .closed)
            #expect(fault.outcome == .notDone)
        }
    }

    @Test("understands lines that come in pieces, with events in between")
    func pieces() async throws {
        let script: [ScriptedServer.Step] = [
            .send(Data(Self.greeting.utf8.prefix(20))), .send(Data(Self.greeting.utf8.dropFirst(20))), .line("\r"),
            Self.accept,
            .receiveLine { command in
                let event = #"{"event": "ODD", "data": {"n": 1}, "timestamp": {"seconds": 5, "microseconds": 500000}}"#
                return Data("\(event)\r\n".utf8) + Self.answer(command, #""first""#)
            },
            .receiveLine { Self.answer("{\"id\": 4711}", #""nobody asked""#) + Self.answer($0, #""second""#) },
        ]
        try await ScriptedServer.serve(script) { path in
            let client = try await QMPClient.connect(path, group: Shared.group)
            #expect(client.version == "1.2.3")
            var events = client.events().makeAsyncIterator()
            #expect(try await client.execute("one") == "first")
            #expect(try await client.execute("two") == "second")
            let event = await events.next()
            #expect(event == QMPEvent(name: "ODD", data: ["n": 1], occurredAt: Date(timeIntervalSince1970: 5.5)))
            client.close()
        }
    }

    @Test("garbage instead of an answer leaves the outcome unknown and ends the connection")
    func garbageAnswer() async throws {
        let script: [ScriptedServer.Step] = [
            .line(Self.greeting), Self.accept, .receiveLine { _ in Data("garbage\n".utf8) },
        ]
        try await ScriptedServer.serve(script) { path in
            let client = try await QMPClient.connect(path, group: Shared.group)
            let fault = try await fault { try await client.execute("anything") }
            #expect(fault.code == .protocolViolation)
            #expect(fault.outcome == .unknown)
            #expect(await client.closed.value().code == .protocolViolation)
        }
    }

    @Test("a line that never ends is cut off", arguments: [true, false])
    func longLine(_ hasEnd: Bool) async throws {
        let long = Data(String(repeating: "x", count: 100_000).utf8) + Data((hasEnd ? "\n" : "").utf8)
        let script: [ScriptedServer.Step] = [.line(Self.greeting), Self.accept, .receiveLine { _ in long }]
        try await ScriptedServer.serve(script) { path in
            let client = try await QMPClient.connect(path, group: Shared.group, maximumLineBytes: 10_000)
            let fault = try await fault { try await client.execute("anything") }
            #expect(fault.code == .protocolViolation)
            #expect(fault.outcome == .unknown)
            #expect(fault.message.contains("more than 10000 bytes"))
        }
    }
}
