import Foundation
package import HTTPTypes
package import Hummingbird

extension Response {
    /// An answer in JSON, with keys in alphabetical order so that the same answer has the same bytes.
    package static func json(
        _ payload: some Encodable,
        status: HTTPResponse.Status = .ok,
        headers: HTTPFields = [:]
    ) throws -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var response = Response.data(
            try encoder.encode(payload),
            type: "application/json; charset=utf-8",
            headers: headers
        )
        response.status = status
        return response
    }
}
