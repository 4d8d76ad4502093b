import HTTPTypes
import Hummingbird
import Logging

/// Gives every request the identity under which the log, the answer and the jobs that it starts know it.
///
/// A caller's own `X-Request-Id` is kept if it is harmless in a log: up to 64 letters, digits, `.`, `_` and `-`.
struct RequestIdentityMiddleware: RouterMiddleware {
    typealias Context = IncomingContext

    let isBehindProxy: Bool

    func handle(
        _ request: Request,
        context: IncomingContext,
        next: (Request, IncomingContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        if let offered = request.headers[.requestID], Self.isHarmless(offered) {
            context.requestID = offered
        }
        if isBehindProxy, let address = Self.forwardedAddress(request.headers) {
            context.address = address
        }
        context.logger[metadataKey: "request.id"] = "\(context.requestID)"
        let identified = context
        var response = try await withLogger(identified.logger) { _ in
            try await next(request, identified)
        }
        response.headers[.requestID] = identified.requestID
        return response
    }

    static func isHarmless(_ id: String) -> Bool {
        (1...64).contains(id.utf8.count)
            && id.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default:
                    false
                }
            }
    }

    /// The hop that the proxy itself saw: the last one.
    ///
    /// The others are what the client claims.
    static func forwardedAddress(_ headers: HTTPFields) -> String? {
        guard let last = headers[values: .forwardedFor].last?.split(separator: ",").last else { return nil }
        let allowed = last.filter { $0.isHexDigit || $0 == "." || $0 == ":" }
        return allowed.isEmpty || allowed.count > 45 ? nil : String(allowed)
    }
}
