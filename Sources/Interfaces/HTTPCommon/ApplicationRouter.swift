package import Hummingbird

/// The router that every face adds its routes to, with all that they share around them.
///
/// From the outside in: the request's identity, its count and log line, safe headers, the conversion of failures, the
/// rate limit. The routes for operators (`/healthz`, `/readyz`, `/metrics`) are there already.
/// Failures look as the face below whose root the path lies wants them; those of no face's paths are plain text.
package func makeApplicationRouter(
    configuration: HTTPConfiguration = HTTPConfiguration(),
    faces: [ErrorFace]
) -> Router<IncomingContext> {
    let counters = RequestCounters()
    let router = Router(context: IncomingContext.self)
    router.add(middleware: RequestIdentityMiddleware(isBehindProxy: configuration.isBehindProxy))
    router.add(middleware: RequestRecordMiddleware(counters: counters))
    router.add(middleware: SafeHeadersMiddleware())
    router.add(middleware: FailureMiddleware(faces: faces))
    router.add(middleware: AdmissionMiddleware(admission: configuration.admission))
    ServiceRoutes(configuration: configuration, counters: counters).add(to: router)
    return router
}
