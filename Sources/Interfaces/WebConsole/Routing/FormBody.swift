import HTTPCommon
import HTTPTypes
import Hummingbird
import NIOCore
import SnapshotDomain

/// Reads the form that a request carries.
enum FormBody {
    /// The largest form, in bytes: room for a thousand ticked rows.
    private static let largest = 1 << 17

    /// - Throws: ``ServiceError`` with `notAllowed` for a form that another site sent, ``RequestRefusal`` for one too large.
    static func read(_ request: Request) async throws -> Fields {
        guard Origin.isOurs(request) else {
            throw ServiceError(.notAllowed, "The form was sent by another site; open the page here and send it again.")
        }
        do {
            return Fields(urlEncoded: String(buffer: try await request.body.collect(upTo: largest)))
        } catch is NIOTooManyBytesError {
            throw RequestRefusal.bodyTooLarge(limit: Int64(largest))
        }
    }
}
