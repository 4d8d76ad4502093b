import Foundation
import Platform
import Synchronization

/// Part of an export whose blocks are alike.
package struct NBDExtent: Sendable, Equatable {
    package let offset: Int64
    package let length: Int64
    /// No space is taken.
    package let isHole: Bool
    /// Reads as zeros.
    package let isZero: Bool
}

/// The answer to one request.
enum NBDAnswer: Sendable {
    case done
    case data(Data)
    case extents([NBDExtent])
}

/// The requests under way on one NBD connection, and the thread that reads their replies.
final class NBDReplies: Sendable {
    typealias Reply = Eventual<Result<NBDAnswer, NBDFault>>

    /// A request, and what has arrived for it.
    struct Pending: Sendable {
        let command: NBDProtocol.Command
        let offset: Int64
        let length: Int
        let reply = Reply()
        var data = Data()
        var extents: [NBDExtent] = []
        var fault: NBDFault?
    }

    private struct State {
        var pending: [UInt64: Pending] = [:]
        var nextHandle: UInt64 = 1
        var end: NBDFault?
    }

    let ended = Eventual<NBDFault>()
    private let socket: NBDSocket
    private let allocationContext: UInt32?
    private let state = Mutex(State())

    init(_ socket: NBDSocket, allocationContext: UInt32?) {
        self.socket = socket
        self.allocationContext = allocationContext
    }

    func start() {
        let thread = Thread { self.readReplies() }
        thread.name = "nbd-replies"
        thread.stackSize = 512 << 10
        thread.start()
    }

    func expect(_ request: Pending) throws(NBDFault) -> UInt64 {
        let result: Result<UInt64, NBDFault> = state.withLock { state in
            if let end = state.end { return .failure(NBDFault(end.code, outcome: .notDone, end.message)) }
            let handle = state.nextHandle
            state.nextHandle += 1
            state.pending[handle] = request
            return .success(handle)
        }
        return try result.get()
    }

    private func readReplies() {
        do throws(NBDFault) {
            while true { try readReply() }
        } catch {
            let abandoned = state.withLock { state in
                state.end = error
                defer { state.pending = [:] }
                return state.pending.values.map { $0 }
            }
            socket.disconnect()
            for request in abandoned { request.reply.settle(.failure(error)) }
            ended.settle(error)
        }
    }

    private func readReply() throws(NBDFault) {
        let magic: UInt32 = try socket.receive(4).bigEndian(at: 0)
        switch magic {
        case NBDProtocol.simpleReplyMagic: try readSimpleReply()
        case NBDProtocol.structuredReplyMagic: try readChunk()
        default: throw violation("a reply without magic number")
        }
    }

    private func readSimpleReply() throws(NBDFault) {
        let header = try socket.receive(12)
        let error: UInt32 = header.bigEndian(at: 0)
        let handle: UInt64 = header.bigEndian(at: 4)
        var request = try take(handle)
        if error != 0 {
            request.fault = refusal(error, request, reason: nil)
        } else if request.command == .read {
            request.data = Data(count: request.length)
            try receive(request.length, into: &request, at: 0)
        }
        finish(request)
    }

    private func readChunk() throws(NBDFault) {
        let header = try socket.receive(16)
        let flags: UInt16 = header.bigEndian(at: 0)
        let type: UInt16 = header.bigEndian(at: 2)
        let length = Int(header.bigEndian(UInt32.self, at: 12))
        let handle: UInt64 = header.bigEndian(at: 4)
        var request = try take(handle)
        // While the thread works on it the request is not in the table; a broken connection must still reach it.
        do {
            try readPayload(type, length, into: &request)
        } catch {
            request.reply.settle(.failure(error))
            throw error
        }
        if flags & NBDProtocol.chunkIsLast != 0 {
            finish(request)
        } else {
            state.withLock { [request] state in state.pending[handle] = request }
        }
    }

