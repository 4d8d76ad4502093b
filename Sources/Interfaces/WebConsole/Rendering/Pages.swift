import Foundation
import HTTPTypes
import Hummingbird
import Mustache
import NIOCore

/// The templates of all pages, and how one becomes an answer.
struct Pages: Sendable {
    private let library: MustacheLibrary

    /// - Throws: When a template cannot be read: a fault of the program that the first test finds.
    init() throws {
        var templates: [String: MustacheTemplate] = [:]
        for file in ConsoleFile.all(in: "pages") {
            templates[file.name] = try MustacheTemplate(string: file.text)
        }
        library = MustacheLibrary(templates: templates)
    }

    /// Renders a template with a page's fields, the frame's under `frame`, and the texts under `t`.
    func render(_ template: String, _ page: some PageValue, _ frame: Frame, _ texts: Texts) -> String {
        var fields = page.asFields()
        fields["frame"] = frame.asFields()
        fields["t"] = TextPath(texts)
        return library.render(fields, withTemplate: template) ?? ""
    }

    /// What browsers are told beside the page.
    ///
    /// Nothing is loaded from elsewhere, no script or style stands in a page, and nobody shows it in a frame.
    static let policy = [
        "default-src 'none'", "style-src 'self'", "script-src 'self'", "img-src 'self'", "connect-src 'self'",
        "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'",
    ].joined(separator: "; ")

    static func response(_ html: String, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status,
            headers: [
                .contentType: "text/html; charset=utf-8",
                .contentSecurityPolicy: policy,
                .vary: "Cookie, Accept-Language",
            ],
            body: ResponseBody(byteBuffer: ByteBuffer(string: html))
        )
    }
}
