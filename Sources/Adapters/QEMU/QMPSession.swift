import Foundation
import Logging
import Platform
import Synchronization

/// What a monitor connection knows: who waits for which reply, and who listens to events.
final class QMPSession: Sendable {
    typealias Reply = Eventual<Result<JSONValue, QMPFault>>

    private struct Observer {
        let onEvent: @Sendable (QMPEvent) -> Void
        let onEnd: @Sendable () -> Void
    }

    private struct State {
        var nextID = 1
        var waiting: [Int: (command: String, reply: Reply)] = [:]
        var observers: [Int: Observer] = [:]
        var close: (@Sendable () -> Void)?
        /// Set at the first line that makes no sense; the connection is being closed.
        var violation: QMPFault?
        var end: QMPFault?
    }

    let logger: Logger
    /// The program's version, or why there was no greeting.
    let greeting = Eventual<Result<String, QMPFault>>()
    let closed = Eventual<QMPFault>()
    private let path: String
    private let state = Mutex(State())

    init(path: String, logger: Logger) {
        self.path = path
        self.logger = logger
    }

    /// Sets what ends the connection when the peer breaks the protocol, and calls it if that happened already.
    func onViolation(_ close: @escaping @Sendable () -> Void) {
        let isBroken = state.withLock { state in
            state.close = close
            return state.violation != nil
        }
        if isBroken { close() }
    }

    func expectReply(to command: String) throws(QMPFault) -> (id: Int, reply: Reply) {
        let result: Result<(Int, Reply), QMPFault> = state.withLock { state in
            if let end = state.end ?? state.violation {
                return .failure(QMPFault(end.code, outcome: .notDone, "cannot send \(command): \(end.message)"))
            }
            let id = state.nextID
            let reply = Reply()
            state.nextID += 1
            state.waiting[id] = (command, reply)
            return .success((id, reply))
        }
        return try result.get()
    }

    var waitingCount: Int { state.withLock { $0.waiting.count } }

    func forgetReply(_ id: Int) {
        state.withLock { _ = $0.waiting.removeValue(forKey: id) }
    }

    func observe(_ onEvent: @escaping @Sendable (QMPEvent) -> Void, onEnd: @escaping @Sendable () -> Void) -> Int {
        let (token, hasEnded) = state.withLock { state in
            let token = state.nextID
            state.nextID += 1
            let hasEnded = state.end != nil
            if !hasEnded { state.observers[token] = Observer(onEvent: onEvent, onEnd: onEnd) }
            return (token, hasEnded)
        }
        if hasEnded { onEnd() }
        return token
    }

    func stopObserving(_ token: Int) {
        state.withLock { _ = $0.observers.removeValue(forKey: token) }
    }

    /// Takes one line from the program.
    func receive(_ line: Data) {
        logger.trace("QMP line", metadata: ["line": "\(String(decoding: line.prefix(4096), as: UTF8.self))"])
        guard let message = try? JSONValue(parsing: line), message.object != nil else {
            return violate("\(path) sent a line that is not a JSON object")
        }
        if let event = message["event"]?.string {
            deliver(Self.event(named: event, in: message))
        } else if let greeted = message["QMP"] {
            greeting.settle(.success(Self.version(in: greeted)))
        } else if let id = message["id"]?.integer {
            answer(Int(id), with: message)
        } else if let error = message["error"] {
            // An error without id answers a line that the program could not read, and all of ours have one.
            violate("\(path) could not read a command: \(error["desc"]?.string ?? "no reason given")")
        } else {
            violate("\(path) sent an object that is neither an event nor a reply")
        }
    }

    func end(_ reason: LineConnection.End) {
        let (fault, waiting, observers) = state.withLock { state in
            let fault = state.violation ?? Self.fault(for: reason, path: path)
            let taken = (fault, state.waiting.values.map { $0 }, state.observers.values.map { $0 })
            state.end = fault
            state.waiting = [:]
            state.observers = [:]
            state.close = nil
            return taken
        }
        for (command, reply) in waiting {
            let message = "the connection ended before \(command) was answered: \(fault.message)"
            reply.settle(.failure(QMPFault(fault.code, outcome: .unknown, message)))
        }
        greeting.settle(.failure(fault))
        closed.settle(fault)
        for observer in observers { observer.onEnd() }
    }

    private func answer(_ id: Int, with message: JSONValue) {
        // A reply that nobody waits for any more came after its limit.
        guard let (command, reply) = state.withLock({ $0.waiting.removeValue(forKey: id) }) else { return }
        if let value = message["return"] {
            reply.settle(.success(value))
        } else {
            let error = message["error"]
            let fault = QMPFault(
                .refused(error?["class"]?.string ?? "GenericError"),
                outcome: .notDone,
                "\(command) was refused: \(error?["desc"]?.string ?? "no reason given")"
            )
            reply.settle(.failure(fault))
        }
    }

    private func deliver(_ event: QMPEvent) {
        let observers = state.withLock { $0.observers.sorted { $0.key < $1.key }.map(\.value) }
        for observer in observers { observer.onEvent(event) }
    }

    private func violate(_ message: String) {
        let close = state.withLock { state in
            state.violation = state.violation ?? QMPFault(.protocolViolation, outcome: .unknown, message)
            return state.close
        }
        close?()
    }

    private static func event(named name: String, in message: JSONValue) -> QMPEvent {
        let seconds = message["timestamp"]?["seconds"]?.integer ?? 0
        let microseconds = message["timestamp"]?["microseconds"]?.integer ?? 0
        return QMPEvent(
            name: name,
            data: message["data"] ?? .object([:]),
            occurredAt: Date(timeIntervalSince1970: Double(seconds) + Double(microseconds) / 1e6)
        )
    }

    private static func version(in greeting: JSONValue) -> String {
        let numbers = greeting["version"]?["qemu"]
        return ["major", "minor", "micro"].compactMap { numbers?[$0]?.integer }.map(String.init).joined(separator: ".")
    }

    private static func fault(for reason: LineConnection.End, path: String) -> QMPFault {
        switch reason {
        case .closed:
            QMPFault(.closed, outcome: .unknown, "\(path) closed the connection")
        case .failed(let cause):
            QMPFault(.closed, outcome: .unknown, "the connection to \(path) broke: \(cause)")
        case .lineTooLong(let limit):
            QMPFault(.protocolViolation, outcome: .unknown, "\(path) sent a line of more than \(limit) bytes")
        }
    }
}
