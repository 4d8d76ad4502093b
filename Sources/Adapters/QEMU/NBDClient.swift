package import Foundation
import Platform
import Synchronization

/// A connection to one export of an NBD server on this machine: the bytes of a disk, whatever its format and chain.
///
/// Any number of requests may be under way, and the server answers them in any order. Requests that overlap are the
/// caller's to order. A thread reads replies and another sends, so nothing blocks a thread of Swift's pool.
package final class NBDClient: Sendable {
    /// The most that one ``read(offset:length:)`` or ``write(_:at:forceUnitAccess:)`` moves.
    package static let maximumRequestBytes = NBDProtocol.maximumPayloadBytes

    package let sizeBytes: Int64
    package let isReadOnly: Bool
    private let reportsAllocation: Bool
    private let socket: NBDSocket
    private let replies: NBDReplies
    private let sender: BlockingPool

    private init(_ export: NBDExport, socket: NBDSocket, sender: BlockingPool) {
        sizeBytes = export.sizeBytes
        isReadOnly = export.isReadOnly
        reportsAllocation = export.allocationContext != nil
        self.socket = socket
        self.sender = sender
        replies = NBDReplies(socket, allocationContext: export.allocationContext)
        replies.start()
    }

    deinit { socket.disconnect() }

    /// Connects to an export.
    ///
    /// - Parameters:
    ///   - path: The server's socket; at most 107 bytes.
    ///   - name: The name of the export.
    /// - Returns: A client that is ready for requests.
    /// - Throws: `unreachable` when there is no server or no such export; `timedOut` when it is silent for ten seconds.
    package static func connect(_ path: String, export name: String) async throws(NBDFault) -> NBDClient {
        let sender = BlockingPool(name: "nbd-send", width: 1)
        do {
            return try await sender.run {
                let socket = try NBDSocket(connectingTo: path)
                socket.limitReads(to: 10)
                let export = try NBDHandshake(socket).open(name)
                socket.limitReads(to: 0)
                return NBDClient(export, socket: socket, sender: sender)
            }
        } catch let fault as NBDFault {
            throw NBDFault(fault.code, outcome: .notDone, fault.message)
        } catch {
            throw NBDFault(.cancelled, outcome: .notDone, "connecting to the NBD server was cancelled")
        }
    }

    /// Reads up to ``maximumRequestBytes``.
    package func read(offset: Int64, length: Int) async throws(NBDFault) -> Data {
        guard case .data(let data) = try await perform(.read, offset: offset, length: length) else { return Data() }
        return data
    }

    /// Writes up to ``maximumRequestBytes``.
    ///
    /// - Parameters:
    ///   - data: The bytes.
    ///   - offset: Where they go.
    ///   - forceUnitAccess: Returns once they are on stable storage.
    /// - Throws: `refused`, as with error 28 when the disk is full; `invalidRequest` when the export is read-only.
    package func write(_ data: Data, at offset: Int64, forceUnitAccess: Bool = false) async throws(NBDFault) {
        let flags = forceUnitAccess ? NBDProtocol.CommandFlag.forceUnitAccess : 0
        _ = try await perform(.write, flags: flags, offset: offset, length: data.count, payload: data)
    }

    /// Returns once everything written before is on stable storage.
    package func flush() async throws(NBDFault) {
        _ = try await perform(.flush, offset: 0, length: 0)
    }

    /// Makes a range read as zeros; frees its space unless `keepsSpace`.
    package func writeZeroes(offset: Int64, length: Int, keepsSpace: Bool = false) async throws(NBDFault) {
        let flags = keepsSpace ? NBDProtocol.CommandFlag.noHole : 0
        _ = try await perform(.writeZeroes, flags: flags, offset: offset, length: length)
    }

    /// Tells that a range is not needed; what it reads as is then undefined.
    package func trim(offset: Int64, length: Int) async throws(NBDFault) {
        _ = try await perform(.trim, offset: offset, length: length)
    }

    /// What is allocated from `offset` on: at least one extent, in order, and not always up to the end of the range.
    ///
    /// - Parameters:
    ///   - offset: Where to begin.
    ///   - length: How far to look, at most 4 GiB - 64 KiB. The last extent may go beyond.
    /// - Returns: The extents of `base:allocation`.
    /// - Throws: `invalidRequest` when the server does not report allocation.
    package func blockStatus(offset: Int64, length: Int) async throws(NBDFault) -> [NBDExtent] {
        guard reportsAllocation else {
            throw NBDFault(.invalidRequest, outcome: .notDone, "the NBD server does not report what is allocated")
        }
        guard case .extents(let extents) = try await perform(.blockStatus, offset: offset, length: length),
            !extents.isEmpty
        else { throw NBDFault(.protocolViolation, outcome: .notDone, "the NBD server reported no extents") }
        return extents
    }

    /// Reads a range from start to end, with several requests under way at any time.
    ///
    /// - Parameters:
    ///   - range: The bytes to read.
    ///   - chunkBytes: How much each request reads.
    ///   - window: How many requests are under way; `chunkBytes` times this is the memory it takes.
    ///   - body: Called for each chunk, in order of offsets.
    /// - Throws: ``NBDFault``, or what `body` throws.
    package func forEachChunk(
        in range: Range<Int64>,
        chunkBytes: Int = 1 << 20,
        window: Int = 8,
        _ body: (_ offset: Int64, _ data: Data) async throws -> Void
    ) async throws {
        var underWay: [(offset: Int64, reply: NBDReplies.Reply)] = []
        var next = range.lowerBound
        while next < range.upperBound || !underWay.isEmpty {
            while underWay.count < max(1, window), next < range.upperBound {
                let length = Int(min(Int64(chunkBytes), range.upperBound - next))
                underWay.append((next, try await submit(.read, flags: 0, offset: next, length: length, payload: nil)))
                next += Int64(length)
            }
            let (offset, reply) = underWay.removeFirst()
            guard case .data(let data) = try await answer(reply, to: .read) else { continue }
            try await body(offset, data)
        }
    }

    /// Ends the connection; requests under way fail with `closed`.
    package func close() {
        socket.disconnect()
    }

    private func perform(
        _ command: NBDProtocol.Command,
        flags: UInt16 = 0,
        offset: Int64,
        length: Int,
        payload: Data? = nil
    ) async throws(NBDFault) -> NBDAnswer {
        let reply = try await submit(command, flags: flags, offset: offset, length: length, payload: payload)
        return try await answer(reply, to: command)
    }

    private func answer(_ reply: NBDReplies.Reply, to command: NBDProtocol.Command) async throws(NBDFault) -> NBDAnswer
    {
        // A minute: a request waits for a disk, and behind all others of this connection.
        guard let result = await reply.value(within: .seconds(60)) else {
            throw Task.isCancelled
                ? NBDFault(.cancelled, outcome: .unknown, "the request to \(command) was cancelled")
                : NBDFault(.timedOut, outcome: .unknown, "the NBD server did not \(command) within a minute")
        }
        return try result.get()
    }

    private func submit(
        _ command: NBDProtocol.Command,
        flags: UInt16,
        offset: Int64,
        length: Int,
        payload: Data?
    ) async throws(NBDFault) -> NBDReplies.Reply {
        if isReadOnly, command == .write || command == .writeZeroes || command == .trim {
            throw NBDFault(.invalidRequest, outcome: .notDone, "cannot \(command): the export is read-only")
        }
        let movesData = command == .read || command == .write
        let limit = movesData ? NBDProtocol.maximumPayloadBytes : Int(UInt32.max) - (64 << 10)
        guard offset >= 0, length >= 0, length <= limit, Int64(length) <= sizeBytes,
            offset <= sizeBytes - Int64(length),
            length > 0 || command == .flush
        else {
            let message = "cannot \(command) \(length) bytes at \(offset) of \(sizeBytes) in one request"
            throw NBDFault(.invalidRequest, outcome: .notDone, message)
        }
        let request = NBDReplies.Pending(command: command, offset: offset, length: length)
        let (replies, socket) = (replies, socket)
        do {
            try await sender.run {
                var header: [UInt8] = []
                header.append(bigEndian: NBDProtocol.requestMagic)
                header.append(bigEndian: flags)
                header.append(bigEndian: command.rawValue)
                header.append(bigEndian: try replies.expect(request))
                header.append(bigEndian: UInt64(offset))
                header.append(bigEndian: UInt32(length))
                try socket.send(header)
                if let payload { try socket.send(payload) }
            }
        } catch let fault as NBDFault {
            throw fault
        } catch {
            throw NBDFault(.cancelled, outcome: .notDone, "the request to \(command) was cancelled before it was sent")
        }
        return request.reply
    }
}