    private func readPayload(_ type: UInt16, _ length: Int, into request: inout Pending) throws(NBDFault) {
        switch type {
        case NBDProtocol.ChunkType.none where length == 0:
            return
        case NBDProtocol.ChunkType.offsetData where request.command == .read && length > 8:
            let offset = try chunkOffset(in: request, length: length - 8)
            try receive(length - 8, into: &request, at: offset)
        case NBDProtocol.ChunkType.offsetHole where request.command == .read && length == 12:
            // The buffer holds zeros already.
            let offset: UInt64 = try socket.receive(8).bigEndian(at: 0)
            let size = Int(try socket.receive(4).bigEndian(UInt32.self, at: 0))
            _ = try place(offset, size, in: request)
        case NBDProtocol.ChunkType.blockStatus where request.command == .blockStatus && length >= 4 && length < 1 << 20:
            try readExtents(length, into: &request)
        case _ where type & NBDProtocol.ChunkType.errorBit != 0 && length >= 6 && length < 64 << 10:
            let body = try socket.receive(length)
            let textLength = min(Int(body.bigEndian(UInt16.self, at: 4)), length - 6)
            let text = String(decoding: body[6..<6 + textLength], as: UTF8.self)
            request.fault = request.fault ?? refusal(body.bigEndian(at: 0), request, reason: text)
        default:
            throw violation("a chunk of type \(type) and \(length) bytes")
        }
        if request.command == .read, request.data.isEmpty { request.data = Data(count: request.length) }
    }

    private func readExtents(_ length: Int, into request: inout Pending) throws(NBDFault) {
        let body = try socket.receive(length)
        guard body.bigEndian(UInt32.self, at: 0) == allocationContext else { return }
        var offset = request.offset
        for position in stride(from: 4, through: length - 8, by: 8) {
            let size = Int64(body.bigEndian(UInt32.self, at: position))
            let flags: UInt32 = body.bigEndian(at: position + 4)
            request.extents.append(
                NBDExtent(offset: offset, length: size, isHole: flags & 1 != 0, isZero: flags & 2 != 0)
            )
            offset += size
        }
    }

    private func chunkOffset(in request: Pending, length: Int) throws(NBDFault) -> Int {
        try place(try socket.receive(8).bigEndian(at: 0), length, in: request)
    }

    /// Where in the answer a chunk goes, if it lies inside what was asked for.
    private func place(_ offset: UInt64, _ length: Int, in request: Pending) throws(NBDFault) -> Int {
        let start = Int64(clamping: offset) - request.offset
        guard start >= 0, length <= request.length, start <= Int64(request.length - length) else {
            throw violation("data outside of the request")
        }
        return Int(start)
    }

    private func receive(_ count: Int, into request: inout Pending, at offset: Int) throws(NBDFault) {
        if request.data.isEmpty { request.data = Data(count: request.length) }
        try socket.receive(into: &request.data, at: offset..<offset + count)
    }

    private func take(_ handle: UInt64) throws(NBDFault) -> Pending {
        guard let request = state.withLock({ $0.pending.removeValue(forKey: handle) }) else {
            throw violation("a reply to a request that was not made")
        }
        return request
    }

    private func finish(_ request: Pending) {
        if let fault = request.fault {
            request.reply.settle(.failure(fault))
            return
        }
        switch request.command {
        case .read: request.reply.settle(.success(.data(request.data)))
        case .blockStatus: request.reply.settle(.success(.extents(request.extents)))
        default: request.reply.settle(.success(.done))
        }
    }

    private func refusal(_ error: UInt32, _ request: Pending, reason: String?) -> NBDFault {
        let words = reason.flatMap { $0.isEmpty ? nil : $0 } ?? "error \(error)"
        return NBDFault(
            .refused(Int32(truncatingIfNeeded: error)),
            outcome: .unknown,
            "the NBD server refused to \(request.command) \(request.length) bytes at \(request.offset): \(words)"
        )
    }

    private func violation(_ what: String) -> NBDFault {
        NBDFault(.protocolViolation, outcome: .unknown, "the NBD server sent \(what)")
    }
}
