package import Hummingbird
import NIOCore
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
    /// - Throws: ``RequestRefusal`` for a body beyond the limit, ``ServiceError`` with `invalidInput` for one shorter than
    ///   `Content-Length` says, `noSpace`, or `unavailable` when the file cannot be written.
    package static func receive(
        _ request: Request,
        at path: String,
        atMost limit: ByteCount
    ) async throws -> UploadedFile {
        let announced = request.headers[.contentLength].flatMap { Int64($0) }
        if let announced, announced > limit.bytes { throw RequestRefusal.bodyTooLarge(limit: limit.bytes) }
        var body = request.body.makeAsyncIterator()
        return try await store(at: path, atMost: limit, isWhole: { announced == nil || announced == $0.bytes }) {
            try await body.next()
        }
    }

    /// The same for the present part of a form.
    ///
    /// What was written is gone when it throws.
    ///
    /// - Throws: ``RequestRefusal`` for a part beyond the limit, ``ServiceError`` with `invalidInput` for a body that ends
    ///   within it, `noSpace`, or `unavailable` when the file cannot be written.
    package static func receive(
        _ reader: inout MultipartReader,
        at path: String,
        atMost limit: ByteCount
    ) async throws -> UploadedFile {
        // A reader that throws at a body's early end needs no other look at the length.
        try await store(at: path, atMost: limit, isWhole: { _ in true }) { try await reader.piece() }
    }

    private static func store(
        at path: String,
        atMost limit: ByteCount,
        isWhole: (ByteCount) -> Bool,
        next: () async throws -> ByteBuffer?
    ) async throws -> UploadedFile {
        let sink = try await FileSink.onThread { try FileSink(path) }
        do {
            let length = try await copy(next, to: sink, atMost: limit)
            guard isWhole(length) else {
                throw ServiceError(.invalidInput, "The upload ended early; send it again.")
            }
            try await FileSink.onThread { try sink.finish() }
            return UploadedFile(path: path, length: length)
        } catch {
            try await FileSink.onThread { sink.abandon() }
            throw error
        }
    }

    /// Removes a file that nobody took.
    ///
    /// What is gone already is no error.
    package static func discard(_ path: String) async throws {
        try await FileSink.onThread { FileSink.remove(path) }
    }

    private static let pieceLength = 1 << 20

    private static func copy(
        _ next: () async throws -> ByteBuffer?,
        to sink: FileSink,
        atMost limit: ByteCount
    ) async throws -> ByteCount {
        var length = ByteCount.zero
        var piece = ByteBuffer()
        while let chunk = try await next() {
            length += ByteCount(Int64(chunk.readableBytes))
            guard length <= limit else { throw RequestRefusal.bodyTooLarge(limit: limit.bytes) }
            piece.writeImmutableBuffer(chunk)
            guard piece.readableBytes >= pieceLength else { continue }
            try await write(piece, to: sink)
            piece.clear()
        }
        try await write(piece, to: sink)
        return length
    }

    private static func write(_ piece: ByteBuffer, to sink: FileSink) async throws {
        try await FileSink.onThread {
            try piece.withUnsafeReadableBytes { try sink.append($0) }
        }
    }
}
