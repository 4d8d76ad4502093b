import Foundation
package import Hummingbird
import NIOCore
import SnapshotDomain

extension Request {
    /// The largest body of a call that takes JSON, in bytes.
    package static let largestJSON = 1 << 20

    /// Reads a body of JSON.
    ///
    /// No body at all, or white space, reads as `{}`: clients leave it out where every field can be.
    ///
    /// - Throws: ``ServiceError`` with `invalidInput` that names the field, or ``RequestRefusal`` for one too large.
    package func decodeJSON<Payload: Decodable>(_ type: Payload.Type = Payload.self) async throws -> Payload {
        let buffer: ByteBuffer
        do {
            buffer = try await body.collect(upTo: Self.largestJSON)
        } catch is NIOTooManyBytesError {
            throw RequestRefusal.bodyTooLarge(limit: Int64(Self.largestJSON))
        }
        let bytes = Data(buffer.readableBytesView)
        let isBlank = bytes.allSatisfy { [0x20, 0x09, 0x0A, 0x0D].contains($0) }
        do {
            return try JSONDecoder().decode(type, from: isBlank ? Data("{}".utf8) : bytes)
        } catch let error as DecodingError {
            throw ServiceError(unreadable: error)
        }
    }
}

extension ServiceError {
    /// What is wrong with a body, in terms of its fields.
    init(unreadable error: DecodingError) {
        let context: DecodingError.Context
        var reason = "is not what this call takes"
        switch error {
        case .dataCorrupted(let detail):
            context = detail
            if !detail.codingPath.isEmpty { reason = detail.debugDescription }
        case .keyNotFound(let key, let detail):
            context = .init(codingPath: detail.codingPath + [key], debugDescription: detail.debugDescription)
            reason = "is missing"
        case .typeMismatch(_, let detail), .valueNotFound(_, let detail):
            context = detail
        @unknown default:
            self.init(.invalidInput, "The body is not the JSON that this call takes.")
            return
        }
        guard !context.codingPath.isEmpty else {
            self.init(.invalidInput, "The body is not a JSON object; send {} or nothing where no field is needed.")
            return
        }
        let field = context.codingPath.map(\.stringValue).joined(separator: ".")
        self.init(.invalidInput, "The field '\(field)' \(reason).", subject: .field(field))
    }
}
