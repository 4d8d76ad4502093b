import Foundation
import Glibc
package import Hummingbird
package import NIOCore
package import SnapshotDomain

/// The parts of a `multipart/form-data` body (RFC 7578), one after the other, as they arrive.
///
/// It reads forward only and holds no more than one chunk of the body and a delimiter, however large a part is. Everything
/// in the body comes from a stranger: heads are bounded, and so is the number of parts; the name of a file is never used
/// for one.
///
/// ```
/// while let part = try await reader.next() {
///     while let piece = try await reader.piece() { … }
/// }
/// ```
///
/// What is wrong with the body is thrown as ``ServiceError`` with `invalidInput`.
package struct MultipartReader {
    /// What a part says of itself.
    package struct Part: Hashable, Sendable {
        /// Of the form's field.
        package var name: String
        package var isFile: Bool
    }

    /// The bytes of one part's head.
    private static let largestHead = 4_096
    private static let mostParts = 64
    /// RFC 2046, section 5.1.1.
    private static let longestBoundary = 70

    private enum Position {
        /// At the delimiter that the next part begins with.
        case delimiter
        case content
        case end
    }

    private var body: RequestBody.AsyncIterator
    private var buffer: ByteBuffer
    private let delimiter: [UInt8]
    private var position = Position.content
    private var count = 0

    /// The part that ``piece()`` reads; nil before the first and after the last.
    package private(set) var present: Part?

    /// - Throws: ``ServiceError`` with `invalidInput` for a request whose head announces no such body.
    package init(_ request: Request) throws(ServiceError) {
        guard let boundary = Self.boundary(request.headers[.contentType] ?? "") else {
            throw Self.refusal("is no multipart/form-data")
        }
        delimiter = Array("\r\n--\(boundary)".utf8)
        body = request.body.makeAsyncIterator()
        // A delimiter begins a line, and the first one has no line before it.
        buffer = ByteBuffer(string: "\r\n")
    }

    /// Goes on to the next part; what is left of the present one is read and dropped.
    ///
    /// Nil after the last.
    package mutating func next() async throws -> Part? {
        while try await piece() != nil {}
        present = nil
        guard position == .delimiter else { return nil }
        buffer.moveReaderIndex(forwardBy: delimiter.count)
        let after = try await take(2)
        if after == Array("--".utf8) {
            position = .end
            return nil
        }
        guard after == Array("\r\n".utf8) else { throw Self.refusal("has a damaged line between two parts") }
        count += 1
        guard count <= Self.mostParts else { throw Self.refusal("has more than \(Self.mostParts) parts") }
        let part = try Self.part(try await head())
        present = part
        position = .content
        return part
    }

    /// The next bytes of the present part, never empty; nil at its end.
    package mutating func piece() async throws -> ByteBuffer? {
        guard position == .content else { return nil }
        while true {
            if let length = firstIndex(of: delimiter) {
                position = .delimiter
                return length == 0 ? nil : buffer.readSlice(length: length)
            }
            // The last bytes could be the beginning of a delimiter.
            let safe = buffer.readableBytes - (delimiter.count - 1)
            if safe > 0 { return buffer.readSlice(length: safe) }
            try await receive()
        }
    }

    /// The whole of a small part as text; what is not valid UTF-8 is replaced.
    package mutating func text(atMost limit: Int) async throws -> String {
        var whole = ByteBuffer()
        while let piece = try await piece() {
            guard whole.readableBytes + piece.readableBytes <= limit else {
                throw Self.refusal("has a field of more than \(limit) bytes")
            }
            whole.writeImmutableBuffer(piece)
        }
        return String(buffer: whole)
    }
}

// MARK: Bytes

