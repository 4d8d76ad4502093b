import QEMU

/// The file systems of a guest, frozen by its agent.
///
/// Every question is preceded by a number that the agent repeats, so that late answers to earlier questions are told
/// from the one that is waited for.
final class FileSystemHold: GuestHold {
    private let line: GuardLine
    private var awaitedNumber: Int64 = 0

    init(agentSocket: String) {
        line = GuardLine(path: agentSocket, peer: "the agent")
    }

    var isMachineGone: Bool { line.isMachineGone }

    func open(until deadline: ContinuousClock.Instant) throws(GuardLine.Failure) {
        try line.open(until: deadline)
        try send("guest-ping")
        _ = try receive(until: deadline)
    }

    /// No file system freezes by itself.
    func waitUntilDue(_ owner: OwnerLine) throws(GuardLine.Failure) -> Bool {
        owner.nextWord(until: .now + .seconds(86_400)) == .hold
    }

    /// Freezes all file systems that can be; the agent may do it later when this throws.
    func begin(until deadline: ContinuousClock.Instant, unless owner: OwnerLine) throws(GuardLine.Failure) -> Int {
        try ask("guest-fsfreeze-freeze", until: deadline, unless: owner)
    }

    func end(until deadline: ContinuousClock.Instant, released count: inout Int) throws(GuardLine.Failure) -> Bool {
        if !line.isOpen { try open(until: deadline) }
        count += try ask("guest-fsfreeze-thaw", until: deadline)
        try send("guest-fsfreeze-status")
        return try receive(until: deadline).string == "thawed"
    }

    func close() { line.close() }

    /// Asks for a number; 0 when the answer is none.
    private func ask(_ command: String, until deadline: ContinuousClock.Instant, unless owner: OwnerLine? = nil)
        throws(GuardLine.Failure) -> Int
    {
        try send(command)
        return Int(try receive(until: deadline, unless: owner).integer ?? 0)
    }

    private func send(_ command: String) throws(GuardLine.Failure) {
        // Far above the counts that agents answer with.
        awaitedNumber = .random(in: 1 << 24...Int64(Int32.max))
        let sync = JSONValue.object(["execute": "guest-sync", "arguments": ["id": .integer(awaitedNumber)]])
        // The 0xFF ends whatever half a command an earlier client left.
        try line.send([0xFF] + Array("\(sync.text)\n{\"execute\":\"\(command)\"}\n".utf8))
    }

    private func receive(until deadline: ContinuousClock.Instant, unless owner: OwnerLine? = nil)
        throws(GuardLine.Failure) -> JSONValue
    {
        var isSynchronised = false
        while true {
            let message = try line.receive(until: deadline, unless: owner)
            guard isSynchronised else {
                isSynchronised = message["return"]?.integer == awaitedNumber
                continue
            }
            if let error = message["error"] { throw .refused(error["desc"]?.string ?? "no reason given") }
            return message["return"] ?? .null
        }
    }
}
