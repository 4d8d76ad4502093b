import HTTPCommon
import HTTPTypes
import Hummingbird

/// Whether a form was sent by a page of ours, as far as the browser tells.
///
/// A second wall behind the form's token, and the only one before somebody is signed in: else another site could sign its
/// visitors in under a name of its own.
enum Origin {
    private static let fetchSite = HTTPField.Name.known("Sec-Fetch-Site")
    private static let origin = HTTPField.Name.known("Origin")

    static func isOurs(_ request: Request) -> Bool {
        if let site = request.headers[fetchSite] { return site == "same-origin" || site == "none" }
        guard let origin = request.headers[origin] else { return true }
        guard let host = request.head.authority else { return false }
        return origin.lowercased() == "http://\(host)".lowercased()
            || origin.lowercased() == "https://\(host)".lowercased()
    }
}
