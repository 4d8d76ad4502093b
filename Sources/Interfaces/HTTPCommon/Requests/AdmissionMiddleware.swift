import Hummingbird

/// Asks the configuration's limiter about every request before anything else is done for it.
struct AdmissionMiddleware: RouterMiddleware {
    typealias Context = IncomingContext

    let admission: HTTPConfiguration.Admission

    func handle(
        _ request: Request,
        context: IncomingContext,
        next: (Request, IncomingContext) async throws -> Response
    ) async throws -> Response {
        if let wait = await admission(request.method, context.address) {
            throw RequestRefusal.tooManyRequests(retryAfter: wait)
        }
        return try await next(request, context)
    }
}
