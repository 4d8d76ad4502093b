import Foundation
import Glibc
package import Hummingbird
import Logging
import NIOCore
import NIOPosix
package import SnapshotDomain

/// A request's body on its way into a file.
///
/// The bytes go to the file in pieces of a mebibyte, on NIO's own threads; what the disk does not take, the client does
/// not get to send.
package struct UploadedFile: Sendable {
    package let path: String
    package let length: ByteCount

    /// Writes a request's whole body to a file that only the service can read.
    ///
    /// What was written is gone when it throws.
    ///
    /// Nothing is synced: an upload that a crash interrupts is of no use.
    ///
    /// - Throws: ``RequestRefusal`` for a body beyond the limit, ``ServiceError`` with `invalidInput` for one shorter than
    ///   `Content-Length` says, `noSpace`, or `unavailable` when the file cannot be written.
    package static func receive(
        _ request: Request,
        at path: String,
        atMost limit: ByteCount
    ) async throws -> UploadedFile {
        let announced = request.headers[.contentLength].flatMap { Int64($0) }
        if let announced, announced > limit.bytes { throw RequestRefusal.bodyTooLarge(limit: limit.bytes) }
        let descriptor = try await onThread {
            try check(open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o600))
        }
        do {
            let length = try await copy(request.body, to: descriptor, atMost: limit)
            guard announced == nil || announced == length.bytes else {
                throw ServiceError(.invalidInput, "The upload ended early; send it again.")
            }
            try await onThread { _ = try check(close(descriptor)) }
            return UploadedFile(path: path, length: length)
        } catch {
            await cleanUp(path) {
                close(descriptor)
                return unlink(path)
            }
            throw error
        }
    }

    /// Removes a file that nobody took.
    ///
    /// What is gone already is no error.
    package static func discard(_ path: String) async {
        await cleanUp(path) {
            unlink(path)
        }
    }

    private static let pieceLength = 1 << 20

    private static func copy(_ body: RequestBody, to descriptor: Int32, atMost limit: ByteCount)
        async throws -> ByteCount
    {
        var length = ByteCount.zero
        var piece = ByteBuffer()
        for try await chunk in body {
            length += ByteCount(Int64(chunk.readableBytes))
            guard length <= limit else { throw RequestRefusal.bodyTooLarge(limit: limit.bytes) }
            piece.writeImmutableBuffer(chunk)
            guard piece.readableBytes >= pieceLength else { continue }
            try await write(piece, to: descriptor)
            piece.clear()
        }
        try await write(piece, to: descriptor)
        return length
    }

    private static func write(_ piece: ByteBuffer, to descriptor: Int32) async throws {
        try await onThread {
            try piece.withUnsafeReadableBytes { bytes in
                var rest = bytes[...]
                while !rest.isEmpty {
                    let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                    if count < 0, errno == EINTR { continue }
                    rest = rest.dropFirst(Int(try check(Int32(truncatingIfNeeded: count))))
                }
            }
        }
    }

    private static func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value)
        async throws -> Value
    {
        try await NIOThreadPool.singleton.runIfActive(body)
    }

    /// Takes back what cannot be used; a failure of that is for the log only.
    private static func cleanUp(_ path: String, _ removal: @escaping @Sendable () -> Int32) async {
        do {
            try await onThread {
                if removal() != 0, errno != ENOENT { _ = try check(-1) }
            }
        } catch {
            Logger.current.warning("an unused upload stays", metadata: ["path": "\(path)", "error": "\(error)"])
        }
    }

    @discardableResult
    private static func check(_ result: Int32) throws -> Int32 {
        guard result < 0 else { return result }
        let reason = String(cString: strerror(errno))
        throw switch errno {
        case ENOSPC, EDQUOT:
            ServiceError(.noSpace, "The pool has no room for the upload; free some space or upload a smaller image.")
        default:
            ServiceError(.unavailable, "The upload cannot be stored: \(reason).")
        }
    }
}
