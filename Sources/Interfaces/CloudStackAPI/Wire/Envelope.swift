import HTTPCommon
import HTTPTypes
import Hummingbird

/// The one object around every answer, with exactly one key.
enum Envelope {
    /// The key of a command's answer, such as `listvolumesresponse`; of an unknown one's, `errorresponse`.
    static func key(_ command: String?) -> String {
        command.map { $0.lowercased() + "response" } ?? "errorresponse"
    }

    static func response(_ answer: Answer, to command: String) throws -> Response {
        try .json(JSON.object([key(command): answer.body]))
    }

    static func response(_ failure: APIFailure, to command: String?) -> Response {
        let status = HTTPResponse.Status(code: failure.code.rawValue, reasonPhrase: "")
        var headers: HTTPFields = [:]
        headers[.known("X-Description")] = headerText(failure.message)
        if failure.code == .tooManyRequests { headers[.retryAfter] = "1" }
        do {
            return try .json(JSON.object([key(command): failure.body]), status: status, headers: headers)
        } catch {
            // Texts and numbers can always be written; the status says what happened if they could not.
            return Response(status: status, headers: headers)
        }
    }

    /// A header holds visible ASCII only.
    private static func headerText(_ message: String) -> String {
        String(message.unicodeScalars.map { (" "..."~").contains($0) ? Character($0) : "?" })
    }
}
