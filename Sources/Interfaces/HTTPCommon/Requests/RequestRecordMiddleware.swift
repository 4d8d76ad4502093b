import Hummingbird
import Logging

/// Counts every answered request, and writes it to the access log at level debug.
///
/// Both speak of the route's pattern, never of the raw path: a path holds identities, and whatever a stranger sends.
struct RequestRecordMiddleware: RouterMiddleware {
    typealias Context = IncomingContext

    let counters: RequestCounters

    func handle(
        _ request: Request,
        context: IncomingContext,
        next: (Request, IncomingContext) async throws -> Response
    ) async throws -> Response {
        let clock = ContinuousClock()
        let start = clock.now
        let response = try await next(request, context)
        let duration = start.duration(to: clock.now)
        let route = context.endpointPath ?? "none"
        let status = response.status.code
        counters.record(method: request.method, route: route, status: status, duration: duration)
        context.logger.debug(
            "request answered",
            metadata: [
                "http.method": "\(request.method)",
                "http.route": "\(route)",
                "http.status": "\(status)",
                "http.address": "\(context.address ?? "unknown")",
                "http.milliseconds": "\(duration / .milliseconds(1))",
            ]
        )
        return response
    }
}
