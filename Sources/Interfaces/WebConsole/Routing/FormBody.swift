import HTTPCommon
import HTTPTypes
import Hummingbird
import NIOCore
import SnapshotDomain

/// Reads the form that a request carries.
enum FormBody {
    /// The largest form, in bytes: room for a thousand ticked rows.
    private static let largest = 1 << 17
    /// The longest field beside a file, in bytes: a description of 2,000 characters has room.
    private static let longestField = 1 << 13

    /// - Throws: ``ServiceError`` with `notAllowed` for a form that another site sent, ``RequestRefusal`` for one too large.
    static func read(_ request: Request) async throws -> Fields {
        try requireOurs(request)
        do {
            return Fields(urlEncoded: String(buffer: try await request.body.collect(upTo: largest)))
        } catch is NIOTooManyBytesError {
            throw RequestRefusal.bodyTooLarge(limit: Int64(largest))
        }
    }
    /// The fields of a form with a file, up to the file.
    ///
    /// Our pages have the file last, so that everything else is known, the form's token first of all, before a byte of it is
    /// taken. The token is a field here, too: in the address it would stay in the browser's history.
    ///
    /// - Throws: ``ServiceError`` with `notAllowed` for a form that another site sent, or with `invalidInput` for what is no
    ///   such form.
    static func beginning(of request: Request) async throws -> (fields: Fields, rest: MultipartReader) {
        try requireOurs(request)
        var reader = try MultipartReader(request)
        var values: [(name: String, value: String)] = []
        while let part = try await reader.next(), !part.isFile {
            values.append((part.name, try await reader.text(atMost: longestField)))
        }
        return (Fields(values), reader)
    }

    private static func requireOurs(_ request: Request) throws(ServiceError) {
        guard Origin.isOurs(request) else {
            throw ServiceError(.notAllowed, "The form was sent by another site; open the page here and send it again.")
        }
    }
}