extension MultipartReader {
    private mutating func receive() async throws {
        guard let chunk = try await body.next() else {
            throw ServiceError(.invalidInput, "The upload ended early; send it again.")
        }
        // Only what is not read yet is kept.
        var rest = ByteBuffer()
        rest.reserveCapacity(buffer.readableBytes + chunk.readableBytes)
        rest.writeImmutableBuffer(buffer)
        rest.writeImmutableBuffer(chunk)
        buffer = rest
    }

    private mutating func take(_ count: Int) async throws -> [UInt8] {
        while buffer.readableBytes < count { try await receive() }
        return buffer.readBytes(length: count) ?? []
    }

    /// The lines of a part's head, with the empty line after them taken.
    private mutating func head() async throws -> [Substring] {
        let end = Array("\r\n\r\n".utf8)
        var length = firstIndex(of: end)
        while length == nil, buffer.readableBytes <= Self.largestHead {
            try await receive()
            length = firstIndex(of: end)
        }
        guard let length, length <= Self.largestHead, let text = buffer.readString(length: length) else {
            throw Self.refusal("has a part whose head is longer than \(Self.largestHead) bytes")
        }
        buffer.moveReaderIndex(forwardBy: end.count)
        return text.split(separator: "\r\n")
    }

    private func firstIndex(of wanted: [UInt8]) -> Int? {
        buffer.withUnsafeReadableBytes { bytes in
            guard let base = bytes.baseAddress, let first = wanted.first else { return nil }
            var start = 0
            while bytes.count - start >= wanted.count {
                let room = bytes.count - start - wanted.count + 1
                guard let found = memchr(base + start, Int32(first), room) else { return nil }
                start = UnsafeRawPointer(found) - base
                if memcmp(base + start, wanted, wanted.count) == 0 { return start }
                start += 1
            }
            return nil
        }
    }
}

// MARK: Words

extension MultipartReader {
    private static func boundary(_ contentType: String) -> String? {
        let pieces = pieces(contentType)
        guard pieces.first?.lowercased() == "multipart/form-data",
            let boundary = parameter("boundary", in: pieces)
        else { return nil }
        let isPlain = boundary.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
        return isPlain && (1...longestBoundary).contains(boundary.utf8.count) ? boundary : nil
    }

    private static func part(_ head: [Substring]) throws(ServiceError) -> Part {
        for line in head {
            guard let colon = line.firstIndex(of: ":"),
                line[..<colon].lowercased() == "content-disposition"
            else { continue }
            let pieces = pieces(String(line[line.index(after: colon)...]))
            guard pieces.first?.lowercased() == "form-data", let name = parameter("name", in: pieces) else { break }
            return Part(
                name: name,
                isFile: parameter("filename", in: pieces) != nil || parameter("filename*", in: pieces) != nil
            )
        }
        throw refusal("has a part that does not say which field it is")
    }

    /// The pieces of a header between semicolons outside of quotes, without white space around them.
    private static func pieces(_ value: String) -> [String] {
        var pieces = [""]
        var (isQuoted, isEscaped) = (false, false)
        for character in value {
            if character == ";", !isQuoted {
                pieces.append("")
                continue
            }
            if character == "\"", !isEscaped { isQuoted.toggle() }
            isEscaped = character == "\\" && !isEscaped
            pieces[pieces.count - 1].append(character)
        }
        return pieces.map { $0.trimmingCharacters(in: .whitespaces) }
    }

    private static func parameter(_ name: String, in pieces: [String]) -> String? {
        for piece in pieces.dropFirst() {
            guard let equals = piece.firstIndex(of: "="), piece[..<equals].lowercased() == name else { continue }
            let value = piece[piece.index(after: equals)...]
            guard value.hasPrefix("\""), value.hasSuffix("\""), value.count >= 2 else { return String(value) }
            return value.dropFirst().dropLast().replacingOccurrences(of: "\\\"", with: "\"")
        }
        return nil
    }

    private static func refusal(_ reason: String) -> ServiceError {
        ServiceError(
            .invalidInput,
            "The form cannot be read: it \(reason). Load the page again and send the form again."
        )
    }
}
