import HTTPTypes
import Hummingbird

/// Tells browsers to do nothing clever with answers.
///
/// A face that needs more sets its own header, which wins.
struct SafeHeadersMiddleware: RouterMiddleware {
    typealias Context = IncomingContext

    private static let headers: [(HTTPField.Name, String)] = [
        (.xContentTypeOptions, "nosniff"),
        (.contentSecurityPolicy, "default-src 'none'; frame-ancestors 'none'"),
        (.frameOptions, "DENY"),
        (.referrerPolicy, "no-referrer"),
        (.resourcePolicy, "same-origin"),
        (.cacheControl, "no-store"),
    ]

    func handle(
        _ request: Request,
        context: IncomingContext,
        next: (Request, IncomingContext) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        for (name, value) in Self.headers where !response.headers.contains(name) {
            response.headers[name] = value
        }
        return response
    }
}
