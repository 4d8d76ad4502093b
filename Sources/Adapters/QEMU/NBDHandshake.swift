import Foundation

/// What a server said about an export.
struct NBDExport: Sendable {
    var sizeBytes: Int64 = 0
    /// Bits of the protocol's transmission flags.
    var transmissionFlags: UInt16 = 0
    /// Set when replies are structured and the server reports allocation.
    var allocationContext: UInt32?

    var isReadOnly: Bool { transmissionFlags & 1 << 1 != 0 }
}

/// The opening of an NBD connection: fixed newstyle, structured replies if the server has them, one export.
///
/// Blocks: for a thread of a pool.
struct NBDHandshake {
    private let socket: NBDSocket

    init(_ socket: NBDSocket) {
        self.socket = socket
    }

    func open(_ name: String) throws(NBDFault) -> NBDExport {
        let greeting = try socket.receive(18)
        guard greeting.bigEndian(UInt64.self, at: 0) == NBDProtocol.greetingMagic,
            greeting.bigEndian(UInt64.self, at: 8) == NBDProtocol.optionMagic,
            greeting.bigEndian(UInt16.self, at: 16) & 1 == 1
        else { throw violation("the peer is not an NBD server of the fixed newstyle") }
        var flags: [UInt8] = []
        flags.append(bigEndian: UInt32(greeting.bigEndian(UInt16.self, at: 16) & NBDProtocol.handshakeFlags))
        try socket.send(flags)

        var export = NBDExport()
        if try negotiateStructuredReplies() { export.allocationContext = try negotiateAllocation(of: name) }
        try go(name, into: &export)
        return export
    }

    private func negotiateStructuredReplies() throws(NBDFault) -> Bool {
        try send(.structuredReply, [])
        return try reply(to: .structuredReply).type == NBDProtocol.OptionReply.acknowledge
    }

    private func negotiateAllocation(of name: String) throws(NBDFault) -> UInt32? {
        var body: [UInt8] = []
        append(name, to: &body)
        body.append(bigEndian: UInt32(1))
        append(NBDProtocol.allocationContext, to: &body)
        try send(.setMetaContext, body)
        var context: UInt32?
        while true {
            let (type, data) = try reply(to: .setMetaContext)
            guard type == NBDProtocol.OptionReply.metaContext, data.count >= 4 else {
                // The end of the list, or a server without contexts.
                return context
            }
            context = data.bigEndian(at: 0)
        }
    }

    private func go(_ name: String, into export: inout NBDExport) throws(NBDFault) {
        var body: [UInt8] = []
        append(name, to: &body)
        // No particular information is asked for; the size and the flags always come.
        body.append(bigEndian: UInt16(0))
        try send(.go, body)
        while true {
            let (type, data) = try reply(to: .go)
            switch type {
            case NBDProtocol.OptionReply.acknowledge:
                return
            case NBDProtocol.OptionReply.info where data.count >= 12 && data.bigEndian(UInt16.self, at: 0) == 0:
                export.sizeBytes = Int64(clamping: data.bigEndian(UInt64.self, at: 2))
                export.transmissionFlags = data.bigEndian(at: 10)
            case NBDProtocol.OptionReply.info:
                continue
            default:
                let reason = String(decoding: data, as: UTF8.self)
                throw NBDFault(.unreachable, outcome: .notDone, "the NBD server has no export \(name): \(reason)")
            }
        }
    }

    private func send(_ option: NBDProtocol.Option, _ body: [UInt8]) throws(NBDFault) {
        var message: [UInt8] = []
        message.append(bigEndian: NBDProtocol.optionMagic)
        message.append(bigEndian: option.rawValue)
        message.append(bigEndian: UInt32(body.count))
        try socket.send(message + body)
    }

    private func reply(to option: NBDProtocol.Option) throws(NBDFault) -> (type: UInt32, data: [UInt8]) {
        let header = try socket.receive(20)
        let length = header.bigEndian(UInt32.self, at: 16)
        guard header.bigEndian(UInt64.self, at: 0) == NBDProtocol.optionReplyMagic,
            header.bigEndian(UInt32.self, at: 8) == option.rawValue, length <= 64 << 10
        else { throw violation("the NBD server broke the handshake") }
        return (header.bigEndian(at: 12), try socket.receive(Int(length)))
    }

    private func append(_ text: String, to body: inout [UInt8]) {
        body.append(bigEndian: UInt32(text.utf8.count))
        body.append(contentsOf: text.utf8)
    }

    private func violation(_ message: String) -> NBDFault {
        NBDFault(.protocolViolation, outcome: .notDone, message)
    }
}
